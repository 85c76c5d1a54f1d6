// Arrows from one estimate of each group to the other; beside them the data of the group that is chosen, with both lines.
explorer.start("lines", (section, data) => {
  const { html, svg, shape, number } = explorer;
  const { members, arrows, names, entries, predictor, points } = data;
  const labels = members.labels;
  const shapes = ["circle", "triangle"];
  const length = (i) => Math.hypot(arrows.end_x[i] - arrows.start_x[i], arrows.end_y[i] - arrows.start_y[i]);
  const state = { member: labels.reduce((far, _, i) => (length(i) > length(far) ? i : far), 0) };

  const picked = explorer.picker(html(section, "div", { class: "controls" }), members.name, labels, (i) => choose(i));
  explorer.legend(section, [
    ...entries.map((entry, i) => ({ ...entry, shape: shapes[i] })),
    ...(data.returns_prior.some(Boolean)
      ? [{ label: "slope returns its prior", shape: "square", colour: entries[0].colour, hollow: true }]
      : []),
    { ...explorer.OBSERVED, label: "observed" },
  ]);
  const pair = html(section, "div", { class: "pair-of-panels" });

  const segment = (i, frame) => [frame.x(arrows.start_x[i]), frame.y(arrows.start_y[i]), frame.x(arrows.end_x[i]), frame.y(arrows.end_y[i])];
  const arrow = (layer, frame, i, attributes) => {
    const [x1, y1, x2, y2] = segment(i, frame);
    svg(layer, "path", { d: `M${x1} ${y1}L${x2} ${y2}`, ...attributes });
    const start = data.returns_prior[i] ? { fill: "none", stroke: entries[0].colour } : { fill: entries[0].colour };
    shape(layer, data.returns_prior[i] ? "square" : shapes[0], x1, y1, 3.2, start);
    shape(layer, shapes[1], x2, y2, 3.2, { fill: entries[1].colour });
  };
  const map = explorer.panel(pair, {
    label: members.name,
    height: 340,
    count: labels.length,
    text: (i) => labels[i],
    choose: (i) => choose(i),
    reach: 40,
    distance: (i, x, y, frame) => {
      const [x1, y1, x2, y2] = segment(i, frame);
      const along = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2 || 1);
      const share = Math.min(1, Math.max(0, along));
      return Math.hypot(x - x1 - share * (x2 - x1), y - y1 - share * (y2 - y1));
    },
    draw: (frame) => {
      explorer.axes(
        frame,
        { domain: explorer.extent([arrows.start_x, arrows.end_x]), label: names[0] },
        { domain: explorer.extent([arrows.start_y, arrows.end_y]), label: names[1] },
      );
      labels.forEach((_, i) => arrow(frame.root, frame, i, { class: "arrow" }));
    },
    mark: (frame, i) => {
      arrow(frame.marks, frame, i, { class: "arrow chosen" });
      const [x1, y1, x2, y2] = segment(i, frame);
      shape(frame.marks, "circle", x1, y1, 6, { class: "observed" });
      shape(frame.marks, "circle", x2, y2, 6, { class: "observed" });
      const end = x1 > frame.width * 0.6;
      const place = { x: x1 + (end ? -10 : 10), y: y1 + (y1 > y2 ? 16 : -10), "text-anchor": end ? "end" : "start", class: "value" };
      svg(frame.marks, "text", place, labels[i]);
    },
  });

  const few = Object.keys(predictor.ticks).length > 0;
  const gap = few ? Math.min(...predictor.grid.slice(1).map((value, i) => value - predictor.grid[i])) : 0;
  const heights = explorer.extent([points.map((each) => each.y), entries.map((entry) => entry.mean)]);
  // Points of equal place stand side by side.
  const aside = (member, k) => {
    const { x } = points[member];
    const before = x.slice(0, k).filter((value) => value === x[k]).length;
    return x[k] + (((before * 0.618034) % 1) - 0.5) * gap * 0.22;
  };
  const panel = explorer.panel(pair, {
    height: 340,
    draw: (frame) => {
      const marks = () => predictor.grid.map((at) => ({ at, text: predictor.ticks[String(at)] }));
      const domain = explorer.extent([predictor.grid], few ? 0.25 : 0.05);
      explorer.axes(
        frame,
        { domain, label: predictor.label, ...(few ? { ticks: marks } : {}) },
        { domain: heights, label: data.outcome },
      );
      svg(svg(frame.root, "clipPath", { id: `${section.id}-clip` }), "rect", {
        x: frame.x(domain[0]), y: frame.y(heights[1]), width: frame.inner, height: frame.y(heights[0]) - frame.y(heights[1]),
      });
    },
    mark: (frame) => {
      const i = state.member;
      const clipped = svg(frame.marks, "g", { "clip-path": `url(#${section.id}-clip)` });
      for (const entry of entries) {
        const place = (values) => values[i].map((value, k) => `${frame.x(predictor.grid[k])} ${frame.y(value)}`);
        const around = [...place(entry.high), ...place(entry.low).reverse()];
        svg(clipped, "path", { d: `M${around.join("L")}Z`, fill: entry.colour, opacity: 0.18 });
        svg(clipped, "path", { d: `M${place(entry.mean).join("L")}`, fill: "none", stroke: entry.colour, "stroke-width": 2.5 });
      }
      entries.forEach((entry, j) =>
        predictor.grid.forEach((at, k) => shape(clipped, shapes[j], frame.x(at), frame.y(entry.mean[i][k]), 4, { fill: entry.colour })),
      );
      points[i].y.forEach((y, k) => shape(clipped, "circle", frame.x(aside(i, k)), frame.y(y), 3.2, { class: "observed" }));
      svg(frame.marks, "text", { x: frame.width - 14, y: 12, "text-anchor": "end", class: "value" }, labels[i]);
    },
  });
  const readout = html(section, "p", { class: "readout", "aria-live": "polite" });
  const known = html(section, "dl", { class: "known" });

  const choose = (i) => {
    state.member = i;
    picked.value = i;
    map.mark(i);
    panel.mark(i);
    const ends = ["start", "end"].map((end, j) => {
      const bad = entries[j].failed.includes(i) ? `, failed for this ${members.name}` : "";
      return `${entries[j].label}${bad}: ${names[0]} ${number(arrows[`${end}_x`][i])}, ${names[1]} ${number(arrows[`${end}_y`][i])}`;
    });
    const prior = data.returns_prior[i] ? ` Alone, its slope returns its prior: its ${predictor.label} does not vary.` : "";
    readout.textContent = `${labels[i]}, posterior means. ${ends.join(". ")}.${prior}`;
    explorer.facts(known, members, i);
  };
  map.render();
  panel.render();
  choose(state.member);
});
