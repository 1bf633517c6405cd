"use strict";
// The features of a pair of texts for a model over n-grams, as in runner/deploy/bundle/pairs.py.

const MOST_CROSSED = 40;  // words of each text that are paired with the other's
const COUNTS = {
  b: "words only in the second text", a: "words only in the first text, by twos", d: "difference of the lengths, by twos",
  sb: "tenths of the second text's words that are shared", sa: "tenths of the first text's words that are shared",
  sp: "tenths of the neighbouring words that are shared", su: "tenths of all words that are shared",
  o: "words in one text only, by twos", m: "words only in the text with fewer of them",
};

class NgramPairs extends Ngrams {
  constructor(facts, arrays) {
    super(facts, arrays, [...FIELDS, "pairs", "texts"]);
  }

  // The scores of the outputs, and what each feature that the model has adds to them; each counts once.
  read(texts) {
    return this.scored(this.features(texts.map(text => this.words(text.replace(/\p{Cs}/gu, "\uFFFD")))));
  }

  scored(features) {
    const hits = new Map();
    for (const feature of features) {
      const place = this.place((Math.imul(feature.hash, K2) >>> 0) >>> (32 - this.facts.bits));
      if (place >= 0 && !hits.has(place)) hits.set(place, feature);
    }
    const { temperature, mean } = this.facts, count = mean ? Math.max(hits.size, 1) : 1;
    const scores = this.scale.map((scale, output) => {
      let sum = 0;
      for (const place of hits.keys()) sum += this.weight(place, output);
      return (sum / count * scale + this.bias[output]) / temperature;
    });
    const parts = Array.from(hits, ([place, { text, about, spans }]) => ({
      text, about, spans, adds: this.scale.map((scale, output) => this.weight(place, output) / count * scale / temperature),
    }));
    return { scores, parts };
  }

  // Every feature of two texts: its hash, how it is shown, and its places as [from, to, number of the text].
  features(read) {
    const { grams } = this.facts, { symmetric, cross } = this.facts.pairs;
    const kept = this.kept(...read.map(({ words }) => words.length));
    const [one, two] = read.map(({ words, places }, field) => new Side(this, words.slice(0, kept[field]), places, field));
    const shared = one.distinct.filter(hash => two.has(hash)), left = one.distinct.filter(hash => !two.has(hash));
    const right = two.distinct.filter(hash => !one.has(hash)), found = [];
    const add = (start, hash, about, ...sides) => found.push({
      hash: (start + hash) >>> 0, about, text: sides[0].shown(hash), spans: sides.flatMap(side => side.spans(hash)),
    });
    for (const hash of shared) add(this.start("s"), hash, "in both", one, two);
    for (const hash of left) add(this.start(symmetric ? "d" : "-"), hash, "only in the first", one);
    for (const hash of right) add(this.start(symmetric ? "d" : "+"), hash, "only in the second", two);
    if (!symmetric) {
      for (const { hash, size, text, span } of two.grams(grams)) {
        found.push({ hash: (this.start("2", size) + hash) >>> 0, about: "in the second", text, spans: span });
      }
    }
    if (cross) found.push(...this.crossed(one, two, left.slice(0, MOST_CROSSED), right.slice(0, MOST_CROSSED)));
    const counts = (symmetric ? symmetricCounts : directedCounts)(one, two, shared.length, left.length, right.length);
    for (const [kind, value] of Object.entries(counts)) {
      const begun = Math.imul(Math.imul(this.hash("L"), K1) + this.hash(kind), K1);
      found.push({ hash: (begun + this.hash(String(value))) >>> 0, about: "count", text: `${COUNTS[kind]}: ${value}`, spans: [] });
    }
    return found;
  }

  // A word only in the first text with a word only in the second.
  *crossed(one, two, left, right) {
    for (const first of left) {
      for (const second of right) {
        const [a, b] = this.facts.pairs.symmetric && first > second ? [second, first] : [first, second];
        yield {
          hash: (this.start("x", 2) + Math.imul(a, K1) + b) >>> 0, about: "one in each",
          text: `${one.shown(first)} / ${two.shown(second)}`, spans: [...one.spans(first), ...two.spans(second)],
        };
      }
    }
  }

  // The part of a hash that the word for the kind of a feature adds, before so many more words.
  start(kind, size = 1) {
    let hash = this.hash(kind);
    for (let word = 0; word < size; word++) hash = Math.imul(hash, K1) >>> 0;
    return hash;
  }

  // How many words are read of each text: the longer is cut first, then both to half.
  kept(one, two) {
    const room = this.facts.max_length ?? Infinity;
    const short = Math.min(one, two), long = Math.max(one, two);
    let kept = [short, Math.min(long, Math.max(short, room - short))];
    if (short + kept[1] > room) kept = [Math.floor(room / 2), Math.floor(room / 2) + room % 2];
    return one > two ? kept.reverse() : kept;
  }
}

// The words of one of the two texts, by their hashes.
class Side {
  constructor(reader, words, places, field) {
    Object.assign(this, { words, places, field });
    this.hashes = words.map(word => reader.hash(word));
    this.found = new Map();
    this.hashes.forEach((hash, place) => this.found.set(hash, [...this.found.get(hash) ?? [], place]));
    this.distinct = Array.from(this.found.keys()).sort((a, b) => a - b);
    this.neighbours = new Set(this.hashes.slice(1).map((hash, place) => (Math.imul(this.hashes[place], K1) + hash) >>> 0));
  }

  has(hash) {
    return this.found.has(hash);
  }

  shown(hash) {
    return this.words[this.found.get(hash)[0]];
  }

  spans(hash) {
    return this.found.get(hash).flatMap(place => this.span(place, 1));
  }

  // Where so many words from `first` on stand in the text; nothing where lower case has moved them.
  span(first, size) {
    const last = first + size - 1;
    return this.places ? [[this.places[first], this.places[last] + this.words[last].length, this.field]] : [];
  }

  *grams(most) {
    for (let first = 0; first < this.words.length; first++) {
      for (let size = 1, hash = 0; size <= most && first + size <= this.words.length; size++) {
        hash = (Math.imul(hash, K1) + this.hashes[first + size - 1]) >>> 0;
        yield { hash, size, text: this.words.slice(first, first + size).join(" "), span: this.span(first, size) };
      }
    }
  }
}

function directedCounts(one, two, shared, left, right) {
  return {
    b: Math.min(right, 12), a: Math.min(left >> 1, 10), sb: tenths(shared, shared + right),
    sa: tenths(shared, shared + left), sp: tenths(sharedNeighbours(one, two), two.neighbours.size),
    d: Math.max(-6, Math.min(6, Math.floor((two.words.length - one.words.length) / 2))),
  };
}

function symmetricCounts(one, two, shared, left, right) {
  const both = sharedNeighbours(one, two);
  return {
    o: Math.min((left + right) >> 1, 12), m: Math.min(left, right, 6), su: tenths(shared, shared + left + right),
    sp: tenths(both, one.neighbours.size + two.neighbours.size - both),
    d: Math.min(6, Math.abs(two.words.length - one.words.length) >> 1),
  };
}

function sharedNeighbours(one, two) {
  return [...one.neighbours].filter(hash => two.neighbours.has(hash)).length;
}

// A share in whole tenths; 0 of nothing.
function tenths(part, whole) {
  return whole ? Math.floor(10 * part / whole) : 0;
}

KINDS.ngram = NgramPairs;
