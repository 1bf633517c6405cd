"use strict";
// Shows the answer of the model in this page to the text in its box, or to the two in its boxes, at every key.

const MOST_PARTS = 12;  // words or n-grams in the table
const MOST_MARKED = 20000;  // characters of a text that are coloured; a browser takes long for more
const element = id => document.getElementById(id);
const boxes = () => Array.from(document.querySelectorAll("textarea"));

// Labels and texts enter the page as text alone, never as HTML; `dir` is for those that are written from the right.
function make(tag, ...content) {
  const made = document.createElement(tag);
  made.append(...content);
  made.dir = "auto";
  return made;
}

function numberCell(value, digits) {
  return Object.assign(make("td", value.toFixed(digits)), { className: "number" });
}

function showShares(labels, shares) {
  const rows = labels.map((label, index) => [label, shares[index]]).sort((a, b) => b[1] - a[1]);
  element("shares").replaceChildren(...rows.map(([label, share]) => {
    const bar = Object.assign(make("meter"), { value: share, title: label });
    return make("tr", make("td", label), numberCell(share, 4), make("td", bar));
  }));
}

// The text number `field` with the characters of the words that the model knows coloured: green for the answer, red
// against it. A part is at places of one text, or of both, and then a span says of which.
function markText(text, field, parts) {
  const read = text.slice(0, MOST_MARKED), weights = new Float64Array(read.length);
  for (const part of parts) {
    if (!part.spans) return [];
    for (const [from, to, of = part.field] of part.spans) {
      for (let place = from; place < to && of === field; place++) weights[place] += part.adds / (to - from);
    }
  }
  const most = weights.reduce((found, weight) => Math.max(found, Math.abs(weight)), 1e-9), pieces = [];
  for (let start = 0, end = 0; start < read.length; start = end) {
    while (end < read.length && weights[end] === weights[start]) end++;
    const piece = document.createElement("span"), weight = weights[start];
    piece.append(read.slice(start, end));
    if (weight) piece.className = weight > 0 ? "for" : "against";
    piece.style.setProperty("--strength", (0.75 * Math.abs(weight) / most).toFixed(3));
    pieces.push(piece);
  }
  return text.length > MOST_MARKED ? [...pieces, "…"] : pieces;
}

// The same word at several places of a text is one row of the table.
function grouped(parts) {
  const found = new Map();
  for (const { text, field, about, adds } of parts) {
    const key = `${about ?? field} ${text}`, sum = found.get(key)?.adds ?? 0;
    found.set(key, { text, field, about, adds: sum + adds });
  }
  return [...found.values()].sort((one, other) => Math.abs(other.adds) - Math.abs(one.adds)).slice(0, MOST_PARTS);
}

function showReasons(texts, parts) {
  const fields = boxes().map(box => box.getAttribute("aria-label"));
  element("reasons").hidden = !parts.length;
  element("marked").replaceChildren(...texts.map((text, field) => {
    const marked = make("p", ...markText(text, field, parts));
    return Object.assign(marked, { className: "text", hidden: !marked.childNodes.length });
  }));
  element("parts").replaceChildren(...grouped(parts).map(({ text, field, about, adds }) => {
    const row = make("tr", make("td", text), numberCell(adds, 3));
    if (texts.length > 1) row.append(make("td", about ?? fields[field]));
    return row;
  }));
}

// Questions are answered one after the other; one that a later one has overtaken is left out.
let asked = 0, answered = Promise.resolve();

function show(model) {
  const question = ++asked;
  answered = answered.then(async () => {
    if (question !== asked) return;
    const texts = boxes().map(box => box.value), found = await model.answer(...texts);
    if (question !== asked) return;
    element("answer").className = "answer";
    element("answer").textContent = found.label === "" ? "no label" : found.label ?? found.value.toPrecision(6);
    if (found.shares) showShares(model.labels, found.shares);
    element("sure").textContent = found.about
      ?? (found.shares ? describeShare(Math.max(...found.shares), model.calibration) : "");
    showReasons(texts, found.parts);
    if (found.spans) showPlaces(texts.at(-1), found.spans);
  }).catch(showError);
  return answered;
}

// page.html#a%20text opens with that text, page.html#one&another with two; what is not encoded so is taken as it stands.
function textsOfAddress(count) {
  const given = location.hash.slice(1);
  return (count > 1 ? given.split("&") : [given]).slice(0, count).map(text => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  });
}

function showError(error) {
  element("answer").className = "answer error";
  element("answer").textContent = error.message;
}

async function start() {
  const model = await openModel();
  if (boxes().length !== model.texts) throw new Error(`this model reads ${model.texts} texts at a time`);
  textsOfAddress(model.texts).forEach((text, field) => {
    if (text) boxes()[field].value = text;
  });
  for (const box of boxes()) {
    box.disabled = false;
    box.addEventListener("input", () => show(model));
  }
  boxes()[0].focus();
  await show(model);
}
