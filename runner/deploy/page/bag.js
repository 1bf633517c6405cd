"use strict";
// The models without attention, of the kinds `dsn` and `static`: a sum over the word pieces of a text and a linear
// layer, as in runner/deploy/bundle/bag.py.

const BAG_FIELDS = [
  "arrays", "bits", "centred", "data", "eps", "front", "group", "kind", "labels", "language", "max_length", "ngrams",
  "passages", "pieces", "planes", "power", "temperature", "texts", "width",
];  // of the header; `front` and `planes` are those of pages (runner/deploy/page/shrink.py)

// The pieces of the vocabulary in id order.
function piecesOf(facts, bytes) {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  if (!facts.front) return text.split("\n");
  const pieces = [];  // before each piece a character below a space: how many letters of the one before it to keep
  for (const [, shared, rest] of text.matchAll(/([\0-\x1f])([^\0-\x1f]*)/g)) {
    pieces.push((pieces.length ? pieces[pieces.length - 1].slice(0, shared.charCodeAt(0)) : "") + rest);
  }
  return pieces;
}

// A table in floats, or in codes with a step and a zero for each entry, row or group of neighbours in a row.
class Rows {
  constructor(facts, arrays) {
    this.codes = facts.planes?.words ? floatsOfPlanes(arrays.words) : arrays.words;
    const shape = facts.planes?.words ?? facts.arrays.words.shape;
    this.stored = shape[1];  // numbers, or bytes, of a row
    this.width = facts.width ?? shape[1];
    this.bits = facts.bits;
    if (arrays.step) this.step = this.ranges(facts, arrays, "step");
    if (arrays.zero) this.zero = this.ranges(facts, arrays, "zero");
  }

  // The value for each entry (id, column) of an array that may have one row for all, and one column for some.
  ranges(facts, arrays, name) {
    const values = arrays[name], [rows, columns] = facts.arrays[name].shape, groups = facts.arrays.step.shape[1];
    const span = columns === 1 ? this.width : columns === groups ? facts.group ?? 1 : 1;
    return (id, column) => values[(rows === 1 ? 0 : id * columns) + Math.floor(column / span)];
  }

  code(id, column) {
    if (this.bits === undefined) return this.codes[id * this.stored + column];
    let value = 0;  // code after code, least significant bit first
    for (let bit = 0; bit < this.bits; bit++) {
      const at = column * this.bits + bit;
      value |= ((this.codes[id * this.stored + (at >> 3)] >> (at & 7)) & 1) << bit;
    }
    return value;
  }

  // The row of an id, as a Float64Array.
  take(id) {
    const found = new Float64Array(this.width);
    for (let column = 0; column < this.width; column++) {
      const value = this.code(id, column);
      found[column] = this.step ? (value - (this.zero ? this.zero(id, column) : 0)) * this.step(id, column) : value;
    }
    return found;
  }
}

// Floats whose first bytes are stored together, then their second, third and fourth ones.
function floatsOfPlanes(bytes) {
  const count = bytes.length / 4, together = new Uint8Array(bytes.length);
  for (let plane = 0; plane < 4; plane++) {
    for (let place = 0; place < count; place++) together[4 * place + plane] = bytes[plane * count + place];
  }
  return new Float32Array(together.buffer);
}

class Bag {
  constructor(facts, arrays, fields = BAG_FIELDS) {
    checkFields(facts, fields);
    this.facts = facts;
    this.arrays = arrays;
    this.rows = new Rows(facts, arrays);
    this.width = facts.arrays.places.shape[1];
    this.outputs = arrays.bias.length;
    this.names = piecesOf(facts, arrays.pieces);
    const settings = { ...facts.pieces, language: facts.language };
    this.pieces = new WordPiece(new Map(this.names.map((piece, id) => [piece, id])), settings);
    if (facts.ngrams) this.ngrams = ngramsOf(facts, arrays);
    if (this.rows.width !== this.width || facts.arrays.places.shape[0] < facts.max_length) {
      throw new Error("the model is damaged: its tables do not fit together");
    }
  }

