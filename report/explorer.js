// Explorers: point at a member of a group and see its data and its estimates, with pointer, touch or arrow keys, and in a
// sentence that is read aloud. The data are a mapping that a kind of figure makes (tadpool/figures/_explore.py): members with
// what is known of them, and views, each with estimates of these members. A view shows intervals, or arrows from one pair of
// estimates to another with the lines that they stand for. A curve, where there is one, has a point for each view.
(() => {
  const NAMESPACE = "http://www.w3.org/2000/svg";
  const MARGIN = { top: 14, right: 14, bottom: 44, left: 62 };
  const SHAPES = {
    circle: (r) => `M${-r} 0A${r} ${r} 0 1 0 ${r} 0A${r} ${r} 0 1 0 ${-r} 0Z`,
    square: (r) => `M${-r} ${-r}H${r}V${r}H${-r}Z`,
    triangle: (r) => `M0 ${-1.2 * r}L${1.1 * r} ${r}H${-1.1 * r}Z`,
    wedge: (r) => `M0 ${1.2 * r}L${1.1 * r} ${-r}H${-1.1 * r}Z`,
    diamond: (r) => `M0 ${-1.4 * r}L${1.4 * r} 0L0 ${1.4 * r}L${-1.4 * r} 0Z`,
  };

  const fill = (element, attributes) => {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const html = (parent, tag, attributes = {}, text = "") => {
    const element = fill(document.createElement(tag), attributes);
    element.textContent = text;
    return parent.appendChild(element);
  };
  const svg = (parent, tag, attributes = {}, text = "") => {
    const element = fill(document.createElementNS(NAMESPACE, tag), attributes);
    element.textContent = text;
    return parent.appendChild(element);
  };
  const shape = (parent, kind, x, y, size, attributes) =>
    svg(parent, "path", { d: SHAPES[kind](size), transform: `translate(${x} ${y})`, ...attributes });

  // 4.0e−7 and 5.78e7, of numbers that are nearly all zeros or long.
  const power = (value) => (value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)) + 1e-9));
  const powers = (value, decimals) => value.toExponential(decimals).replace("e+", "e").replaceAll("-", "−");
  const number = (value, digits = 3) => {
    if (value === null || value === undefined) return "—";
    if (typeof value !== "number") return String(value);
    const size = power(value);
    if (size < -4 || size > 6) return powers(value, digits - 1);
    return value.toFixed(Number.isInteger(value) ? 0 : Math.max(0, digits - 1 - size)).replace("-", "−");
  };
  const sentence = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);
  const span = (low, high) => `${number(low)} to ${number(high)}`;

  // The smallest and largest of nested lists, with some room on both sides.
  const extent = (lists, room = 0.04) => {
    const flat = lists.flat(Infinity).filter((value) => value !== null);
    const [low, high] = [flat.reduce((a, b) => Math.min(a, b), Infinity), flat.reduce((a, b) => Math.max(a, b), -Infinity)];
    const pad = (high - low || 1) * room;
    return [low - pad, high + pad];
  };
  const scale = ([low, high], [from, to]) => (value) => from + ((value - low) / (high - low)) * (to - from);
  const ticks = ([low, high], most) => {
    const rough = (high - low) / Math.max(1, most);
    const unit = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * unit).find((size) => size >= rough);
    const first = Math.ceil(low / step - 1e-9);
    const count = Math.floor(high / step + 1e-9) - first + 1;
    const shown = -power(step);
    const decimals = Math.max(0, shown);
    const largest = power(Math.max(Math.abs(low), Math.abs(high)));
    const text = (value) => {
      if (largest >= -4 && largest <= 6) return value.toFixed(decimals).replace("-", "−");
      return value === 0 ? "0" : powers(value, Math.max(0, power(value) + shown));
    };
    return Array.from({ length: count }, (_, i) => {
      const value = (first + i) * step;
      return { at: value, text: text(value) };
    });
  };
  // Members at 0, 1, ...: as many of their names as there is room for.
  const labelled = (labels, width) => {
    const short = labels.map((label) => (label.length > 12 ? `${label.slice(0, 11)}…` : label));
    const longest = Math.max(...short.map((label) => label.length));
    const step = Math.ceil((labels.length * (longest * 7 + 12)) / width);
    return short.flatMap((text, at) => (at % step ? [] : [{ at, text }]));
  };

  const axes = (frame, x, y) => {
    const { root, width, height } = frame;
    const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
    frame.inner = right - left;
    frame.x = scale(x.domain, [left, right]);
    frame.y = scale(y.domain, [bottom, top]);
    const layer = svg(root, "g", { class: "axes" });
    svg(layer, "path", { d: `M${left} ${top}V${bottom}H${right}` });
    for (const tick of x.ticks ? x.ticks(frame.inner) : ticks(x.domain, frame.inner / 70)) {
      svg(layer, "path", { d: `M${frame.x(tick.at)} ${bottom}v5` });
      svg(layer, "text", { x: frame.x(tick.at), y: bottom + 18, "text-anchor": "middle" }, tick.text);
    }
    for (const tick of ticks(y.domain, (bottom - top) / 40)) {
      svg(layer, "path", { d: `M${left} ${frame.y(tick.at)}h-5` });
      svg(layer, "text", { x: left - 8, y: frame.y(tick.at) + 4, "text-anchor": "end" }, tick.text);
    }
    svg(layer, "text", { x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }, x.label);
    svg(layer, "text", { transform: `translate(14 ${(top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, y.label);
  };

  // A chart in which one of `count` things can be chosen. options: label, height, count, text(i) of a choice, choose(i),
  // draw(frame) for what stays, mark(frame) for what shows the choice, distance(i, x, y, frame) in pixels, reach of a pointer.
  const panel = (parent, options) => {
    const host = html(parent, "div", { class: "panel" });
    if (options.count) {
      fill(host, { role: "slider", tabindex: 0, "aria-label": options.label, "aria-valuemin": 1, "aria-valuemax": options.count });
    }
    const root = svg(host, "svg", { "aria-hidden": "true" });
    const frame = { root, width: 0, height: options.height };
    let chosen = 0;

    const mark = (index = chosen) => {
      chosen = index;
      fill(host, options.count ? { "aria-valuenow": chosen + 1, "aria-valuetext": options.text(chosen) } : {});
      if (!frame.width) return;
      frame.marks.replaceChildren();
      options.mark(frame, chosen);
    };
    const render = () => {
      frame.width = host.clientWidth;
      if (!frame.width) return;
      root.replaceChildren();
      fill(root, { width: frame.width, height: frame.height, viewBox: `0 0 ${frame.width} ${frame.height}` });
      options.draw(frame);
      frame.marks = svg(root, "g");
      mark();
    };
    const near = (event) => {
      const box = root.getBoundingClientRect();
      let [best, least] = [null, options.reach ?? Infinity];
      for (let i = 0; i < options.count; i++) {
        const away = options.distance(i, event.clientX - box.left, event.clientY - box.top, frame);
        if (away < least) [best, least] = [i, away];
      }
      return best;
    };
    const point = (event) => {
      const index = near(event);
      if (index !== null && index !== chosen) options.choose(index);
    };
    const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity };
    if (options.count) {
      host.addEventListener("pointermove", (event) => event.pointerType !== "touch" && point(event));
      host.addEventListener("click", point);
      host.addEventListener("keydown", (event) => {
        if (!(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return;
        event.preventDefault();
        options.choose(Math.min(options.count - 1, Math.max(0, chosen + steps[event.key])));
      });
    }
    new ResizeObserver(() => host.clientWidth !== frame.width && render()).observe(host);
    return { render, mark };
  };

  const picker = (parent, label, names, choose) => {
    const select = html(html(parent, "label", {}, `${label} `), "select");
    names.forEach((name, i) => html(select, "option", { value: i }, name));
    select.addEventListener("change", () => choose(Number(select.value)));
    return select;
  };

  const showLegend = (parent, entries) => {
    const list = html(parent, "ul", { class: "legend" });
    for (const entry of entries) {
      const item = html(list, "li");
      const key = svg(item, "svg", { width: 14, height: 14, viewBox: "-7 -7 14 14", "aria-hidden": "true" });
      shape(key, entry.shape, 0, 0, 4, { fill: entry.hollow ? "none" : entry.colour, stroke: entry.colour, "stroke-width": 1.5 });
      item.append(entry.label);
    }
  };

  const showFacts = (parent, members, index) => {
    parent.replaceChildren();
    for (const fact of members.facts) {
      const pair = html(parent, "div");
      html(pair, "dt", {}, fact.name);
      html(pair, "dd", {}, number(fact.values[index], 4));
    }
  };

  const OBSERVED = { label: "observed", shape: "circle", colour: "currentColor", hollow: true };
  const ENTRY_SHAPES = ["circle", "square", "triangle", "diamond", "wedge"];
  const ARROW_SHAPES = ["circle", "triangle"];
  const STANDARD_ERRORS = 8; // of the best value, that the axis of a curve reaches down

  // The score of each view; a view is chosen in it.
  const drawCurve = (parent, { label, values, elpd, se, failed, colour }, names, choose) => {
    const best = elpd.indexOf(Math.max(...elpd));
    const foot = elpd[best] - STANDARD_ERRORS * se[best];
    const shown = (value) => Math.max(foot, value);
    const curve = panel(parent, {
      label,
      height: 220,
      count: values.length,
      text: (i) => names[i],
      choose,
      distance: (i, x, _, frame) => Math.abs(x - frame.x(values[i])),
      draw: (frame) => {
        const top = elpd.map((value, i) => value + se[i]).filter((_, i) => elpd[i] >= foot);
        const low = elpd.map((value, i) => shown(value - se[i]));
        axes(
          frame,
          { domain: extent(values), label: `${label} (fixed)` },
          { domain: extent([elpd.filter((value) => value >= foot), top, low], 0.05), label: "elpd (nats)" },
        );
        const places = (heights) => values.map((value, i) => `${frame.x(value)} ${frame.y(heights[i])}`);
        const around = [...places(elpd.map((value, i) => shown(value + se[i]))), ...places(low).reverse()];
        svg(frame.root, "path", { d: `M${around.join("L")}Z`, fill: colour, opacity: 0.18 });
        svg(frame.root, "path", { d: `M${places(elpd.map(shown)).join("L")}`, fill: "none", stroke: colour, "stroke-width": 1.5 });
        values.forEach((value, i) => {
          const kind = elpd[i] < foot ? "wedge" : "circle";
          const fill = failed.includes(i) ? "var(--paper)" : colour;
          shape(frame.root, kind, frame.x(value), frame.y(shown(elpd[i])), 3.5, { fill, stroke: colour });
        });
      },
      mark: (frame, i) => {
        const x = frame.x(values[i]);
        svg(frame.marks, "path", { d: `M${x} 14V${frame.height - 44}`, class: "rule" });
        shape(frame.marks, "circle", x, frame.y(shown(elpd[i])), 6, { fill: colour, class: "chosen" });
        const end = x > frame.width * 0.75;
        const place = { x: x + (end ? -10 : 10), y: frame.height - 54, "text-anchor": end ? "end" : "start", class: "value" };
        svg(frame.marks, "text", place, `${label} ${names[i]}`);
      },
    });
    showLegend(parent, [
      ...(elpd.some((value) => value < foot) ? [{ label: "elpd below the axis", shape: "wedge", colour }] : []),
      ...(failed.length ? [{ label: "the fit failed", shape: "circle", colour, hollow: true }] : []),
    ]);
    curve.render();
    return curve;
  };

  // Intervals of every member, the entries of a view side by side. compared: views on the same axis.
  const drawIntervals = (parent, { entries, axis }, { name, labels }, compared, choose) => {
    const looks = entries.map((entry, i) => ({ ...entry, shape: ENTRY_SHAPES[i % ENTRY_SHAPES.length] }));
    showLegend(parent, [...looks, ...(axis.observed ? [OBSERVED] : [])]);
    if (entries.some((entry) => entry.failed.length)) html(parent, "p", { class: "note" }, `Paler: the fit to that ${name} failed.`);
    const domain = extent([compared.map((each) => each.entries.map((entry) => [entry.low, entry.high])), axis.observed ?? []]);
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
    return panel(parent, {
      label: name,
      height: 300,
      count: labels.length,
      text: (i) => labels[i],
      choose,
      distance: (i, x, _, frame) => Math.abs(x - frame.x(i)),
      draw: (frame) => {
        axes(
          frame,
          { domain: [-0.7, labels.length - 0.3], label: name, ticks: (width) => labelled(labels, width) },
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
  };

  // An arrow for each member, from its pair of estimates in one entry to that in another.
  const drawArrows = (parent, { entries, arrows, names, returns_prior }, { name, labels }, choose) => {
    const ends = (i, frame) => [frame.x(arrows.start_x[i]), frame.y(arrows.start_y[i]), frame.x(arrows.end_x[i]), frame.y(arrows.end_y[i])];
    const drawArrow = (layer, frame, i, attributes) => {
      const [x1, y1, x2, y2] = ends(i, frame);
      svg(layer, "path", { d: `M${x1} ${y1}L${x2} ${y2}`, ...attributes });
      const start = returns_prior[i] ? { fill: "none", stroke: entries[0].colour } : { fill: entries[0].colour };
      shape(layer, returns_prior[i] ? "square" : ARROW_SHAPES[0], x1, y1, 3.2, start);
      shape(layer, ARROW_SHAPES[1], x2, y2, 3.2, { fill: entries[1].colour });
    };
    return panel(parent, {
      label: name,
      height: 340,
      count: labels.length,
      text: (i) => labels[i],
      choose,
      reach: 40,
      distance: (i, x, y, frame) => {
        const [x1, y1, x2, y2] = ends(i, frame);
        const along = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2 || 1);
        const share = Math.min(1, Math.max(0, along));
        return Math.hypot(x - x1 - share * (x2 - x1), y - y1 - share * (y2 - y1));
      },
      draw: (frame) => {
        axes(
          frame,
          { domain: extent([arrows.start_x, arrows.end_x]), label: names[0] },
          { domain: extent([arrows.start_y, arrows.end_y]), label: names[1] },
        );
        labels.forEach((_, i) => drawArrow(frame.root, frame, i, { class: "arrow" }));
      },
      mark: (frame, i) => {
        drawArrow(frame.marks, frame, i, { class: "arrow chosen" });
        const [x1, y1, x2, y2] = ends(i, frame);
        shape(frame.marks, "circle", x1, y1, 6, { class: "observed" });
        shape(frame.marks, "circle", x2, y2, 6, { class: "observed" });
        const end = x1 > frame.width * 0.6;
        const place = { x: x1 + (end ? -10 : 10), y: y1 + (y1 > y2 ? 16 : -10), "text-anchor": end ? "end" : "start", class: "value" };
        svg(frame.marks, "text", place, labels[i]);
      },
    });
  };

  // The data of the member that is chosen, with its line in each entry.
  const drawLines = (parent, { entries, predictor, points, outcome }, { labels }, id) => {
    const few = Object.keys(predictor.ticks).length > 0;
    const gap = few ? Math.min(...predictor.grid.slice(1).map((value, i) => value - predictor.grid[i])) : 0;
    const heights = extent([points.map((each) => each.y), entries.map((entry) => entry.mean)]);
    // Points of equal place stand side by side.
    const aside = (member, k) => {
      const { x } = points[member];
      const before = x.slice(0, k).filter((value) => value === x[k]).length;
      return x[k] + (((before * 0.618034) % 1) - 0.5) * gap * 0.22;
    };
    return panel(parent, {
      height: 340,
      draw: (frame) => {
        const marks = () => predictor.grid.map((at) => ({ at, text: predictor.ticks[String(at)] }));
        const domain = extent([predictor.grid], few ? 0.25 : 0.05);
        axes(
          frame,
          { domain, label: predictor.label, ...(few ? { ticks: marks } : {}) },
          { domain: heights, label: outcome },
        );
        svg(svg(frame.root, "clipPath", { id: `${id}-clip` }), "rect", {
          x: frame.x(domain[0]), y: frame.y(heights[1]), width: frame.inner, height: frame.y(heights[0]) - frame.y(heights[1]),
        });
      },
      mark: (frame, i) => {
        const clipped = svg(frame.marks, "g", { "clip-path": `url(#${id}-clip)` });
        for (const entry of entries) {
          const place = (values) => values[i].map((value, k) => `${frame.x(predictor.grid[k])} ${frame.y(value)}`);
          const around = [...place(entry.high), ...place(entry.low).reverse()];
          svg(clipped, "path", { d: `M${around.join("L")}Z`, fill: entry.colour, opacity: 0.18 });
          svg(clipped, "path", { d: `M${place(entry.mean).join("L")}`, fill: "none", stroke: entry.colour, "stroke-width": 2.5 });
        }
        entries.forEach((entry, j) =>
          predictor.grid.forEach((at, k) => shape(clipped, ARROW_SHAPES[j], frame.x(at), frame.y(entry.mean[i][k]), 4, { fill: entry.colour })),
        );
        points[i].y.forEach((y, k) => shape(clipped, "circle", frame.x(aside(i, k)), frame.y(y), 3.2, { class: "observed" }));
        svg(frame.marks, "text", { x: frame.width - 14, y: 12, "text-anchor": "end", class: "value" }, labels[i]);
      },
    });
  };

  // Panels of arrows and of lines, side by side.
  const drawPair = (parent, view, members, id, choose) => {
    const prior = { label: "slope returns its prior", shape: "square", colour: view.entries[0].colour, hollow: true };
    showLegend(parent, [
      ...view.entries.map((entry, i) => ({ ...entry, shape: ARROW_SHAPES[i] })),
      ...(view.returns_prior.some(Boolean) ? [prior] : []),
      OBSERVED,
    ]);
    const pair = html(parent, "div", { class: "pair-of-panels" });
    const both = [drawArrows(pair, view, members, choose), drawLines(pair, view, members, id)];
    return { render: () => both.forEach((each) => each.render()), mark: (i) => both.forEach((each) => each.mark(i)) };
  };

  const showTable = (table, entries, name, i) => {
    table.replaceChildren();
    const head = html(html(table, "thead"), "tr");
    ["Model", "Mean", "89 % interval"].forEach((text, j) => html(head, "th", { scope: "col", class: j ? "number" : "" }, text));
    const rows = html(table, "tbody");
    for (const entry of entries) {
      const row = html(rows, "tr");
      html(row, "th", { scope: "row" }, entry.label + (entry.failed.includes(i) ? `: failed for this ${name}` : ""));
      html(row, "td", { class: "number" }, number(entry.mean[i]));
      html(row, "td", { class: "number" }, span(entry.low[i], entry.high[i]));
    }
  };

  const intervalWords = ({ entries, axis }, { name, labels }, i) => {
    const seen = axis.observed ? `, observed ${number(axis.observed[i])}` : "";
    const parts = entries.map((entry) => `${entry.label} ${number(entry.mean[i])} (${span(entry.low[i], entry.high[i])})`);
    return `${sentence(name)} ${labels[i]}${seen}. Posterior mean and 89 % interval of ${axis.label}: ${parts.join("; ")}.`;
  };

  const arrowWords = ({ entries, arrows, names, returns_prior, predictor }, { name, labels }, i) => {
    const ends = ["start", "end"].map((end, j) => {
      const bad = entries[j].failed.includes(i) ? `, failed for this ${name}` : "";
      return `${entries[j].label}${bad}: ${names[0]} ${number(arrows[`${end}_x`][i])}, ${names[1]} ${number(arrows[`${end}_y`][i])}`;
    });
    const prior = returns_prior[i] ? ` Alone, its slope returns its prior: its ${predictor.label} does not vary.` : "";
    return `${labels[i]}, posterior means. ${ends.join(". ")}.${prior}`;
  };

  const longest = (arrows) => {
    const lengths = arrows.start_x.map((x, i) => Math.hypot(arrows.end_x[i] - x, arrows.end_y[i] - arrows.start_y[i]));
    return lengths.indexOf(Math.max(...lengths));
  };

  const explore = (section, { members, views, choice, start, curve }) => {
    const state = { view: start, member: views[start].arrows ? longest(views[start].arrows) : 0 };
    const titles = views.map((view) => view.name);
    const controls = html(section, "div", { class: "controls" });
    const picked = titles.length > 1 && picker(controls, choice, titles, (i) => chooseView(i));
    const spot = html(controls, "span");
    const drawn = curve && drawCurve(section, curve, titles, (i) => chooseView(i));
    const body = html(section, "div");
    const readout = html(section, "p", { class: "readout", "aria-live": "polite" });
    const columns = html(section, "div", { class: "columns" });
    const known = html(columns, "dl", { class: "known" });
    const table = html(columns, "table");
    let chart = null;
    let names = null;

    const chooseMember = (i) => {
      state.member = i;
      names.value = i;
      chart.mark(i);
      const view = views[state.view];
      const own = members[view.by];
      readout.textContent = view.words + (view.arrows ? arrowWords(view, own, i) : intervalWords(view, own, i));
      showFacts(known, own, i);
      if (!view.arrows) showTable(table, view.entries, own.name, i);
    };
    const chooseView = (i) => {
      const view = views[i];
      const own = members[view.by];
      if (view.by !== views[state.view].by) state.member = 0;
      state.view = i;
      if (picked) picked.value = i;
      if (drawn) drawn.mark(i);
      spot.replaceChildren();
      body.replaceChildren();
      names = picker(spot, own.name, own.labels, chooseMember);
      chart = view.arrows
        ? drawPair(body, view, own, section.id, chooseMember)
        : drawIntervals(body, view, own, curve ? views : [view], chooseMember);
      chart.render();
      chooseMember(state.member);
    };
    chooseView(start);
  };

  for (const section of document.querySelectorAll(".explorer")) {
    section.hidden = false;
    explore(section, JSON.parse(section.querySelector("script").textContent));
  }
})();
