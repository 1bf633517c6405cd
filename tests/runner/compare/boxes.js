"use strict";
// Runs in a page whose frames hold reports; writes what is clipped or overlaps, one line each, into the body.
const near = (a, b, gap) => a.left < b.right - gap && b.left < a.right - gap && a.top < b.bottom - gap && b.top < a.bottom - gap;
const isShown = (node) => !node.closest("details:not([open])") && node.getClientRects().length > 0 && node.getBoundingClientRect().width > 0;
const words = (node) => `'${node.textContent.trim().slice(0, 40)}'`;

function texts(svg) {
  return [...svg.querySelectorAll("text")].filter(isShown).map((node) => ({ node, box: node.getBoundingClientRect() }));
}

function problemsOf(frame) {
  const view = frame.contentWindow, page = frame.contentDocument, found = [];
  const wide = page.documentElement.scrollWidth;
  if (wide > view.innerWidth) found.push(`the page is ${wide} wide`);
  for (const svg of [...page.querySelectorAll("svg")].filter(isShown)) {
    const card = svg.closest("section").getBoundingClientRect(), all = texts(svg);
    all.forEach(({ node, box }, i) => {
      if (box.left < card.left || box.right > card.right || box.top < card.top || box.bottom > card.bottom)
        found.push(`${words(node)} leaves its card`);
      for (const other of all.slice(0, i)) if (near(box, other.box, 0.5)) found.push(`${words(node)} overlaps ${words(other.node)}`);
    });
  }
  for (const cell of page.querySelectorAll("td, th, .name, .value, .key, li"))
    if (isShown(cell) && cell.scrollWidth > cell.clientWidth + 1 && cell.clientWidth) found.push(`${words(cell)} is clipped`);
  for (const box of [...page.querySelectorAll(".scroll")].filter(isShown))
    if (box.scrollHeight > box.clientHeight + 1) found.push("a table is cut off below");
    else if (view.innerWidth >= 1400 && box.scrollWidth > box.clientWidth + 1) found.push(`a table is wider than its card: ${words(box)}`);
  for (const bars of [...page.querySelectorAll(".bars, .strips")].filter((node) => node.getClientRects().length)) {
    const widths = new Set([...bars.querySelectorAll("svg")].map((svg) => Math.round(svg.getBoundingClientRect().width)));
    if (widths.size > 1) found.push(`bars of ${[...widths].join(", ")} pixels share one scale`);
  }
  const table = page.getElementById("groups"), box = table && table.closest(".scroll");
  if (box && box.scrollWidth > box.clientWidth + 1) {
    box.scrollLeft = 80;
    const first = table.tBodies[0].rows[0].cells[0].getBoundingClientRect();
    if (Math.abs(first.left - box.getBoundingClientRect().left) > 1) found.push("the first column moves away");
  }
  return found;
}

addEventListener("load", () => {
  const lines = [];
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, buttons = [...page.querySelectorAll(".choices button")];
    const seen = new Set(problemsOf(frame));
    for (const button of buttons) {
      button.click();
      problemsOf(frame).forEach((problem) => seen.add(problem));
    }
    lines.push(...[...seen].map((problem) => `${frame.title}: ${problem}`));
    const labels = page.querySelectorAll("#pareto text.label").length;
    lines.push(`looked at ${frame.title}: ${buttons.length} figures, ${labels} labels`);
  }
  document.body.textContent = lines.join("\n");
});
