"use strict";
// Tags the words of a text, as in runner/deploy/bundle/words.py. Places count UTF-16 units here.

const INSIDE = /[\p{M}\u200c\u200d]/gu, PART = "\ufffe";  // accents, vowel signs, joiners: parts of words and symbols
const IN_WORD = `[\\p{L}\\p{N}_${PART}]`, SYMBOL = `[^\\p{L}\\p{N}_\\p{Z}\\t-\\r\\x1c-\\x1f\\x85]${PART}*`;
const WORD = RegExp(`[@#]?${IN_WORD}+(?:[.,'’@&+/-]${IN_WORD}+)*|${SYMBOL}`, "gu");
const WRITTEN = /[^\p{Z}\t-\r\x1c-\x1f\x85]+/gu;
const OVERLAP = 4;  // windows that follow one another share a quarter of one

// The words and signs of a text, with their places in it.
function splitWords(text) {
  const joined = text.replace(INSIDE, sign => PART.repeat(sign.length));
  return Array.from(joined.matchAll(WORD), ({ 0: { length }, index: from }) => (
    { word: text.slice(from, from + length), from, to: from + length }
  ));
}

// The words of a text in small letters and without marks around them, with their places in it.
function splitBare(text, facts) {
  const found = [];
  for (const { 0: written, index } of text.matchAll(WRITTEN)) {
    let from = 0, to = written.length;
    while (from < to && facts.around.includes(written[from])) from++;
    while (to > from && facts.around.includes(written[to - 1])) to--;
    if (from < to) found.push({ word: lowerCase(written.slice(from, to), facts), from: index + from, to: index + to });
  }
  return found;
}

function lowerCase(text, { turkish: isTurkish }) {
  return (isTurkish ? turkish(text) : text).toLowerCase().normalize("NFC");
}

function upperCase(text, { turkish: isTurkish }) {
  return (isTurkish ? text.replaceAll("i", "İ").replaceAll("ı", "I") : text).toUpperCase();
}

// The windows of a text as data/inputs/word_windows.py cuts them: tokens start ... stop - 1, and the words that each
// answers. starts: the place of each word's first token, -1 of a word without tokens.
function cutWindows(starts, tokens, room) {
  const known = starts.filter(start => start >= 0), windows = [];
  for (const [start, stop] of tokens > room ? partsOf(known, tokens, room) : [[0, tokens]]) {
    windows.push({ start, stop, words: [] });
  }
  starts.forEach((place, word) => {
    let best = null, most = -1;
    for (const window of windows) {
      if (place < window.start || place >= window.stop) continue;
      const left = window.start ? place - window.start : tokens;
      const right = window.stop < tokens ? window.stop - 1 - place : tokens, edge = Math.min(left, right);
      if (edge > most) [best, most] = [window, edge];
    }
    best?.words.push(word);
  });
  return windows;
}

// Where windows begin and end: with a word, unless one word is longer than a window.
function partsOf(starts, tokens, room) {
  const wordBefore = (place, above) => starts.findLast(start => start > above && start <= place);
  const parts = [];
  for (let start = 0;;) {
    const stop = wordBefore(start + room, start) ?? start + room;
    parts.push([start, stop]);
    let wanted = Math.max(stop - Math.floor(room / OVERLAP), start + 1);
    if (tokens - wanted <= room) wanted = Math.max(tokens - room, start + 1);  // the last window is as long as it may be
    const after = starts.find(place => place >= wanted);
    start = after <= stop ? after : wordBefore(stop, start) ?? after ?? tokens;
    if (tokens - start > room) continue;
    return start < tokens ? [...parts, [start, tokens]] : parts;
  }
}

