"use strict";
// The kind `pair`: the means u and v of two texts as [u, v, |u - v|, u * v], and a linear layer, as in
// runner/deploy/bundle/pair.py. A file may also hold n-grams of the pieces of both texts; the scores of the two are added.

class Pair extends Bag {
  constructor(facts, arrays) {
    super(facts, arrays, [...BAG_FIELDS, "text_eps", "hidden"]);
    if (facts.hidden) this.arrays = arrays = { ...arrays, hidden: decodedHidden(facts, arrays) };
    const width = arrays.hidden ? arrays.hidden_bias.length : 4 * this.width;
    if (arrays.head?.length !== this.outputs * width) {
      throw new Error("the model is damaged: its last layer does not fit");
    }
  }

  // The scores of two texts, and how much lower each would be without a word. What the words add is not a sum here.
  readRow({ ids, owners, words, start }) {
    const vectors = this.vectors(ids, start).map(vector => this.scaled(vector, "piece"));
    const sums = [0, 1].map(() => new Float64Array(this.width)), counts = [start, ids.length - start];
    const ofWords = words.map(() => ({ sum: new Float64Array(this.width), count: 0 }));
    vectors.forEach((vector, place) => {
      add(sums[place < start ? 0 : 1], vector, 1);
      if (owners[place] < 0) return;
      add(ofWords[owners[place]].sum, vector, 1);
      ofWords[owners[place]].count++;
    });
    const scores = this.scores(sums, counts);
    const parts = words.map((word, place) => {
      const { sum, count } = ofWords[place], one = word.field;
      const without = [...sums], fewer = [...counts];
      without[one] = add(Float64Array.from(sums[one]), sum, -1);
      fewer[one] -= count;
      const left = count ? this.scores(without, fewer) : scores;
      return partOf(word, scores.map((score, output) => score - left[output]));
    });
    if (!this.ngrams) return { scores, parts };
    const sides = [ids.slice(0, start), ids.slice(start)].map(side => this.wordsOf(side));
    return sumOf({ scores, parts }, this.ngrams.scored(this.ngrams.features(sides)));
  }

  // The scores from the sums of the vectors of both texts and the numbers of their pieces.
  scores(sums, counts) {
    const { hidden, hidden_bias, head, bias } = this.arrays, { text_eps, temperature } = this.facts;
    const [one, other] = sums.map((sum, field) => {
      const mean = sum.map(value => value / Math.max(1, counts[field]));
      return text_eps === undefined ? mean : this.scaled(normalised(mean, text_eps, false), "text");
    });
    let parts = new Float64Array(4 * this.width);
    parts.set(one);
    parts.set(other, this.width);
    parts.set(one.map((value, column) => Math.abs(value - other[column])), 2 * this.width);
    parts.set(one.map((value, column) => value * other[column]), 3 * this.width);
    if (hidden) {
      parts = Float64Array.from(hidden_bias, (value, row) => Math.max(0, product(hidden, row, parts) + value));
    }
    return Array.from(bias, (value, output) => (product(head, output, parts) + value) / temperature);
  }

  // A normalised vector with the scale and the shift of its layer norm, where the file has one.
  scaled(vector, name) {
    const scale = this.arrays[`${name}_scale`], shift = this.arrays[`${name}_shift`];
    return scale ? vector.map((value, column) => value * scale[column] + shift[column]) : vector;
  }
}

// The weight of a hidden layer in codes, row after row.
function decodedHidden(facts, arrays) {
  const names = Object.entries({ words: "hidden_codes", step: "hidden_step", zero: "hidden_zero" });
  const pick = from => Object.fromEntries(names.map(([name, stored]) => [name, from[stored]]));
  const rows = new Rows({ ...facts.hidden, arrays: pick(facts.arrays) }, pick(arrays));
  const found = new Float64Array(facts.arrays.hidden_codes.shape[0] * rows.width);
  for (let row = 0; row * rows.width < found.length; row++) found.set(rows.take(row), row * rows.width);
  return found;
}

KINDS.pair = Pair;
