"use strict";
// The kind `dendritic`: a sum over the word pieces of a text and a last layer with dendrites, as in
// runner/deploy/bundle/dendritic.py.

const ACTIVATIONS = { sigmoid: value => 1 / (1 + Math.exp(-value)), tanh: Math.tanh, relu: value => Math.max(0, value) };

class Dendritic extends Bag {
  constructor(facts, arrays) {
    super(facts, arrays, [...BAG_FIELDS, "dendrites"]);
    this.act = ACTIVATIONS[facts.dendrites.act];
    [this.dendrites, this.classes] = facts.arrays.to_soma.shape;
    if (!this.act || this.outputs !== (this.dendrites + 1) * this.classes) {
      throw new Error("the model is damaged: its dendrites do not fit");
    }
  }

  // The scores of a text or two, and how much lower each would be without a word. What the words add is not a sum here.
  readRow({ ids, owners, words, start }) {
    const sum = new Float64Array(this.outputs);
    const ofWords = words.map(() => ({ sum: new Float64Array(this.outputs), count: 0 }));
    this.vectors(ids, start).forEach((vector, place) => {
      const { head } = this.arrays;
      const one = head ? sum.map((_, output) => product(head, output, vector)) : vector;
      add(sum, one, 1);
      if (owners[place] < 0) return;
      add(ofWords[owners[place]].sum, one, 1);
      ofWords[owners[place]].count++;
    });
    const scores = this.scores(sum, ids.length);
    const parts = words.map((word, place) => {
      const own = ofWords[place];
      if (!own.count) return partOf(word, scores.map(() => 0));
      const left = this.scores(add(Float64Array.from(sum), own.sum, -1), ids.length - own.count);
      return partOf(word, scores.map((score, output) => score - left[output]));
    });
    return this.ngrams ? sumOf({ scores, parts }, this.ngrams.read([], this.wordsOf(ids))) : { scores, parts };
  }

  // The scores from the sum of the linear layer's outputs over the pieces, and the number of pieces.
  scores(sum, pieces) {
    const { power, temperature } = this.facts, { bias, shift, to_soma, lateral } = this.arrays, { classes } = this;
    const count = Math.max(1, pieces), divisor = count ** power;
    const read = sum.map((value, output) => (value + shift[output] * count) / divisor + bias[output]);
    const found = Array.from(read.subarray(0, classes)), fired = [];
    for (let dendrite = 0; dendrite < this.dendrites; dendrite++) {
      fired.push(found.map((_, output) => {
        const before = fired.map((one, earlier) => lateral[(dendrite * this.dendrites + earlier) * classes + output] * one[output]);
        return this.act(before.reduce((total, value) => total + value, read[(dendrite + 1) * classes + output]));
      }));
    }
    fired.forEach((one, dendrite) => one.forEach((value, output) => {
      found[output] += to_soma[dendrite * classes + output] * value;
    }));
    return found.map(value => value / temperature);
  }
}

KINDS.dendritic = Dendritic;
