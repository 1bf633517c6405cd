"use strict";
// BERT's WordPiece with the ids of runner/deploy/bundle/wordpiece.py, and the place of each word in its text.

const ASCII_WORDS = /[0-9A-Za-z]+|[!-/:-@[-`{-~]/g;
const PLAIN = /^[ -~]*$/;
const SPACED = /[^\t\n\r\p{Z}]+/gu;
const DROPPED = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\uFFFD]/u;
const ACCENTS = /\p{Mn}/gu;
const MARK = /[!-/:-@[-`{-~\p{P}]/u;
const IDEOGRAPH = new RegExp(
  "[\u4E00-\u9FFF\u3400-\u4DBF\\u{20000}-\\u{2A6DF}\\u{2A700}-\\u{2B73F}\\u{2B740}-\\u{2B81F}\\u{2B920}-\\u{2CEAF}"
  + "\uF900-\uFAFF\\u{2F800}-\\u{2FA1F}]", "u",
);  // BERT makes words of their own of these
const MOST_PIECES = 200000;  // remembered words

class WordPiece {
  // known: a Map with the id of each piece; settings: as models/packed/vocabulary.py describes a tokenizer.
  constructor(known, settings) {
    this.known = known;
    this.settings = settings;
    this.first = settings.first === null ? [] : [settings.first];
    this.last = settings.last === null ? [] : [settings.last];
    this.ending = this.last.length;  // special ids after each text of a pair
    this.special = settings.special.filter(token => token).sort((one, other) => other.length - one.length);
    const alternatives = this.special.map(token => token.replace(/[^\w]/g, "\\$&"));
    this.findSpecial = new RegExp(`(${alternatives.join("|")})`);
    this.found = new Map();
  }

  // At most `most` ids of one text or of two, with special ones, and where the second text begins. `owners` has the
  // place in `words` of the word to which each id belongs, -1 of a special one.
  row(texts, most) {
    const ends = this.first.length + texts.length * this.last.length, room = most - ends;
    let read = texts.map((text, field) => this.read(text, field, room));
    if (texts.length > 1) {
      if (room % 2 && read.every(({ ids }) => ids.length === room)) {  // the longer text gets one more
        read = texts.map((text, field) => this.read(text, field, Infinity));
      }
      const kept = cutLongest(read[0].ids.length, read[1].ids.length, room);
      read = read.map(({ ids, owners, words }, field) => {
        const left = owners.slice(0, kept[field]);
        return { ids: ids.slice(0, kept[field]), owners: left, words: words.slice(0, (left.at(-1) ?? -1) + 1) };
      });
    }
    const ids = [...this.first], owners = this.first.map(() => -1), words = [];
    let start = 0;
    read.forEach((one, field) => {
      if (field) start = ids.length;
      ids.push(...one.ids, ...this.last);
      owners.push(...one.owners.map(owner => owner + words.length), ...this.last.map(() => -1));
      words.push(...one.words);
    });
    return { ids, owners, words, start: texts.length > 1 ? start : ids.length };
  }

  // The first `most` ids of a text, without special ones around it.
  read(text, field, most) {
    const ids = [], owners = [], words = [];
    for (const { pieces, from, to } of this.words(text)) {
      if (ids.length >= most) break;
      const left = pieces.slice(0, most - ids.length);
      ids.push(...left);
      owners.push(...left.map(() => words.length));
      words.push({ field, text: text.slice(from, to), from, to });
    }
    return { ids, owners, words };
  }

  // The ids of each word of a text that is split already.
  ofWords(words) {
    return words.map(word => this.read(word, 0, Infinity).ids);
  }

  // The ids of a text, each with the place of its letters; the unknown piece stands for a whole word.
  placed(text) {
    const found = [];
    for (const { pieces, from, to, letters } of this.words(text)) {
      if (pieces.length === 1) {
        found.push({ id: pieces[0], from, to });
        continue;
      }
      let at = 0;
      for (const id of pieces) {
        const end = at + this.lengthOf(id) - (at ? this.settings.prefix.length : 0);
        found.push({ id, from: letters[at][1], to: letters[end - 1][2] });
        at = end;
      }
    }
    return found;
  }

  // The letters of a piece.
  lengthOf(id) {
    this.lengths ??= new Map(Array.from(this.known, ([piece, of]) => [of, Array.from(piece).length]));
    return this.lengths.get(id);
  }

  // The words of a text, one after the other; special tokens that are written out keep their ids.
  *words(text) {
    let at = 0;
    const parts = this.special.some(token => text.includes(token)) ? text.split(this.findSpecial) : [text];
    for (const [place, part] of parts.entries()) {
      if (place % 2) {
        yield { pieces: [this.known.get(part)], from: at, to: at + part.length };
      } else {
        for (const { 0: written, index } of part.matchAll(SPACED)) yield* this.wordsOf(written, at + index);
      }
      at += part.length;
    }
  }

  // The words in a text without spaces, which begins at `at`; of words of several pieces the `letters` with their places.
  *wordsOf(text, at) {
    const { language, lower } = this.settings;
    if (PLAIN.test(text)) {
      for (const { 0: word, index } of text.matchAll(ASCII_WORDS)) {
        const read = language ? turkish(word).toLowerCase() : lower ? word.toLowerCase() : word;
        const letters = Array.from(read, (letter, place) => [letter, at + index + place, at + index + place + 1]);
        yield { pieces: this.piecesOf(read), from: at + index, to: at + index + word.length, letters };
      }
      return;
    }
    let word = "", letters = [];
    for (const [letter, first, last] of [...this.letters(text), [" ", 0, 0]]) {
      const isMark = MARK.test(letter);
      if (word && (isMark || letter === " ")) {
        yield { pieces: this.piecesOf(word), from: letters[0][1], to: letters.at(-1)[2], letters };
        word = "";
        letters = [];
      }
      if (isMark) {
        yield { pieces: this.piecesOf(letter), from: at + first, to: at + last };
      } else if (letter !== " ") {
        word += letter;
        letters.push([letter, at + first, at + last]);
      }
    }
  }

  // The letters of a text as the vocabulary has them, each with the place in the text that it comes from.
  letters(text) {
    const { accents, chinese, language, lower } = this.settings;
    let found = [];
    for (let at = 0; at < text.length;) {
      const letter = String.fromCodePoint(text.codePointAt(at)), to = at + letter.length;
      found.push([letter, at, to]);
      at = to;
    }
    if (language) found = changed(found, text.length, lowerTurkish);
    found = found.filter(([letter]) => !DROPPED.test(letter)).flatMap(([letter, from, to]) => (
      (chinese && IDEOGRAPH.test(letter) ? [" ", letter, " "] : [letter]).map(one => [one, from, to])
    ));
    if (accents) found = changed(found, text.length, one => one.normalize("NFD").replace(ACCENTS, ""));
    // Letter by letter: of a whole word a last sigma would become another one than in the vocabulary.
    return lower ? each(found, letter => letter.toLowerCase()) : found;
  }

  piecesOf(word) {
    let found = this.found.get(word);
    if (found === undefined) {
      if (this.found.size >= MOST_PIECES) this.found.clear();
      found = this.longestPieces(word);
      this.found.set(word, found);
    }
    return found;
  }

  // The longest pieces of a word from the left; the unknown one alone where they do not cover it.
  longestPieces(word) {
    const { longest, prefix, unknown } = this.settings, found = [];
    if (word.length > longest && Array.from(word).length > longest) return [this.known.get(unknown)];
    for (let start = 0, end; start < word.length; start = end) {
      let piece;
      for (end = word.length; end > start; end--) {
        piece = this.known.get((start ? prefix : "") + word.slice(start, end));
        if (piece !== undefined) break;
      }
      if (piece === undefined) return [this.known.get(unknown)];
      found.push(piece);
    }
    return found;
  }
}

function each(letters, change) {
  return letters.flatMap(([letter, from, to]) => Array.from(change(letter), one => [one, from, to]));
}

// Letter by letter, as in `letters`: of a whole word a last sigma would become another one.
function lowerTurkish(text) {
  return Array.from(turkish(text), letter => letter.toLowerCase()).join("").normalize("NFC");
}

// Letters after a change of the whole text. One that the letters one by one do not have, such as marks in another order,
// leads to places that are not known.
function changed(letters, length, change) {
  const whole = change(letters.map(([letter]) => letter).join("")), found = each(letters, change);
  return found.map(([letter]) => letter).join("") === whole ? found : Array.from(whole, one => [one, 0, length]);
}

// How many ids to keep of each text of a pair: the longer one is cut first, then both to half the room.
function cutLongest(one, other, room) {
  if (one + other <= room) return [one, other];
  const half = Math.floor(room / 2);
  if (Math.min(one, other) > half) return one > other ? [half + room % 2, half] : [half, half + room % 2];
  return one > other ? [room - other, other] : [one, room - one];
}
