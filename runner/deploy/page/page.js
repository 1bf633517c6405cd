"use strict";
// Shows the answer of the model in this page to the text in its box, at every key.

const MOST_PARTS = 12;  // n-grams in the table
const element = id => document.getElementById(id);

// Labels and texts enter the page as text alone, never as HTML.
function make(tag, ...content) {
  const made = document.createElement(tag);
  made.append(...content);
  return made;
}

function numberCell(value, digits) {
  return Object.assign(make("td", value.toFixed(digits)), { className: "number" });
}

function showShares(labels, shares) {
  const rows = labels.map((label, index) => [label, shares[index]]).sort((a, b) => b[1] - a[1]);
  element("shares").replaceChildren(...rows.map(([label, share]) => {
    const bar = Object.assign(make("meter"), { value: share });
    return make("tr", make("td", label), numberCell(share, 4), make("td", bar));
  }));
}

// The text with the characters of the n-grams that the model knows coloured: green for the answer, red against it.
function markText(text, parts) {
  const weights = new Float64Array(text.length);
  for (const { spans, adds } of parts) {
    if (!spans) return [];
    for (const [from, to] of spans) {
      for (let place = from; place < to; place++) weights[place] += adds / (to - from);
    }
  }
  const most = weights.reduce((found, weight) => Math.max(found, Math.abs(weight)), 1e-9), pieces = [];
  for (let start = 0, end = 0; start < text.length; start = end) {
    while (end < text.length && weights[end] === weights[start]) end++;
    const piece = make("span", text.slice(start, end)), weight = weights[start];
    if (weight) piece.className = weight > 0 ? "for" : "against";
    piece.style.setProperty("--strength", (0.75 * Math.abs(weight) / most).toFixed(3));
    pieces.push(piece);
  }
  return pieces;
}

function showReasons(text, parts) {
  element("reasons").hidden = !parts.length;
  element("marked").replaceChildren(...markText(text, parts));
  element("marked").hidden = !element("marked").childNodes.length;
  element("parts").replaceChildren(...parts.slice(0, MOST_PARTS).map(part => (
    make("tr", make("td", part.text), numberCell(part.adds, 3))
  )));
}

function show(model) {
  const text = element("text").value, found = model.answer(text);
  element("answer").textContent = found.label ?? found.value.toPrecision(6);
  if (found.shares) showShares(model.labels, found.shares);
  showReasons(text, found.parts);
}

// page.html#a%20text opens with that text; what is not encoded so is taken as it stands.
function textOfAddress() {
  const asked = location.hash.slice(1);
  try {
    return decodeURIComponent(asked);
  } catch {
    return asked;
  }
}

async function start() {
  const coded = element("model").textContent.trim();
  const model = await Model.open(Uint8Array.from(atob(coded), letter => letter.charCodeAt(0)));
  const asked = textOfAddress();
  if (asked) element("text").value = asked;
  element("text").disabled = false;
  element("text").focus();
  element("text").addEventListener("input", () => show(model));
  show(model);
}

start().catch(error => {
  element("answer").className = "answer error";
  element("answer").textContent = error.message;
});
