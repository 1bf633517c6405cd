"use strict";
// Reads model.bin, format 1, and answers texts in a browser or in node, with the labels and probabilities of
// runner/deploy/bundle/predict.py. models/packed/format.py describes the file.

const MAGIC = "BRTRSML", FORMAT = 1;
const TYPES = { u1: Uint8Array, i1: Int8Array, f2: null, f4: Float32Array, u4: Uint32Array };
const K1 = 0x85EBCA6B, K2 = 0x9E3779B1;  // of the fingerprint of an n-gram
const MOST_WORDS = 200000;  // remembered hashes of words

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xEDB88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(bytes) {
  let value = 0xFFFFFFFF;
  for (const byte of bytes) value = CRC_TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xFFFFFFFF) >>> 0;
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Half-precision numbers, which a typed array does not have in every browser.
function floatsOfHalves(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / 2 }, (_, place) => {
    const bits = view.getUint16(2 * place, true), sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
  });
}

function typed(bytes, dtype) {
  if (dtype === "f2") return floatsOfHalves(bytes);
  const own = bytes.slice();  // a typed array must begin at a multiple of its width
  return new TYPES[dtype](own.buffer);
}

// The header and the arrays of a model.bin; throws an Error that says what is wrong with the file.
async function readFile(bytes) {
  const ascii = String.fromCharCode(...bytes.subarray(0, 7)), view = new DataView(bytes.buffer, bytes.byteOffset);
  if (ascii !== MAGIC || bytes.length < 16) throw new Error("this is not a model.bin");
  if (bytes[7] !== FORMAT) throw new Error(`the model has format ${bytes[7]}, this page reads format ${FORMAT}`);
  const length = view.getUint32(8, true), header = bytes.subarray(16, 16 + length);
  if (crc32(header) !== view.getUint32(12, true)) throw new Error("the header of the model is damaged");
  const facts = JSON.parse(new TextDecoder().decode(header));
  const whole = 16 + length + facts.data;
  if (bytes.length !== whole) throw new Error(`the model has ${bytes.length} bytes, its header says ${whole}`);
  const arrays = {};
  for (const [name, array] of Object.entries(facts.arrays)) {
    const start = 16 + length + array.at, stored = bytes.subarray(start, start + array.bytes);
    if (crc32(stored) !== array.crc) throw new Error(`the model is damaged in ${name}`);
    arrays[name] = typed(array.coding === "zlib" ? await inflate(stored) : stored, array.dtype);
    const wanted = array.shape.reduce((product, size) => product * size, 1);
    if (arrays[name].length !== wanted) throw new Error(`the model is damaged: ${name} is not of its shape`);
  }
  return [facts, arrays];
}

// The ascending values of an Elias-Fano code: `high` has one set bit for each value, `low` the lower `width` bits.
function decodeEliasFano(high, low, count, width) {
  const values = new Uint32Array(count);
  let found = 0;
  for (let byte = 0; byte < high.length; byte++) {
    for (let bits = high[byte], bit = 0; bits; bits >>= 1, bit++) {
      if (!(bits & 1)) continue;
      if (found < count) values[found] = 8 * byte + bit - found;
      found++;
    }
  }
  if (found !== count) throw new Error(`the model is damaged: ${found} n-grams, its header says ${count}`);
  for (let place = 0, at = 0; place < count; place++, at += width) {
    let lower = 0;  // read byte by byte: up to 32 bits that begin anywhere
    for (let taken = 0; taken < width;) {
      const offset = (at + taken) & 7, part = Math.min(8 - offset, width - taken);
      lower += ((low[(at + taken) >> 3] >> offset) & ((1 << part) - 1)) * 2 ** taken;
      taken += part;
    }
    values[place] = values[place] * 2 ** width + lower;
    if (place && values[place] <= values[place - 1]) throw new Error("the model is damaged: n-grams out of order");
  }
  return values;
}

// Python's \w is letters, numbers and _ of every script; its \s has U+001C to U+001F and U+0085, and not U+FEFF.
const WORDS = /[\p{L}\p{N}_]+|[^\p{L}\p{N}_\p{Z}\t-\r\x1c-\x1f\x85]/gu;
const PATTERN = "\\w+|[^\\w\\s]", SPLITS = { [PATTERN]: WORDS };  // other files add theirs
const FIELDS = [
  "arrays", "bits", "count", "data", "grams", "kind", "labels", "language", "low", "lower", "max_length", "mean",
  "temperature", "token",
];  // of the header; another one, such as `pairs`, changes the answers in a way that is not written here
const SET_FIELDS = ["thresholds", "at_least_one"];  // of the header, where labels are decided one by one

// By the rules of Turkish I becomes ı, and İ becomes i.
const turkish = text => text.normalize("NFC").replaceAll("İ", "i").replaceAll("I", "ı");

function checkFields(facts, fields) {
  const known = [...fields, ...SET_FIELDS];
  const unknown = Object.keys(facts).filter(name => !known.includes(name));
  if (unknown.length) throw new Error(`this page cannot answer with a model that has ${unknown.join(", ")}`);
}

// A linear model on word n-grams: which n-grams of the text the model has, and the weight of each.
class Ngrams {
  constructor(facts, arrays, fields = FIELDS) {
    checkFields(facts, fields);
    this.split = SPLITS[facts.token];
    if (!this.split) throw new Error("this page cannot split texts into words as this model does");
    this.facts = facts;
    this.prints = decodeEliasFano(arrays.high, arrays.low, facts.count, facts.low);
    this.rows = arrays.rows;
    this.scale = Array.from(arrays.scale);
    this.bias = Array.from(arrays.bias);
    this.hashes = new Map();
    this.utf8 = new TextEncoder();
  }

