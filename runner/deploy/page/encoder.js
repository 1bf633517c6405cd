"use strict";
// An encoder: a graph for ONNX Runtime with its tokenizer, as in runner/deploy/bundle/encoder.py.

class Encoder {
  // facts: the content of page.json; rows: its tokenizer; ort: the module of ONNX Runtime.
  constructor(facts, rows, session, ort) {
    Object.assign(this, { facts, rows, session, ort });
  }

  async read(texts) {
    const read = [];
    for (const row of rowsOf(this.facts, this.rows, texts)) {
      const { ids, start } = row.ids.length ? row : { ids: [this.facts.empty ?? 0], start: 1 };
      read.push({ scores: Array.from(await this.run(ids, start)), parts: [] });
    }
    return joined(read, this.facts.passages);
  }

  // The outputs of a row of ids, one token after the other where each has some; those from `start` on are of the second text.
  async run(ids, start) {
    const given = { input_ids: this.tensor(ids), attention_mask: this.tensor(ids.map(() => 1)) };
    if (this.session.inputNames.includes("token_type_ids")) {
      given.token_type_ids = this.tensor(ids.map((_, place) => (place < start ? 0 : 1)));
    }
    const found = await this.session.run(given);
    return found[this.session.outputNames[0]].data;
  }

  tensor(values) {
    return new this.ort.Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
  }
}

// A tokenizer.json read by @huggingface/tokenizers, which neither cuts texts nor reads an empty second one: both are
// done here. `layouts` say for one text and for two where special ids and the texts ("A", "B") stand, with segments.
class LibraryRows {
  constructor(tokenizer, { layouts, dropped }) {
    Object.assign(this, { tokenizer, layouts, dropped });  // dropped: the id of pieces that are left out, if any
    this.ending = layouts[1].at(-1)[0] === "B" ? 0 : 1;  // special ids after each text of a pair
  }

  row(texts, most) {
    const layout = this.layouts[texts.length - 1], room = most - layout.filter(([part]) => part >= 0).length;
    const read = texts.map(text => (
      this.tokenizer.encode(text, { add_special_tokens: false }).ids.filter(id => id !== this.dropped)
    ));
    const kept = texts.length > 1 ? cutLongest(read[0].length, read[1].length, room) : [room];
    const ids = [], kinds = [];
    for (const [part, kind] of layout) {
      const field = "AB".indexOf(part), added = field < 0 ? [part] : read[field].slice(0, kept[field]);
      ids.push(...added);
      kinds.push(...added.map(() => kind));
    }
    const start = kinds.indexOf(1);
    return { ids, start: start < 0 ? ids.length : start };
  }

  // The ids of each word. isSpaced: do pieces hold the space before a word?
  ofWords(words, isSpaced) {
    return words.map((word, place) => (
      this.tokenizer.encode(place && isSpaced ? ` ${word}` : word, { add_special_tokens: false }).ids
    ));
  }
}

class EncoderModel extends Model {
  async answer(...texts) {
    this.check(texts);
    return this.respond(await this.reader.read(texts));
  }
}

// The calibration of a graph, or none with the reason where it is of another one. Browsers hash on https and localhost.
async function calibrationOf(graph, calibration = {}) {
  if (!calibration.of || !globalThis.crypto?.subtle) return calibration;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", graph));
  const hash = Array.from(digest, byte => byte.toString(16).padStart(2, "0")).join("");
  if (calibration.of.includes(hash)) return calibration;
  if (calibration.reject) throw new Error("its promise on the share of errors is for another model.onnx. Export it again");
  return { reason: "they were calibrated for another model.onnx" };
}

// load: gives the bytes of a file of the folder; library: gives the module @huggingface/tokenizers, where it is needed.
async function openEncoder(load, ort, library) {
  const json = async name => JSON.parse(new TextDecoder().decode(await load(name)));
  const [facts, tokenizer, graph] = await Promise.all([json("page.json"), json("tokenizer.json"), load("model.onnx")]);
  const session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"] });
  const rows = facts.pieces ? wordPieceOf(tokenizer, { ...facts.pieces, language: facts.language })
    : new LibraryRows(new (await library()).Tokenizer(tokenizer, {}), facts);
  const calibration = await calibrationOf(graph, facts.calibration);
  const kind = facts.windows ? WindowsModel : facts.words ? WordsModel : EncoderModel;
  return new kind(facts, new Encoder(facts, rows, session, ort), calibration);
}

function wordPieceOf({ model, added_tokens }, settings) {
  const known = new Map(Object.entries(model.vocab));
  for (const { content, id } of added_tokens) known.set(content, id);
  return new WordPiece(known, settings);
}

export { openEncoder };
