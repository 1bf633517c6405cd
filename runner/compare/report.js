"use strict";
// Draws the report from the JSON in #data. No library, no network; text is inserted as text, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const WIDTH = 1030, EDGE = { left: 64, right: 24, top: 14, bottom: 44 };
const few = data.groups.length <= 8;
const colour = (index) => (few ? `var(--c${index})` : "var(--accent)");

function make(name, attributes = {}, text = "") {
  const svg = ["svg", "g", "line", "circle", "path", "text", "rect", "title"].includes(name);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== "") node.textContent = text;
  return node;
}

// ---- tables -------------------------------------------------------------------------------------------------------
function fillTable(table, columns, rows, { sortable = false, classes = () => "" } = {}) {
  const head = table.createTHead().insertRow(), body = table.createTBody();
  columns.forEach((column, index) => {
    const cell = make("th", { scope: "col", class: column.numeric ? "number" : "" });
    if (sortable) {
      const button = make("button", { type: "button" }, column.title);
      button.onclick = () => sortTable(table, index, cell.getAttribute("aria-sort") === "descending");
      cell.append(button);
    } else cell.textContent = column.title;
    head.append(cell);
  });
  for (const row of rows) {
    const line = body.insertRow();
    if (row.baseline) line.className = "baseline";
    row.cells.forEach((cell, index) => {
      const made = line.insertCell();
      made.textContent = cell.text;
      made.className = `${columns[index].numeric ? "number" : ""} ${classes(columns[index].title, cell.text)}`.trim();
      if (cell.value !== null) made.dataset.value = cell.value;
    });
  }
}

function sortTable(table, index, ascending) {
  const body = table.tBodies[0], number = table.tHead.rows[0].cells[index].classList.contains("number");
  const key = (row) => row.cells[index].dataset.value;
  const order = (a, b) => {
    const x = key(a), y = key(b);
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined); // empty cells last, always
    return (ascending ? 1 : -1) * (number ? x - y : x.localeCompare(y));
  };
  body.append(...[...body.rows].sort(order));
  [...table.tHead.rows[0].cells].forEach((cell, i) => {
    if (i === index) cell.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    else cell.removeAttribute("aria-sort");
  });
}

function fillList(list, lines) {
  for (const line of lines) list.append(make("li", {}, line));
}

// ---- scales and axes ----------------------------------------------------------------------------------------------
function scale(values, from, to, log) {
  let low = Math.min(...values), high = Math.max(...values);
  if (log) [low, high] = [Math.log10(low), Math.log10(high)];
  const pad = (high - low) * 0.06 || Math.abs(high) * 0.05 || 0.5;
  [low, high] = [low - pad, high + pad];
  const at = (value) => from + (((log ? Math.log10(value) : value) - low) / (high - low)) * (to - from);
  return { at, ticks: log ? logTicks(low, high) : ticks(low, high) };
}

function ticks(low, high) {
  const raw = (high - low) / 5, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) found.push(i * step);
  return found;
}

function logTicks(low, high) {
  const found = [], factors = high - low > 2.5 ? [1] : high - low > 1 ? [1, 3] : [1, 2, 3, 5, 7];
  for (let power = Math.floor(low); power <= high; power++)
    for (const factor of factors) {
      const value = factor * 10 ** power;
      if (Math.log10(value) >= low && Math.log10(value) <= high) found.push(value);
    }
  return found;
}

function short(value) {
  for (const [unit, name] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]])
    if (Math.abs(value) >= unit) return `${Number((value / unit).toPrecision(3))} ${name}`;
  return String(Number(value.toPrecision(3)));
}

function frame(height, x, y, xLabel, yLabel) {
  const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img" });
  const bottom = height - EDGE.bottom, right = WIDTH - EDGE.right;
  for (const value of x.ticks) {
    svg.append(make("line", { class: "grid", x1: x.at(value), x2: x.at(value), y1: EDGE.top, y2: bottom }));
    svg.append(make("text", { x: x.at(value), y: bottom + 17, "text-anchor": "middle" }, short(value)));
  }
  for (const value of y ? y.ticks : []) {
    svg.append(make("line", { class: "grid", x1: EDGE.left, x2: right, y1: y.at(value), y2: y.at(value) }));
    svg.append(make("text", { x: EDGE.left - 8, y: y.at(value) + 4, "text-anchor": "end" }, short(value)));
  }
  svg.append(make("text", { x: (EDGE.left + right) / 2, y: height - 6, "text-anchor": "middle" }, xLabel));
  if (yLabel) svg.append(make("text", { transform: `translate(14 ${bottom / 2}) rotate(-90)`, "text-anchor": "middle" }, yLabel));
  return svg;
}