  // The vectors of the pieces of a text or two, with their places and segments; those from `start` on are of the second.
  vectors(ids, start) {
    const { places, segments } = this.arrays, last = segments.length - this.width;
    return ids.map((id, place) => {
      const vector = this.rows.take(id), segment = place < start ? 0 : last;
      for (let column = 0; column < this.width; column++) {
        vector[column] += places[place * this.width + column] + segments[segment + column];
      }
      return this.facts.eps === undefined ? vector : normalised(vector, this.facts.eps, this.facts.centred);
    });
  }

  // The scores of the outputs, and what each word of the texts adds to them.
  read(texts) {
    return joined(rowsOf(this.facts, this.pieces, texts).map(row => this.readRow(row)), this.facts.passages);
  }

  readRow({ ids, owners, words, start }) {
    const { power, temperature } = this.facts, { bias, shift, head } = this.arrays;
    const count = Math.max(1, ids.length), divisor = count ** power;
    const scores = Array.from(bias, (one, output) => (one + shift[output] * count / divisor) / temperature);
    const adds = words.map(() => new Array(this.outputs).fill(0));
    this.vectors(ids, start).forEach((vector, place) => {
      for (let output = 0; output < this.outputs; output++) {
        const part = (head ? product(head, output, vector) : vector[output]) / divisor / temperature;
        scores[output] += part;
        if (owners[place] >= 0) adds[owners[place]][output] += part;
      }
    });
    const found = { scores, parts: words.map((word, place) => partOf(word, adds[place])) };
    return this.ngrams ? sumOf(found, this.ngrams.read([], this.wordsOf(ids))) : found;
  }

  // The pieces that are words of n-grams, whose places in the text are not known.
  wordsOf(ids) {
    const special = new Set(this.facts.pieces.special);
    return { words: ids.map(id => this.names[id]).filter(name => !special.has(name)), places: null };
  }
}

// The n-grams of a file of word vectors, whose words are pieces.
function ngramsOf(facts, arrays) {
  const own = Object.entries(arrays).filter(([name]) => name.startsWith("ngram_"));
  const named = Object.fromEntries(own.map(([name, array]) => [name.slice("ngram_".length), array]));
  const settings = { ...facts.ngrams, token: PATTERN, lower: false, temperature: facts.temperature };
  return facts.ngrams.pairs ? new NgramPairs(settings, named) : new Ngrams(settings, named);
}

// The scores of two parts of a model added, where one of them may have no score for the first of two classes.
function sumOf(...found) {
  const outputs = Math.max(...found.map(({ scores }) => scores.length));
  const whole = adds => adds.length < outputs ? [0, ...adds] : adds;
  const [one, other] = found.map(({ scores }) => whole(scores));
  return {
    scores: one.map((score, output) => score + other[output]),
    parts: found.flatMap(({ parts }) => parts.map(part => ({ ...part, adds: whole(part.adds) }))),
  };
}

function partOf({ field, text, from, to }, adds) {
  return { field, text, spans: [[from, to]], adds };
}

// A row of a matrix times a vector.
function product(matrix, row, vector) {
  let sum = 0;
  for (let column = 0, at = row * vector.length; column < vector.length; column++) sum += matrix[at + column] * vector[column];
  return sum;
}

// Adds a vector to a sum, or takes it away where sign is -1.
function add(sum, vector, sign) {
  for (let column = 0; column < sum.length; column++) sum[column] += sign * vector[column];
  return sum;
}

// A vector with the variance 1, and the mean 0 unless it has that already.
function normalised(vector, eps, isCentred) {
  const mean = isCentred ? 0 : vector.reduce((sum, value) => sum + value, 0) / vector.length;
  const spread = vector.reduce((sum, value) => sum + (value - mean) ** 2, 0) / vector.length;
  return vector.map(value => (value - mean) / Math.sqrt(spread + eps));
}

KINDS.dsn = KINDS.static = Bag;
