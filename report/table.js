// Tables of class "sortable" are sorted by a button in each heading: upwards, downwards, and back to the order of the page.
// Numbers are compared as numbers; what is missing stands last both ways. A form of class "filter" hides rows of the table
// before which it stands: by words, and by the verdict in their data-verdict.
(() => {
  const MISSING = "—";
  const WORDS = { none: "", ascending: "▲", descending: "▼" };

  const said = (cell) => cell.dataset.value ?? cell.textContent.trim();

  const numeric = (text) => {
    const found = text.replaceAll("−", "-").replaceAll(",", "").match(/-?\d+(\.\d+)?(e[-+]?\d+)?/i);
    return found ? Number(found[0]) : null;
  };

  const key = (cell, isNumber) => {
    const text = cell ? said(cell) : "";
    if (text === "" || text === MISSING) return null;
    return isNumber ? numeric(text) : text;
  };

  const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));

  const sort = (table, rows, column, direction) => {
    const isNumber = table.tHead.rows[0].cells[column].matches(".number, [data-sort=number]");
    const keys = new Map(rows.map((row) => [row, key(row.cells[column], isNumber)]));
    const sign = direction === "descending" ? -1 : 1;
    const order = [...rows];
    if (direction !== "none") {
      order.sort((one, other) => {
        const [a, b] = [keys.get(one), keys.get(other)];
        if (a === null || b === null) return (a === null) - (b === null);
        return sign * compare(a, b);
      });
    }
    table.tBodies[0].append(...order);
  };

  const sortable = (table) => {
    const rows = [...table.tBodies[0].rows];
    const headings = [...table.tHead.rows[0].cells];
    const show = (chosen, direction) => {
      for (const heading of headings) {
        const own = heading === chosen ? direction : "none";
        if (own === "none") heading.removeAttribute("aria-sort");
        else heading.setAttribute("aria-sort", own);
        heading.querySelector(".sort span").textContent = WORDS[own] || "↕";
      }
    };
    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.setAttribute("aria-label", `Sort by ${heading.textContent.trim()}`);
      const arrow = document.createElement("span");
      arrow.setAttribute("aria-hidden", "true");
      button.append(arrow);
      heading.append(" ", button);
      heading.addEventListener("click", (event) => {
        if (event.target.closest("a")) return;
        const now = heading.getAttribute("aria-sort") ?? "none";
        const next = { none: "ascending", ascending: "descending", descending: "none" }[now];
        sort(table, rows, column, next);
        show(heading, next);
      });
    });
    show(null, "none");
  };

  const filter = (form) => {
    const rows = [...document.getElementById(form.dataset.table).tBodies[0].rows];
    const words = form.querySelector("input");
    const chips = [...form.querySelectorAll("button[value]")];
    const apply = () => {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      const verdicts = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.value);
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        const fits = wanted.every((word) => text.includes(word));
        row.hidden = !fits || (verdicts.length > 0 && !verdicts.includes(row.dataset.verdict));
        shown += row.hidden ? 0 : 1;
      }
      form.querySelector("[role=status]").textContent = `${shown} of ${rows.length} shown`;
    };
    words.addEventListener("input", apply);
    for (const chip of chips) {
      chip.addEventListener("click", () => {
        chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
        apply();
      });
    }
    form.hidden = false;
    apply();
  };

  document.querySelectorAll("table.sortable").forEach(sortable);
  document.querySelectorAll(".filter").forEach(filter);
})();
