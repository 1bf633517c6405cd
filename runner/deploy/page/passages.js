"use strict";
// The rows of ids of a text or two, and what they say together. Where documents are ranked (data.passages), a long one is
// read in passages, each after the whole query, as in runner/deploy/bundle/passages.py.

// The rows that a model reads; pieces: its tokenizer.
function rowsOf({ max_length: most, passages: way }, pieces, texts) {
  if (!way) return [pieces.row(texts, most)];
  const both = pieces.row(["a", "a"], Infinity), isKnown = both.start < both.ids.length;  // is it where a document begins?
  return passagesOf(pieces.row(texts, Infinity), { most, way, isKnown, ending: pieces.ending });
}

function passagesOf(whole, { most, way, isKnown, ending }) {
  const { ids, owners } = whole, start = isKnown ? whole.start : 1, end = ids.length - ending, document = end - start;
  if (ids.length <= most) return [whole];
  const kept = Math.min(start, most - ending - Math.min(document, Math.floor(most / 4))), room = most - ending - kept;
  const count = way !== "first" && isKnown ? Math.max(1, Math.ceil(document / Math.max(room, 1))) : 1;
  return Array.from({ length: count }, (_, number) => {
    const begin = start + Math.min(number * room, Math.max(document - room, 0)), stop = Math.min(begin + room, end);
    const places = [[0, kept - ending], [start - ending, start], [begin, stop], [end, ids.length]].flatMap(
      ([from, to]) => Array.from({ length: to - from }, (_, place) => from + place),
    );
    const taken = values => values && places.map(place => values[place]);
    return { ...whole, ids: taken(ids), owners: taken(owners), start: isKnown ? kept : places.length };
  });
}

// The scores of a text or two from those of its rows, and their parts: of passages the best one's, or the mean of all.
function joined(read, way) {
  if (read.length === 1) return read[0];
  if (way !== "mean") return read.reduce((best, one) => one.scores[0] > best.scores[0] ? one : best);
  const scores = [read.reduce((sum, one) => sum + one.scores[0], 0) / read.length];
  const shared = part => ({ ...part, adds: part.adds.map(one => one / read.length) });
  return { scores, parts: read.flatMap(({ parts }) => parts.map(shared)) };
}