// ---- hover --------------------------------------------------------------------------------------------------------
function hover(node, text) {
  const tip = byId("tip");
  const show = (x, y) => {
    tip.textContent = text;
    tip.hidden = false;
    tip.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${y + 18 + tip.offsetHeight > innerHeight ? y - tip.offsetHeight - 10 : y + 18}px`;
  };
  node.setAttribute("tabindex", "0");
  node.setAttribute("aria-label", text.replaceAll("\n", ", "));
  node.addEventListener("pointermove", (event) => show(event.clientX, event.clientY));
  node.addEventListener("focus", () => { const box = node.getBoundingClientRect(); show(box.right, box.top); });
  for (const end of ["pointerleave", "blur"]) node.addEventListener(end, () => { tip.hidden = true; });
}

function choices(section, options, draw) {
  const bar = section.querySelector(".choices");
  const press = (index) => {
    [...bar.children].forEach((button, i) => button.setAttribute("aria-pressed", String(i === index)));
    draw(options[index], section.querySelector("figure"));
  };
  options.forEach((option, index) => {
    const button = make("button", { type: "button" }, option.label);
    button.onclick = () => press(index);
    bar.append(button);
  });
  if (options.length < 2) bar.hidden = true;
  press(0);
}

function keys(names) {
  const line = make("div");
  names.forEach(([index, name]) => {
    const key = make("span", { class: "key" }), dot = make("i");
    dot.style.background = colour(index);
    key.append(dot, make("span", {}, name));
    line.append(key);
  });
  return line;
}

// ---- figures ------------------------------------------------------------------------------------------------------
function drawPareto(option, figure) {
  const there = data.groups.map((group, index) => ({ ...group, index }))
    .filter((g) => g.table === option.table && g.score !== null && g.costs[option.axis.key] > 0);
  const costs = there.map((g) => g.costs[option.axis.key]);
  const x = scale(costs, EDGE.left, WIDTH - EDGE.right, Math.max(...costs) / Math.min(...costs) > 8);
  const scores = there.flatMap((g) => [g.score, ...(g.low !== null && there.length <= 40 ? [g.low, g.high] : [])]);
  const y = scale(scores, 380 - EDGE.bottom, EDGE.top, false);
  const svg = frame(380, x, y, option.axis.title, option.metric);
  const front = there.filter((g) => g.fronts.includes(option.axis.letter))
    .sort((a, b) => a.costs[option.axis.key] - b.costs[option.axis.key]);
  const place = (g) => [x.at(g.costs[option.axis.key]), y.at(g.score)];
  svg.append(make("path", { class: "front", d: front.map((g, i) => `${i ? "L" : "M"}${place(g).join(" ")}`).join("") }));
  const taken = [];
  for (const g of there) {
    const [cx, cy] = place(g), on = front.includes(g);
    if (g.low !== null && there.length <= 40)
      svg.append(make("line", { class: "bar", stroke: colour(g.index), x1: cx, x2: cx, y1: y.at(g.low), y2: y.at(g.high) }));
    const dot = make("circle", { class: on ? "point" : "point off", cx, cy, r: 6.5, fill: colour(g.index) });
    hover(dot, g.hover);
    svg.append(dot);
    if (there.length > 14) continue;
    const flip = cx > WIDTH * 0.72;
    let at = cy + 4;
    while (taken.some(([tx, ty]) => Math.abs(tx - cx) < 170 && Math.abs(ty - at) < 14)) at += 14;
    taken.push([cx, at]);
    svg.append(make("text", { class: "label", x: cx + (flip ? -12 : 12), y: at, "text-anchor": flip ? "end" : "start" }, g.name));
  }
  figure.replaceChildren(svg);
}

function drawSeeds(option, figure) {
  const there = data.groups.map((group, index) => ({ ...group, index }))
    .filter((g) => g.table === option.table && g.seeds.length).slice(0, 60);
  const longest = Math.min(360, 20 + 7 * Math.max(...there.map((g) => g.name.length)));
  const all = there.flatMap((g) => [...g.seeds.map((s) => s.value), ...(g.low !== null ? [g.low, g.high] : [])]);
  const height = 30 * there.length + EDGE.top + EDGE.bottom;
  const x = scale(all, longest, WIDTH - EDGE.right, false);
  const svg = frame(height, x, null, option.metric);
  there.forEach((g, row) => {
    const at = EDGE.top + 30 * row + 15;
    const name = g.name.length > 48 ? `${g.name.slice(0, 47)}…` : g.name;
    svg.append(make("text", { class: "label", x: longest - 14, y: at + 4, "text-anchor": "end" }, name));
    if (g.low !== null)
      svg.append(make("rect", { x: x.at(g.low), y: at - 8, width: Math.max(1, x.at(g.high) - x.at(g.low)), height: 16, rx: 4, fill: colour(g.index), opacity: 0.15 }));
    svg.append(make("line", { x1: x.at(g.score), x2: x.at(g.score), y1: at - 10, y2: at + 10, stroke: colour(g.index), "stroke-width": 2 }));
    for (const seed of g.seeds) {
      const dot = make("circle", { class: "point", cx: x.at(seed.value), cy: at, r: 5.5, fill: colour(g.index) });
      hover(dot, `${g.name}\nseed ${seed.seed}: ${seed.value.toFixed(4)}\nrun ${seed.run}`);
      svg.append(dot);
    }
  });
  figure.replaceChildren(svg);
}

function drawCurves(option, figure) {
  const there = data.curves.filter((run) => run.series[option.label]);
  const points = there.flatMap((run) => run.series[option.label]);
  const x = scale(points.map((p) => p[0]), EDGE.left, WIDTH - EDGE.right, false);
  const y = scale(points.map((p) => p[1]), 340 - EDGE.bottom, EDGE.top, false);
  const svg = frame(340, x, y, "step", option.label);
  for (const run of there) {
    const line = run.series[option.label];
    const path = make("path", { class: "curve", stroke: colour(run.group), d: line.map((p, i) => `${i ? "L" : "M"}${x.at(p[0]).toFixed(1)} ${y.at(p[1]).toFixed(1)}`).join("") });
    hover(path, `${data.groups[run.group].name}\nseed ${run.seed}, run ${run.run}\nends at ${short(line[line.length - 1][1])}`);
    svg.append(path);
  }
  const used = [...new Set(there.map((run) => run.group))];
  figure.replaceChildren(svg, ...(few ? [keys(used.map((index) => [index, data.groups[index].name]))] : []));
}

// ---- the page -----------------------------------------------------------------------------------------------------
function hideUnless(id, there) {
  if (!there) byId(id).hidden = true;
  return there;
}

function verdictClass(title, text) {
  if (title !== "verdict") return "";
  if (/^(better|reproduced)/.test(text)) return "good";
  return /^(worse|not reproduced)/.test(text) ? "bad" : "same";
}

function drawPage() {
  document.title = data.title;
  byId("title").textContent = data.title;
  byId("question").textContent = data.question || "";
  byId("facts").textContent = data.facts;
  fillTable(byId("groups"), data.table.columns, data.table.rows, { sortable: true });
  fillList(byId("legend"), data.legend);
  if (hideUnless("notes", data.notes.length)) fillList(document.querySelector("#notes ul"), data.notes);
  if (hideUnless("tests", data.tests)) {
    fillTable(document.querySelector("#tests table"), data.tests.columns, data.tests.rows, { sortable: true, classes: verdictClass });
    fillList(document.querySelector("#tests ul"), data.tests.legend);
  }
  if (hideUnless("claims", data.claims))
    fillTable(document.querySelector("#claims table"), data.claims.columns, data.claims.rows, { classes: verdictClass });
  const fronts = data.tables.flatMap((table) => data.axes
    .filter((axis) => data.groups.some((g) => g.table === table.key && g.costs[axis.key] > 0))
    .map((axis) => ({ table: table.key, metric: table.metric, axis, label: `${table.label ? `${table.label}: ` : ""}${axis.label}` })));
  if (hideUnless("pareto", fronts.length)) choices(byId("pareto"), fronts, drawPareto);
  const scored = data.tables.filter((table) => data.groups.some((g) => g.table === table.key && g.seeds.length));
  if (hideUnless("seeds", scored.length))
    choices(byId("seeds"), scored.map((t) => ({ table: t.key, metric: t.metric, label: t.label || t.metric })), drawSeeds);
  const series = [...new Set(data.curves.flatMap((run) => Object.keys(run.series)))];
  if (hideUnless("curves", series.length)) {
    choices(byId("curves"), series.map((label) => ({ label })), drawCurves);
    document.querySelector("#curves > p").textContent = data.curvesNote;
  }
  for (const id of ["differences", "environment", "runs"])
    if (hideUnless(id, data[id].rows.length)) fillTable(document.querySelector(`#${id} table`), data[id].columns, data[id].rows, { sortable: id === "runs" });
  // #sort=2 sorts by the third column, largest first; #sort=-2 smallest first.
  const wanted = /#sort=(-?)(\d+)/.exec(location.hash);
  if (wanted && Number(wanted[2]) < data.table.columns.length) sortTable(byId("groups"), Number(wanted[2]), wanted[1] === "-");
  document.documentElement.dataset.ready = "yes";
}

addEventListener("error", (event) => { document.documentElement.dataset.error = event.message; });
drawPage();
