// The curve of a sweep, and below it the posterior of every member at the value that is chosen there.
explorer.start("sweep", (section, data) => {
  const { html, svg, shape, number, sentence, span } = explorer;
  const { members, axis, over, estimates } = data;
  const SHOWN = 8; // standard errors of the best value that the axis reaches down
  const best = data.elpd.indexOf(Math.max(...data.elpd));
  const foot = data.elpd[best] - SHOWN * data.se[best];
  const state = { value: best, member: 0 };

  const controls = html(section, "div", { class: "controls" });
  const values = explorer.picker(controls, over, data.values.map((value) => number(value)), (i) => choose({ value: i }));
  const names = explorer.picker(controls, members.name, members.labels, (i) => choose({ member: i }));
  const curve = explorer.panel(section, {
    label: over,
    height: 220,
    count: data.values.length,
    text: (i) => number(data.values[i]),
    choose: (i) => choose({ value: i }),
    distance: (i, x, _, frame) => Math.abs(x - frame.x(data.values[i])),
    draw: (frame) => {
      const inside = data.elpd.filter((value) => value >= foot);
      const top = data.elpd.map((value, i) => value + data.se[i]).filter((_, i) => data.elpd[i] >= foot);
      const low = data.elpd.map((value, i) => Math.max(foot, value - data.se[i]));
      explorer.axes(
        frame,
        { domain: explorer.extent(data.values), label: `${over} (fixed)` },
        { domain: explorer.extent([inside, top, low], 0.05), label: "elpd (nats)" },
      );
      const at = (i) => frame.y(Math.max(foot, data.elpd[i]));
      const upper = data.values.map((value, i) => `${frame.x(value)} ${frame.y(Math.max(foot, data.elpd[i] + data.se[i]))}`);
      const lower = data.values.map((value, i) => `${frame.x(value)} ${frame.y(low[i])}`).reverse();
      svg(frame.root, "path", { d: `M${[...upper, ...lower].join("L")}Z`, fill: data.colour, opacity: 0.18 });
      const line = data.values.map((value, i) => `${frame.x(value)} ${at(i)}`);
      svg(frame.root, "path", { d: `M${line.join("L")}`, fill: "none", stroke: data.colour, "stroke-width": 1.5 });
      data.values.forEach((value, i) => {
        const hollow = data.failed.includes(i);
        const kind = data.elpd[i] < foot ? "wedge" : "circle";
        shape(frame.root, kind, frame.x(value), at(i), 3.5, { fill: hollow ? "var(--paper)" : data.colour, stroke: data.colour });
      });
    },
    mark: (frame, i) => {
      const x = frame.x(data.values[i]);
      svg(frame.marks, "path", { d: `M${x} 14V${frame.height - 44}`, class: "rule" });
      shape(frame.marks, "circle", x, frame.y(Math.max(foot, data.elpd[i])), 6, { fill: data.colour, class: "chosen" });
      const end = x > frame.width * 0.75;
      const place = { x: x + (end ? -10 : 10), y: frame.height - 54, "text-anchor": end ? "end" : "start", class: "value" };
      svg(frame.marks, "text", place, `${over} ${number(data.values[i])}`);
    },
  });
  explorer.legend(section, [
    ...(data.elpd.some((value) => value < foot) ? [{ label: "elpd below the axis", shape: "wedge", colour: data.colour }] : []),
    ...(data.failed.length ? [{ label: "the fit failed", shape: "circle", colour: data.colour, hollow: true }] : []),
    { label: `posterior mean, 89 % interval, at the chosen ${over}`, shape: "circle", colour: data.colour },
    ...(axis.observed ? [explorer.OBSERVED] : []),
  ]);
  const domain = explorer.extent([...estimates.map((point) => [point.low, point.high]), axis.observed ?? []]);
  const units = explorer.panel(section, {
    label: members.name,
    height: 260,
    count: members.labels.length,
    text: (i) => members.labels[i],
    choose: (i) => choose({ member: i }),
    distance: (i, x, _, frame) => Math.abs(x - frame.x(i)),
    draw: (frame) => {
      const last = members.labels.length - 1;
      explorer.axes(
        frame,
        { domain: [-0.7, last + 0.7], label: members.name, ticks: (width) => explorer.named(members.labels, width) },
        { domain, label: axis.label },
      );
      const shown = estimates[state.value];
      members.labels.forEach((_, i) => {
        const x = frame.x(i);
        const bar = { d: `M${x} ${frame.y(shown.low[i])}V${frame.y(shown.high[i])}`, stroke: data.colour, "stroke-width": 1.5 };
        svg(frame.root, "path", bar);
        shape(frame.root, "circle", x, frame.y(shown.mean[i]), 3, { fill: data.colour });
        if (axis.observed) shape(frame.root, "circle", x, frame.y(axis.observed[i]), 4, { class: "observed" });
      });
    },
    mark: (frame, i) => {
      const shown = estimates[state.value];
      const [x, width] = [frame.x(i), Math.max(10, frame.inner / members.labels.length)];
      svg(frame.marks, "rect", { x: x - width / 2, y: 14, width, height: frame.height - 58, class: "band" });
      shape(frame.marks, "circle", x, frame.y(shown.mean[i]), 5, { fill: data.colour, class: "chosen" });
    },
  });
  const readout = html(section, "p", { class: "readout", "aria-live": "polite" });
  const known = html(section, "dl", { class: "known" });

  const choose = (change) => {
    const moved = "value" in change;
    Object.assign(state, change);
    const { value, member } = state;
    values.value = value;
    names.value = member;
    if (moved) {
      curve.mark(value);
      units.render();
    }
    units.mark(member);
    const shown = estimates[value];
    const standing = data.failed.includes(value) ? ", a fit that failed" : value === best ? ", the best" : data.tie[value] ? ", tied with the best" : "";
    const seen = axis.observed ? `, observed ${number(axis.observed[member])}` : "";
    readout.textContent =
      `${over} ${number(data.values[value])}: elpd ${number(data.elpd[value], 4)} ± ${number(data.se[value], 2)} (SE)${standing}. ` +
      `${sentence(members.name)} ${members.labels[member]}: mean ${number(shown.mean[member])}, 89 % interval ` +
      `${span(shown.low[member], shown.high[member])}${seen}.`;
    explorer.facts(known, members, member);
  };
  curve.render();
  choose(state);
});
