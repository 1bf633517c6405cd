"use strict";
// The character n-grams of words beside the n-grams of words, as in runner/deploy/bundle/characters.py.

// Accents, vowel signs and joiners are parts of words, as in data/inputs/marked_words.py.
SPLITS["\\w+(?:[\\p{M}\\u200c\\u200d]+\\w*)*|[^\\w\\s][\\p{M}\\u200c\\u200d]*"] =
  /[\p{L}\p{N}_]+(?:[\p{M}\u200c\u200d]+[\p{L}\p{N}_]*)*|[^\p{L}\p{N}_\p{Z}\t-\r\x1c-\x1f\x85][\p{M}\u200c\u200d]*/gu;

class CharacterNgrams extends Ngrams {
  constructor(facts, arrays) {
    super(facts, arrays, [...FIELDS, "characters"]);
    this.grams = new Map();
    this.start = Math.imul(this.hash("c"), K1) >>> 0;
  }

  // The runs of characters of `<word>`: the hash of each, and its first place in the word, in UTF-16 units.
  runs(word) {
    let found = this.grams.get(word);
    if (found) return found;
    if (this.grams.size >= MOST_WORDS) this.grams.clear();
    const letters = ["<", ...word, ">"], [low, high] = this.facts.characters;
    found = new Map();
    for (let size = low; size <= high && letters.length > 3; size++) {
      for (let first = 0; first + size <= letters.length; first++) {
        const text = letters.slice(first, first + size).join("");
        const hash = (this.start + crc32(this.utf8.encode(text)) + 1) >>> 0;
        if (!found.has(text)) found.set(text, { hash, at: letters.slice(0, first).join("").length - 1 });
      }
    }
    this.grams.set(word, found);
    return found;
  }

  hits(words) {
    const found = new Map(super.hits(words).map(hit => [hit.place, hit]));
    words.forEach((word, number) => {
      for (const [text, { hash, at }] of this.runs(word)) {
        const place = this.place((Math.imul(hash, K2) >>> 0) >>> (32 - this.facts.bits));
        if (place < 0) continue;
        if (!found.has(place)) found.set(place, { place, text, marks: [] });
        const mark = [number, Math.max(at, 0), Math.min(at + text.length, word.length)];
        found.get(place).marks?.push(mark);
      }
    });
    return [...found.values()];
  }
}

KINDS.ngram = CharacterNgrams;
