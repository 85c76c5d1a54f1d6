// The definition of a term beside it, on hover and on focus. A first touch shows it too, a second one follows the link to the
// glossary. Escape, or a press elsewhere, puts it away.
(() => {
  const glossary = document.getElementById("glossary");
  if (!glossary) return;
  const box = document.createElement("div");
  box.className = "definition";
  box.hidden = true;
  box.setAttribute("aria-hidden", "true"); // aria-describedby reads the glossary itself
  document.getElementById("main").append(box);
  let shown = null;
  let leaving = 0;
  let touched = null;

  const show = (link) => {
    clearTimeout(leaving);
    if (link === shown) return;
    shown = link;
    const entry = document.getElementById(link.hash.slice(1)).parentElement;
    const name = document.createElement("strong");
    name.textContent = entry.querySelector("dt").textContent;
    const parts = [...entry.querySelectorAll("dd > *")].map((part) => part.cloneNode(true));
    parts.forEach((part) => part.removeAttribute("id"));
    box.replaceChildren(name, ...parts);
    box.hidden = false;
    const place = link.getBoundingClientRect();
    const room = document.documentElement.clientWidth - box.offsetWidth - 8;
    const below = place.bottom + 6;
    const fits = below + box.offsetHeight <= document.documentElement.clientHeight || place.top < box.offsetHeight + 6;
    box.style.left = `${Math.max(8, Math.min(place.left, room)) + scrollX}px`;
    box.style.top = `${(fits ? below : place.top - box.offsetHeight - 6) + scrollY}px`;
  };

  const hide = () => {
    clearTimeout(leaving);
    shown = null;
    box.hidden = true;
  };

  const leave = () => {
    clearTimeout(leaving);
    leaving = setTimeout(hide, 200); // time to move the pointer onto the definition
  };

  const term = (event) => event.target.closest?.("a.term");

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    if (term(event)) show(term(event));
    else if (box.contains(event.target)) clearTimeout(leaving);
  });
  document.addEventListener("pointerout", (event) => {
    if (event.pointerType !== "touch" && (term(event) || box.contains(event.target)) && shown !== document.activeElement) leave();
  });
  document.addEventListener("focusin", (event) => (term(event) ? show(term(event)) : hide()));
  document.addEventListener("focusout", (event) => term(event) && leave());
  document.addEventListener("pointerdown", (event) => {
    touched = event.pointerType === "touch" && term(event) !== shown ? term(event) : null;
    if (shown && !term(event) && !box.contains(event.target)) hide();
  });
  document.addEventListener("click", (event) => {
    if (!term(event)) return;
    if (term(event) !== touched) return hide();
    event.preventDefault();
    show(touched);
    touched = null;
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
})();
