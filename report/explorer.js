// What the explorers share: scales and axes, panels whose points are chosen with pointer, touch or arrow keys, and a sentence
// that is read aloud. Each kind of explorer has a file of its own, explore_<kind>.js, which calls explorer.start.
const explorer = (() => {
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

  const number = (value, digits = 3) => {
    if (value === null || value === undefined) return "—";
    if (typeof value !== "number") return String(value);
    const decimals = Number.isInteger(value) ? 0 : Math.min(8, Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value)))));
    return value.toFixed(decimals).replace("-", "−");
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
    const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    return Array.from({ length: count }, (_, i) => {
      const value = (first + i) * step;
      return { at: value, text: value.toFixed(decimals).replace("-", "−") };
    });
  };
  // Members at 0, 1, ...: as many of their names as there is room for.
  const named = (labels, width) => {
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

  const legend = (parent, entries) => {
    const list = html(parent, "ul", { class: "legend" });
    for (const entry of entries) {
      const item = html(list, "li");
      const key = svg(item, "svg", { width: 14, height: 14, viewBox: "-7 -7 14 14", "aria-hidden": "true" });
      shape(key, entry.shape, 0, 0, 4, { fill: entry.hollow ? "none" : entry.colour, stroke: entry.colour, "stroke-width": 1.5 });
      item.append(entry.label);
    }
  };

  const facts = (parent, members, index) => {
    parent.replaceChildren();
    for (const fact of members.facts) {
      const pair = html(parent, "div");
      html(pair, "dt", {}, fact.name);
      html(pair, "dd", {}, number(fact.values[index], 4));
    }
  };

  // Calls make(section, data) for every explorer of the kind, and shows it.
  const start = (kind, make) => {
    for (const section of document.querySelectorAll(`.explorer[data-kind="${kind}"]`)) {
      const data = JSON.parse(section.querySelector("script").textContent);
      section.hidden = false;
      make(section, data);
    }
  };

  const OBSERVED = { label: "observed", shape: "circle", colour: "currentColor", hollow: true };
  const shapes = ["circle", "square", "triangle", "diamond", "wedge"];
  return { html, svg, shape, shapes, number, sentence, span, extent, named, axes, panel, picker, legend, facts, start, OBSERVED };
})();
