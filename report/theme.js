// The colours of the page: those of the system, or light or dark ones, as chosen with the buttons. The choice is remembered
// where the browser lets pages keep anything; it stands in the head, so that a page never shows in the wrong colours first.
(() => {
  const root = document.documentElement;
  const key = "tadpool-theme";

  const remembered = () => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };

  const remember = (theme) => {
    try {
      localStorage.setItem(key, theme);
    } catch {
      // Then it holds until the page is left.
    }
  };

  const apply = (theme) => {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
  };

  let theme = ["light", "dark"].includes(remembered()) ? remembered() : "auto";
  apply(theme);

  document.addEventListener("DOMContentLoaded", () => {
    const group = document.querySelector(".themes");
    const buttons = [...group.querySelectorAll("button")];
    const mark = () => buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.value === theme)));
    group.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      theme = button.value;
      apply(theme);
      remember(theme);
      mark();
    });
    mark();
    group.hidden = false;
  });
})();
