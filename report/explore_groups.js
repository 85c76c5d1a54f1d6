// The members of a group: what is known of the one that is chosen, and its estimates in each model.
explorer.start("groups", (section, data) => {
  const { html, svg, shape, number, sentence, span } = explorer;
  const state = { view: 0, member: 0 };
  const view = () => data.views[state.view];
  const members = () => data.members[view().by];

  const controls = html(section, "div", { class: "controls" });
  const titles = data.views.map((each) => (Object.keys(data.members).length > 1 ? `${each.site} by ${each.by}` : each.site));
  if (titles.length > 1) explorer.picker(controls, "Parameter", titles, (i) => look(i));
  const spot = html(controls, "span");
  const body = html(section, "div");

  const look = (index) => {
    state.view = index;
    state.member = 0;
    spot.replaceChildren();
    body.replaceChildren();
    const { entries, axis } = view();
    const { name, labels } = members();
    const looks = entries.map((entry, i) => ({ ...entry, shape: explorer.shapes[i % explorer.shapes.length] }));
    const names = explorer.picker(spot, name, labels, (i) => choose(i));
    explorer.legend(body, [...looks, ...(axis.observed ? [explorer.OBSERVED] : [])]);
    if (entries.some((entry) => entry.failed.length)) html(body, "p", { class: "note" }, `Paler: the fit to that ${name} failed.`);
    const domain = explorer.extent([entries.map((entry) => [entry.low, entry.high]), axis.observed ?? []]);
    const side = (i, frame) => ((i - (looks.length - 1) / 2) * Math.min(frame.inner / labels.length, 40)) / (looks.length + 0.6);
    const panel = explorer.panel(body, {
      label: name,
      height: 300,
      count: labels.length,
      text: (i) => labels[i],
      choose: (i) => choose(i),
      distance: (i, x, _, frame) => Math.abs(x - frame.x(i)),
      draw: (frame) => {
        explorer.axes(
          frame,
          { domain: [-0.7, labels.length - 0.3], label: name, ticks: (width) => explorer.named(labels, width) },
          { domain, label: axis.label },
        );
        const size = Math.min(3.2, Math.max(1.4, frame.inner / labels.length / looks.length / 2));
        looks.forEach((entry, j) => {
          labels.forEach((_, i) => {
            if (entry.mean[i] === null) return;
            const x = frame.x(i) + side(j, frame);
            const look = { stroke: entry.colour, "stroke-width": size / 2.4, opacity: entry.failed.includes(i) ? 0.45 : 1 };
            svg(frame.root, "path", { d: `M${x} ${frame.y(entry.low[i])}V${frame.y(entry.high[i])}`, ...look });
            shape(frame.root, entry.shape, x, frame.y(entry.mean[i]), size, { fill: entry.colour, opacity: look.opacity });
          });
        });
        if (axis.observed) {
          labels.forEach((_, i) => shape(frame.root, "circle", frame.x(i), frame.y(axis.observed[i]), 4.2, { class: "observed" }));
        }
      },
      mark: (frame, i) => {
        const width = Math.max(10, frame.inner / labels.length);
        svg(frame.marks, "rect", { x: frame.x(i) - width / 2, y: 14, width, height: frame.height - 58, class: "band" });
      },
    });
    const readout = html(body, "p", { class: "readout", "aria-live": "polite" });
    const columns = html(body, "div", { class: "columns" });
    const known = html(columns, "dl", { class: "known" });
    const table = html(columns, "table");

    const choose = (member) => {
      state.member = member;
      names.value = member;
      panel.mark(member);
      const seen = axis.observed ? `, observed ${number(axis.observed[member])}` : "";
      const parts = entries.map((entry) => `${entry.label} ${number(entry.mean[member])} (${span(entry.low[member], entry.high[member])})`);
      readout.textContent = `${sentence(name)} ${labels[member]}${seen}. Posterior mean and 89 % interval of ${axis.label}: ${parts.join("; ")}.`;
      explorer.facts(known, members(), member);
      table.replaceChildren();
      const head = html(html(table, "thead"), "tr");
      ["Model", "Mean", "89 % interval"].forEach((text, i) => html(head, "th", { scope: "col", class: i ? "number" : "" }, text));
      const rows = html(table, "tbody");
      entries.forEach((entry) => {
        const row = html(rows, "tr");
        html(row, "th", { scope: "row" }, entry.label + (entry.failed.includes(member) ? `: failed for this ${name}` : ""));
        html(row, "td", { class: "number" }, number(entry.mean[member]));
        html(row, "td", { class: "number" }, span(entry.low[member], entry.high[member]));
      });
    };
    panel.render();
    choose(0);
  };
  look(0);
});
