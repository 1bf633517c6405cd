"use strict";
// Sorts tables, shows one of several figures, and the numbers behind a point. No library, no network; text stays text.
const byId = (id) => document.getElementById(id);

// ---- tables -------------------------------------------------------------------------------------------------------
function sortTable(table, index, ascending) {
  const body = table.tBodies[0], titles = [...table.tHead.rows[0].cells];
  const isNumber = titles[index].classList.contains("number");
  const key = (row) => row.cells[index].dataset.value;
  const order = (a, b) => {
    const x = key(a), y = key(b);
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined); // empty cells last, always
    return (ascending ? 1 : -1) * (isNumber ? x - y : x.localeCompare(y));
  };
  body.append(...[...body.rows].sort(order));
  titles.forEach((cell, i) => {
    if (i === index) cell.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    else cell.removeAttribute("aria-sort");
  });
}

for (const button of document.querySelectorAll("th button")) {
  const cell = button.parentElement;
  button.onclick = () => sortTable(cell.closest("table"), cell.cellIndex, cell.getAttribute("aria-sort") === "descending");
}

// ---- one of several figures ---------------------------------------------------------------------------------------
for (const group of document.querySelectorAll(".one-of")) {
  const bar = group.querySelector(".choices"), figures = [...group.querySelectorAll(":scope > figure")];
  const press = (index) => {
    [...bar.children].forEach((button, i) => button.setAttribute("aria-pressed", String(i === index)));
    figures.forEach((figure, i) => { figure.hidden = i !== index; });
  };
  [...bar.children].forEach((button, i) => { button.onclick = () => press(i); });
  bar.hidden = false;
  group.classList.add("ready");
  press(0);
}

// ---- the numbers behind a point -----------------------------------------------------------------------------------
function showTip(node, x, y) {
  const tip = byId("tip");
  tip.textContent = node.dataset.tip;
  tip.hidden = false;
  tip.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${y + 18 + tip.offsetHeight > innerHeight ? y - tip.offsetHeight - 10 : y + 18}px`;
}

const withTip = (event) => event.target instanceof Element && event.target.closest("[data-tip]");
addEventListener("pointermove", (event) => {
  const node = withTip(event);
  if (node) showTip(node, event.clientX, event.clientY);
  else byId("tip").hidden = true;
});
addEventListener("focusin", (event) => {
  const node = withTip(event);
  if (!node) return;
  const box = node.getBoundingClientRect();
  showTip(node, box.right, box.top);
});
addEventListener("focusout", () => { byId("tip").hidden = true; });

// #sort=2 sorts the first table by its third column, largest first; #sort=-2 smallest first.
const wanted = /#sort=(-?)(\d+)/.exec(location.hash), first = document.querySelector("table:has(th button)");
if (wanted && first && Number(wanted[2]) < first.tHead.rows[0].cells.length) sortTable(first, Number(wanted[2]), wanted[1] === "-");
document.documentElement.dataset.ready = "yes";
