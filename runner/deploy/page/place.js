"use strict";
// The text with the answer marked, where it is a part of one; `span` is null where it is none.
function showPlace(text, span) {
  element("place").hidden = !span;
  if (!span) return;
  const box = element("found"), mark = make("mark", text.slice(...span));
  box.replaceChildren(text.slice(0, span[0]), mark, text.slice(span[1]));
  box.scrollTop = mark.offsetTop - box.offsetTop - box.clientHeight / 2;
}