  hash(word) {
    let found = this.hashes.get(word);
    if (found === undefined) {
      if (this.hashes.size >= MOST_WORDS) this.hashes.clear();
      found = (crc32(this.utf8.encode(word)) + 1) >>> 0;
      this.hashes.set(word, found);
    }
    return found;
  }

  place(print) {
    let low = 0, high = this.prints.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.prints[middle] < print) low = middle + 1; else high = middle;
    }
    return this.prints[low] === print ? low : -1;
  }

  // The first `most` words of a text, with their places in it. Lower case may be longer than the text, so words are found
  // twice.
  words(text, most = Infinity) {
    const { language, lower } = this.facts;
    const lowered = language ? turkish(text).toLowerCase().normalize("NFC") : lower ? text.toLowerCase() : text;
    const words = lowered.match(this.split) ?? [], places = Array.from(text.matchAll(this.split), one => one.index);
    return { words: words.slice(0, most), places: places.length === words.length ? places : null };
  }

  // The n-grams of a text that the model has, each once: its place in the rows, and the words at which it begins.
  hits(words) {
    const sums = words.map(() => 0), hashes = words.map(word => this.hash(word)), found = new Map();
    for (let size = 1; size <= this.facts.grams; size++) {
      for (let first = 0; first + size <= words.length; first++) {
        sums[first] = (Math.imul(sums[first], K1) + hashes[first + size - 1]) >>> 0;
        const place = this.place((Math.imul(sums[first], K2) >>> 0) >>> (32 - this.facts.bits));
        if (place < 0) continue;
        if (!found.has(place)) found.set(place, { place, size, begins: [] });
        found.get(place).begins.push(first);
      }
    }
    return [...found.values()];
  }

  weight(place, output) {
    return this.rows[output * this.facts.count + place];
  }

  // The scores of the outputs, and what each n-gram adds to them. Weights are summed as integers: no rounding. Of a
  // model of means the sum is divided by the number of n-grams.
  read([text], { words, places } = this.words(text.replace(/\p{Cs}/gu, "\uFFFD"), this.facts.max_length)) {
    const hits = this.hits(words);
    const parts_of = this.facts.mean ? Math.max(hits.length, 1) : 1;
    const scores = this.scale.map((scale, output) => {
      const sum = hits.reduce((total, hit) => total + this.weight(hit.place, output), 0);
      return (sum / parts_of * scale + this.bias[output]) / this.facts.temperature;
    });
    const spans = ({ begins, marks, size }) => marks?.map(([word, from, to]) => [places[word] + from, places[word] + to])
      ?? begins.map(first => [places[first], places[first + size - 1] + words[first + size - 1].length]);
    const parts = hits.map(({ place, ...hit }) => ({
      field: 0,
      text: hit.text ?? words.slice(hit.begins[0], hit.begins[0] + hit.size).join(" "),
      spans: places && spans(hit),
      adds: this.scale.map((scale, output) => this.weight(place, output) / parts_of * scale / this.facts.temperature),
    }));
    return { scores, parts };
  }
}

const KINDS = { ngram: Ngrams };  // other files add theirs

function softmax(scores) {
  const most = Math.max(...scores), powers = scores.map(score => Math.exp(score - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map(power => power / total);
}

// A model that answers texts, or pairs of texts; `Model.open` refuses a file that it cannot read.
class Model {
  static async open(bytes, calibration) {
    const [facts, arrays] = await readFile(bytes);
    if (!KINDS[facts.kind]) throw new Error(`this page cannot answer with a model of the kind ${facts.kind}`);
    return new Model(facts, new KINDS[facts.kind](facts, arrays), calibration);
  }

  constructor(facts, reader, calibration = {}) {
    this.facts = facts;
    this.calibration = calibration;
    this.labels = facts.labels;
    this.texts = facts.texts ?? 1;
    this.reader = reader;
  }

  // The answer to a text or two: a label with the probability of each class, or a number where the model has no classes.
  // `parts` are the words or n-grams that the model knows, the strongest first. `adds` is positive where one speaks for
  // the answer; `spans` are its places in the text number `field`, null where lower case has moved them.
  answer(...texts) {
    this.check(texts);
    return this.respond(this.reader.read(texts));
  }

  check(texts) {
    if (texts.length !== this.texts) throw new Error(`this model reads ${this.texts} at a time, here are ${texts.length}`);
  }

  respond({ scores, parts }) {
    if (!this.labels.length) return { value: scores[0], parts: ranked(parts, adds => adds[0]) };
    if (this.facts.thresholds) return this.respondWithSet(scores, parts);
    const logits = calibrated(scores.length === 1 ? [0, scores[0]] : scores, this.calibration), shares = softmax(logits);
    const best = logits.indexOf(Math.max(...logits));
    const speaks = adds => adds.length === 1 ? (best ? adds[0] : -adds[0])
      : adds[best] - adds.reduce((sum, one) => sum + one, 0) / adds.length;
    const found = { label: this.labels[best], shares, scores, parts: ranked(parts, speaks) };
    return this.calibration.reject ? keepPromise(this.calibration.reject, this.labels, found) : found;
  }

  respondWithSet(scores, parts) {
    const { names, shares, likeliest } = answerSet(this.facts, this.labels, scores);
    const found = { label: names.join(", "), labels: names, shares, scores, about: ABOUT_SETS };
    return { ...found, parts: ranked(parts, adds => adds[likeliest]) };
  }
}

function ranked(parts, speaks) {
  const found = parts.map(part => ({ ...part, adds: speaks(part.adds) }));
  return found.sort((one, other) => Math.abs(other.adds) - Math.abs(one.adds));
}

if (typeof module !== "undefined") module.exports = { Model };
