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
    // The estimates of member i side by side, `gap` pixels apart.
    const drawMember = (layer, frame, i, gap, size, middle = frame.x(i)) => {
      looks.forEach((entry, j) => {
        if (entry.mean[i] === null) return;
        const x = middle + (j - (looks.length - 1) / 2) * gap;
        const opacity = entry.failed.includes(i) ? 0.45 : 1;
        const bar = { stroke: entry.colour, "stroke-width": Math.max(0.8, size / 2.4), opacity };
        svg(layer, "path", { d: `M${x} ${frame.y(entry.low[i])}V${frame.y(entry.high[i])}`, ...bar });
        shape(layer, entry.shape, x, frame.y(entry.mean[i]), size, { fill: entry.colour, opacity });
      });
      if (axis.observed) shape(layer, "circle", middle, frame.y(axis.observed[i]), Math.min(4.2, size + 1), { class: "observed" });
    };
    const gapIn = (frame) => Math.min(frame.inner / labels.length, 40) / (looks.length + 0.6);
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
        const size = Math.min(3.2, Math.max(1.2, frame.inner / labels.length / looks.length / 2));
        labels.forEach((_, i) => drawMember(frame.root, frame, i, gapIn(frame), size));
      },
      mark: (frame, i) => {
        const gap = Math.max(6, gapIn(frame));
        const width = gap * (looks.length + 0.6);
        const [left, right] = [frame.x(-0.7) + 1 + width / 2, frame.x(labels.length - 0.3) - width / 2];
        const middle = Math.min(right, Math.max(left, frame.x(i)));
        const box = { x: middle - width / 2, y: 14, width, height: frame.height - 58 };
        svg(frame.marks, "rect", { ...box, class: "ground" });
        svg(frame.marks, "rect", { ...box, class: "band" });
        drawMember(frame.marks, frame, i, gap, 3.2, middle);
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