class WordsModel extends Model {
  async answer(text) {
    this.check([text]);
    const { facts: { words: facts }, reader } = this;
    const words = facts.bare ? splitBare(text, facts) : splitWords(text);
    const pieces = reader.rows.ofWords(words.map(({ word }) => word), facts.spaced), tokens = pieces.flat();
    let count = 0;
    const starts = pieces.map(({ length }) => length ? (count += length) - length : -1);
    // A word without tokens has the first tag, O.
    const tags = facts.tags.map(() => 0), shares = facts.tags.map(() => 1);
    const tagged = words.map(({ from, to }) => ({ from, to, text: text.slice(from, to), tags, shares }));
    const room = facts.tokens - facts.before.length - facts.after.length;
    const isCut = tokens.length > room && !facts.windows;
    const windows = isCut ? cutWindows(starts.map(start => start < room ? start : -1), room, room)
      : cutWindows(starts, tokens.length, room);
    for (const { start, stop, words: inside } of windows) {
      if (!inside.length) continue;
      const ids = [...facts.before, ...tokens.slice(start, stop), ...facts.after];
      const logits = await reader.run(ids, ids.length), outputs = logits.length / ids.length;
      for (const word of inside) {
        const from = (starts[word] - start + facts.before.length) * outputs;
        Object.assign(tagged[word], likeliest(Array.from(logits.slice(from, from + outputs)), facts.tags));
      }
    }
    const columns = facts.tags.map((names, column) => tagged.map(one => names[one.tags[column]]));
    return { ...FORMS[facts.form](text, tagged, columns, facts), columns, parts: [] };
  }
}

// The tag of each label of a word, and its probability. names: of the tags of each label, one output after the other.
function likeliest(logits, names) {
  const tags = [], shares = [];
  let at = 0;
  for (const { length } of names) {
    const part = softmax(logits.slice(at, at += length)), share = Math.max(...part);
    tags.push(part.indexOf(share));
    shares.push(share);
  }
  return { tags, shares };
}

const ABOUT_TAGS = "the numbers are the model's scores, which are no calibrated probabilities";
const counted = (count, one, more) => `${count || "no"} ${count === 1 ? one : more}`;

// What the page shows of tagged words, by what the tags mean.
const FORMS = {
  // Entities: an I-X that does not continue an X begins one. The score is the mean over an entity's words.
  entities(text, words, [names]) {
    const spans = [];
    let open = null;
    words.forEach(({ from, to, shares: [share] }, place) => {
      const name = names[place], type = name === "O" ? null : name.slice(2);
      if (type === null) {
        open = null;
      } else if (name.startsWith("I") && open?.kind === type) {
        open.to = to;
        open.shares.push(share);
      } else {
        spans.push(open = { from, to, kind: type, type: type || name, shares: [share] });
      }
    });
    let prediction = "", at = 0;
    const found = spans.map(({ from, to, type, shares }) => {
      prediction += `${text.slice(at, from)}[${text.slice(from, to)}](${type})`;
      at = to;
      const score = shares.reduce((sum, share) => sum + share, 0) / shares.length;
      return { from, to, type, score, text: text.slice(from, to) };
    });
    const label = counted(found.length, "entity", "entities");
    return { prediction: prediction + text.slice(at), spans: found, label, about: found.length ? ABOUT_TAGS : "" };
  },

  tags(text, words, [names], { nothing }) {
    const found = words.map((one, place) => ({ ...one, type: names[place], score: one.shares[0] }));
    const prediction = found.map(one => nothing.includes(one.type) ? one.text : `${one.text}/${one.type}`).join(" ");
    const spans = found.filter(({ type }) => !nothing.includes(type));
    const label = counted(spans.length, "word with a tag", "words with tags");
    return { prediction, spans, label, about: spans.length ? ABOUT_TAGS : "" };
  },

  // A text with marks and capitals. marks, cases: which label of a word says so, null for none.
  restored(text, words, columns, facts) {
    let prediction = "", isGlued = true;
    words.forEach(({ text: written }, place) => {
      let word = lowerCase(written, facts);
      const [mark, letters] = [facts.marks, facts.cases].map(column => columns[column]?.[place]);
      if (facts.first.includes(letters)) word = withCapital(word, facts);
      else if (facts.upper.includes(letters)) word = upperCase(word, facts);
      prediction += (isGlued ? "" : " ") + word + (facts.written[mark] ?? "");
      isGlued = mark === "'" || mark === "-";
    });
    return { prediction, label: prediction || "no words", about: "" };
  },
};

// A word with its first letter as a capital; one without letters has its first character.
function withCapital(word, facts) {
  return word.replace(/\p{L}/u.test(word) ? /\p{L}/u : /^./su, letter => upperCase(letter, facts));
}
