"use strict";
// The text with what was found in it marked, and a table where each has a type: a name, or a word with its tag.
const MOST_PLACES = 2000;  // marks and rows; a browser takes long for more

function showPlaces(text, spans) {
  element("place").hidden = !spans.length;
  const box = element("found"), shown = [], rows = [], marks = spans.slice(0, MOST_PLACES);
  let at = 0;
  for (const { from, to, type, score } of marks) {
    const mark = make("mark", text.slice(from, to));
    if (type) {
      mark.append(make("small", type));
      rows.push(make("tr", make("td", text.slice(from, to)), make("td", type), numberCell(score, 4)));
    }
    shown.push(text.slice(at, from), mark);
    at = to;
  }
  box.replaceChildren(...shown, text.slice(at));
  element("spans").replaceChildren(...rows);
  const first = box.querySelector("mark");
  if (first) box.scrollTop = first.offsetTop - box.offsetTop - box.clientHeight / 2;
}
