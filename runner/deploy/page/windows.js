"use strict";
// Answers a question with a part of a context, as in runner/deploy/bundle/windows.py. Places count UTF-16 units here.

const BEST = 20;  // starts and ends of a window that are combined
const SHARED = 3;  // windows share a third of their room unless the facts say how much

// Tokens from ... to - 1 of each window of a context.
function windowsOf(tokens, room, overlap) {
  const step = room - (overlap !== null && overlap < room ? overlap : Math.floor(room / SHARED)), found = [];
  for (let from = 0; !from || found.at(-1)[1] < tokens; from += step) found.push([from, Math.min(from + room, tokens)]);
  return found;
}

// The places of the best numbers, in their order; of equal ones the first.
function bestPlaces(numbers, most) {
  const order = Array.from(numbers.keys()).sort((one, other) => numbers[other] - numbers[one] || one - other);
  return order.slice(0, most).sort((one, other) => one - other);
}

// First token, last token and score of the best answer of a window, given the logits of its context.
function bestSpan(starts, ends, maxAnswer) {
  let best = { first: -1, last: -1, score: -Infinity };
  for (const most of [BEST, starts.length]) {
    const lasts = bestPlaces(ends, most);
    for (const first of bestPlaces(starts, most)) {
      for (const last of lasts) {
        const score = starts[first] + ends[last];
        if (last >= first && last - first < maxAnswer && score > best.score) best = { first, last, score };
      }
    }
    if (best.score > -Infinity) break;
  }
  return best;
}

// Is it a mark that belongs to the letter before it? Such marks change places where they follow one another.
function isCombining(letter) {
  const before = "a\u0345" + letter.normalize("NFD");
  return letter === "\u0345" || before.normalize("NFD") !== before;
}

// Where an answer ends that takes the accents of its last letter with it.
function withAccents(text, to) {
  for (let letter; to < text.length; to += letter.length) {
    letter = String.fromCodePoint(text.codePointAt(to));
    if (!isCombining(letter)) break;
  }
  return to;
}

class WindowsModel extends Model {
  async answer(question, context) {
    this.check([question, context]);
    const { facts: { windows: facts, max_length: longest }, reader: { rows } } = this;
    const asked = rows.placed(question).slice(0, longest).map(({ id }) => id), read = rows.placed(context);
    const room = facts.tokens - asked.length - facts.before.length - facts.between.length - facts.after.length;
    let best = { score: -Infinity }, none = Infinity, noneShare = Infinity;
    for (const [from, to] of windowsOf(read.length, room, facts.overlap)) {
      const found = await this.read(asked, read.slice(from, to));
      if (found.score > best.score) best = found;
      none = Math.min(none, found.none);
      noneShare = Math.min(noneShare, found.noneShare);
    }
    if (best.score === -Infinity || (facts.has_empty && none - best.score > facts.null_threshold)) {
      return this.told("", noneShare, []);
    }
    const to = withAccents(context, best.to);
    return this.told(context.slice(best.from, to), best.share, [{ from: best.from, to }]);
  }

  // What the page shows. spans: where the answer stands in the context, if anywhere.
  told(prediction, score, spans) {
    const about = `score ${score.toFixed(4)}, which is no calibrated probability`;
    return { prediction, score, spans, label: prediction || "no answer in this text", about, parts: [] };
  }

  async read(asked, context) {
    const { windows: facts } = this.facts, ids = [...facts.before, ...asked, ...facts.between];
    const begin = ids.length;
    ids.push(...context.map(({ id }) => id), ...facts.after);
    const logits = await this.reader.run(ids, facts.segments ? begin : ids.length);
    const [starts, ends] = [0, 1].map(side => ids.map((_, place) => logits[2 * place + side]));
    const [first, last] = [softmax(starts), softmax(ends)], stop = begin + context.length;
    const found = bestSpan(starts.slice(begin, stop), ends.slice(begin, stop), facts.max_answer);
    const none = { none: starts[0] + ends[0], noneShare: first[0] * last[0] };
    if (found.score === -Infinity) return { score: found.score, ...none };
    const share = first[begin + found.first] * last[begin + found.last];
    return { score: found.score, share, from: context[found.first].from, to: context[found.last].to, ...none };
  }
}
