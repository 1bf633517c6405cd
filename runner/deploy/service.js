const MOST_SHOWN = 8, MOST_PARTS = 10, MOST_ROWS = 500;  // labels, words and rows before a button shows all
const AT_ONCE = 64;  // lines in one request
const at = id => document.getElementById(id);
let health = { asks: [], answers: [] };
let asked = 0;  // questions so far; of those under way only the last one is shown

// Text from the model or the user enters the page as text alone, never as HTML.
function make(tag, name, ...parts) {
  const made = document.createElement(tag);
  made.className = name;
  made.append(...parts);
  made.dir = "auto";
  return made;
}

// Two digits say as much as is known; a share that they would round to 0 or 1 is neither.
function twoDigits(share) {
  if (share > 0 && share < 0.01) return "< 0.01";
  if (share < 1 && share > 0.99) return "> 0.99";
  return share.toFixed(2);
}

const signed = value => (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(2);
const words = name => name.replaceAll("_", " ");
const shareName = () => health.calibrated ? "probability" : "score";
const asLine = value => make("p", value === "unsure" ? "answer unsure" : "answer", String(value));

function bar(share) {
  const full = document.createElement("div"), track = make("div", "track", full);
  full.style.width = `${100 * Math.min(Math.max(share, 0), 1)}%`;
  return track;
}

// All rows, of which the first are shown and a button shows the rest.
function withMore(shown, rows, most) {
  const add = some => some.forEach(row => shown.append(...row));
  add(rows.slice(0, most));
  if (rows.length <= most) return [shown];
  const more = make("button", "plain", `All ${rows.length}`);
  more.addEventListener("click", () => { add(rows.slice(most)); more.remove(); });
  return [shown, more];
}

function asBars(shares) {
  const rows = Object.entries(shares).sort((a, b) => b[1] - a[1]).map(([name, share]) => {
    const number = make("div", "number", twoDigits(share));
    number.title = String(share);
    return [make("div", "", name), bar(share), number];
  });
  const { calibration, ...facts } = health, method = health.calibrated ? "known" : "none";
  const highest = Math.max(...Object.values(shares));
  const sure = health.calibrated ? `${describeShare(highest, { ...facts, method })}; ${calibration}` : calibration;
  return make("div", "", ...withMore(make("div", "shares"), rows, MOST_SHOWN), make("p", "quiet", sure));
}

function asMarks(spans, text) {
  const letters = Array.from(text);  // spans count characters, a JavaScript string counts UTF-16 units
  const between = (start, end) => letters.slice(start, end).join("");
  const shown = make("p", "text");
  let end = 0;
  for (const span of spans) {
    const mark = make("mark", "", between(span.start, span.end), make("small", "", span.type));
    mark.title = `${span.type} ${twoDigits(span.score)}`;
    shown.append(between(end, span.start), mark);
    end = span.end;
  }
  shown.append(between(end));
  return shown;
}

const nothing = () => health.answers.some(field => field.type === "labels") ? "no label" : "no answer";
const OF_LABELS = new Set(["label", "labels", "shares", "tags"]);  // types of answers that have labels
const show = {
  label: (value, _, name) => name === "prediction" ? asLine(value) : make("p", "quiet", `${words(name)}: ${value}`),
  number: (value, _, name) => {
    const shown = Number(value.toPrecision(6));
    return name === "prediction" ? asLine(shown) : make("p", "quiet", `${words(name)}: ${shown}`);
  },
  shares: asBars, spans: asMarks,
  text: (value, _, name) => {
    if (name !== "prediction") return make("p", "quiet", `${words(name)}: ${value}`);
    const isMarked = health.answers.some(field => field.type === "spans") && health.asks.length < 2;
    return isMarked ? "" : asLine(value || nothing());  // the marks show the text itself
  },
  tags: () => "", labels: () => "",  // in the JSON below
};

// A text with its words coloured by how much they spoke for the answer, green, or against it, red.
function coloured(text, field, parts) {
  const letters = Array.from(text), weights = new Float64Array(letters.length);
  for (const part of parts) {
    if (part.field !== field) continue;
    const length = part.spans.reduce((sum, [from, to]) => sum + to - from, 0);
    for (const [from, to] of part.spans) {
      for (let place = from; place < to; place++) weights[place] += part.adds / length;
    }
  }
  const most = weights.reduce((found, weight) => Math.max(found, Math.abs(weight)), 1e-9), shown = make("p", "text");
  for (let start = 0, end = 0; start < letters.length; start = end) {
    while (end < letters.length && weights[end] === weights[start]) end++;
    const piece = document.createElement("span"), weight = weights[start];
    piece.append(letters.slice(start, end).join(""));
    if (weight) piece.className = weight > 0 ? "for" : "against";
    piece.style.setProperty("--strength", (0.6 * Math.abs(weight) / most).toFixed(3));
    shown.append(piece);
  }
  return shown;
}

function asReasons({ reasons, prediction, probabilities }, texts) {
  if (!reasons || !reasons.parts.length) return [];
  const rows = reasons.parts.filter(part => Math.abs(part.adds) >= 0.005).map(part => {
    const cells = [make("td", "", part.text), make("td", "number", signed(part.adds))];
    if (texts.length > 1) cells.push(make("td", "", health.asks[part.field].meaning));
    return [make("tr", "", ...cells)];
  });
  const name = mostProbable(probabilities) ?? prediction.toPrecision(6);
  return [
    make("h2", "", `Words that spoke for ${name}`),
    ...texts.map((text, field) => coloured(text, field, reasons.parts)),
    ...withMore(make("table", ""), rows, MOST_PARTS), make("p", "quiet", `${reasons.method}: ${reasons.unit}`),
  ];
}

const mostProbable = shares => shares && Object.entries(shares).reduce((most, one) => one[1] > most[1] ? one : most)[0];

async function ask(body) {
  if (at("truncate").checked) body.truncate = true;
  const answer = await fetch("predict", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const found = await answer.json();
  if (!answer.ok) throw new Error(`${found.error} (request ${answer.headers.get("X-Request-ID")})`);
  return found;
}

async function askOne(texts) {
  const body = { texts: [texts[0]] };
  if (texts.length > 1) body.pairs = [texts[1]];
  if (health.explains && at("explain").checked) body.explain = true;
  return shownAnswer(await ask(body), texts);
}

function shownAnswer(found, texts) {
  const [first] = found.answers, json = make("pre", "", JSON.stringify(found, null, 2));
  json.tabIndex = 0;
  return [
    // Spans are places in the last text: of a question and its context in the context.
    ...health.answers.map(field => show[field.type](first[field.name], texts[texts.length - 1], field.name)),
    ...asReasons(first, texts), make("details", "", make("summary", "", "JSON"), json),
  ];
}

// One line a text, without blank ones; of a model that reads two, these stand in a line with a tab between them.
async function askLines(lines, isPair) {
  const given = lines.map((line, place) => ({ row: isPair ? line.split("\t") : [line], number: place + 1 }));
  const filled = given.filter(({ row }) => row.join("").trim()), rows = filled.map(({ row }) => row), answers = [];
  const question = asked;
  const odd = filled.find(({ row }) => row.length !== (isPair ? 2 : 1));
  if (odd) throw new Error(`line ${odd.number} has ${odd.row.length} texts, not two with a tab between them`);
  for (let start = 0; start < rows.length && question === asked; start += AT_ONCE) {
    const some = rows.slice(start, start + AT_ONCE), body = { texts: some.map(row => row[0]) };
    if (isPair) body.pairs = some.map(row => row[1]);
    answers.push(...(await ask(body)).answers);
    if (question === asked) at("ask").textContent = `${Math.min(start + AT_ONCE, rows.length)} of ${rows.length}`;
  }
  return question === asked ? asTable(rows, answers) : [];
}

const highest = answer => answer.probabilities ? Math.max(...Object.values(answer.probabilities)) : null;

function asTable(rows, answers) {
  const hasShares = highest(answers[0]) !== null, head = make("tr", "", make("th", "", "#"), make("th", "", readsSounds() ? "sound" : "text"));
  head.append(make("th", "", "answer"));
  if (hasShares) head.append(make("th", "share"), make("th", "number", shareName()));
  const lines = rows.map((row, place) => {
    const said = answers[place].prediction, shown = typeof said === "number" ? said.toPrecision(6) : said;
    const made = make("tr", "", make("td", "number quiet", String(place + 1)), make("td", "said", row.join(" | ")));
    made.append(make("td", "", shown));
    const share = highest(answers[place]);
    if (hasShares) made.append(make("td", "share", bar(share)), make("td", "number", twoDigits(share)));
    return [made];
  });
  const save = make("button", "plain", "Save as CSV");
  save.addEventListener("click", () => saveTable(rows, answers));
  const [table, ...more] = withMore(make("table", "", head), lines, MOST_ROWS);
  return [make("p", "answer", summary(answers)), make("div", "wide", table), ...more, make("p", "", save)];
}

function summary(answers) {
  if (typeof answers[0].prediction !== "string" || health.answers[0].type !== "label") return `${answers.length} texts`;
  const counts = new Map();
  for (const { prediction } of answers) counts.set(prediction, (counts.get(prediction) ?? 0) + 1);
  return Array.from(counts).sort((a, b) => b[1] - a[1]).map(([name, count]) => `${count} ${name}`).join(", ");
}

// A spreadsheet would run a cell that begins like a formula, so that gets an apostrophe.
function cell(value) {
  const text = String(value), isNumber = text.trim() === text && text !== "" && !Number.isNaN(Number(text));
  const safe = /^[=+\-@\t\r]/.test(text) && !isNumber ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function saveTable(rows, answers) {
  const labels = Object.keys(answers[0].probabilities ?? {}), texts = health.asks.map(field => field.name);
  const head = [...texts, "prediction", ...labels.map(label => `p_${label}`)];
  const lines = rows.map((row, place) => [
    ...row, answers[place].prediction, ...labels.map(label => answers[place].probabilities[label]),
  ]);
  const table = [head, ...lines].map(line => line.map(cell).join(",")).join("\n") + "\n";
  const link = Object.assign(document.createElement("a"), {
    href: URL.createObjectURL(new Blob([table], { type: "text/csv" })), download: "answers.csv",
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function submit() {
  const isPair = health.asks.length > 1, button = at("ask"), question = ++asked;
  button.disabled = true;  // Ctrl + Enter asks all the same, such as about a text that was changed meanwhile
  try {
    const lines = at("text").value.split("\n"), isFilled = lines.some(line => line.trim());
    const texts = isPair ? [at("text").value, at("pair").value] : [at("text").value];
    const askTexts = () => at("lines").checked && isFilled ? askLines(lines, isPair) : askOne(texts);
    const found = await (readsSounds() ? askSounds() : askTexts());
    if (question === asked) at("answer").replaceChildren(...found);
  } catch (error) {
    if (question === asked) at("answer").replaceChildren(make("p", "error", error.message));
  } finally {
    if (question === asked) Object.assign(button, { disabled: false, textContent: "Predict" });
  }
}

function showChoice() {
  const isPair = health.asks.length > 1, isBatch = at("lines").checked;
  at("second").hidden = !isPair || isBatch;
  at("explain-choice").hidden = !health.explains || isBatch;
  at("text-name").textContent = isBatch && isPair ? "Two texts a line, a tab between them" : health.asks[0].meaning;
}

async function start() {
  health = await (await fetch("health")).json();
  document.title = at("name").textContent = health.name;
  const labels = health.labels.length > 12 ? `${health.labels.length} labels` : `labels: ${health.labels.join(", ")}`;
  const length = `up to ${health.max_length.toLocaleString("en")} ${readsSounds() ? "frames" : "tokens"}`;
  at("about").textContent = `Run ${health.model}, ${health.engine}, ${length}; `
    + (health.labels.length && health.answers.some(field => OF_LABELS.has(field.type)) ? labels : `answers ${health.answers[0].meaning}`)
    + health.promise.map(said => `. ${said[0].toUpperCase()}${said.slice(1)}`).join("");
  if (health.asks.length > 1) {
    at("pair-name").textContent = health.asks[1].meaning;
    at("lines-name").textContent = "Each line has two texts";
  }
  const [one, other] = health.asks[0].name === "text" ? ["a text", "another"] : health.asks.map(field => `a ${field.name}`);
  const body = health.asks.length < 2 ? { texts: [one] } : { texts: [one], pairs: [other] };
  at("example").textContent = readsSounds() ? exampleOfSounds() :
    `curl ${location.origin}/predict -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
  at("lines").checked = new URLSearchParams(location.search).has("lines");
  showChoice();
  if (readsSounds()) return showSounds();
  if (location.hash.length > 1) await submitAddress();
}

// http://127.0.0.1:8000/#a%20text opens with that text, #one&another with two; /?lines#one%0Aanother with lines.
function submitAddress() {
  const given = location.hash.slice(1).split("&").map(text => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  });
  at("text").value = given[0];
  at("pair").value = given[1] ?? "";
  return submit();
}

at("lines").addEventListener("change", showChoice);
at("form").addEventListener("submit", event => { event.preventDefault(); submit(); });
at("form").addEventListener("keydown", event => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); submit(); }
});
start().catch(error => at("answer").replaceChildren(make("p", "error", error.message)));
