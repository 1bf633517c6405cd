// node ask_windows.mjs folder < rows.json: the answers of the page in a folder to questions and contexts, as JSON. The
// graph is a formula of ids and places, which the test has in Python too. Places are turned into those of characters.
import { readFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.argv[2], rows = JSON.parse(readFileSync(0, "utf8"));
const { openEncoder } = await import(pathToFileURL(resolve(folder, "reader.mjs")));

class Tensor {
  constructor(type, data) {
    this.data = Array.from(data, Number);
  }
}

const logit = (id, place, segment, side) => (id * 7919 + place * 31 + segment * 13 + side * 57) % 101 / 32;
const run = async ({ input_ids: { data }, token_type_ids: { data: kinds } }) => ({
  logits: { data: data.flatMap((id, place) => [0, 1].map(side => logit(id, place, kinds[place], side))) },
});
const session = { inputNames: ["input_ids", "attention_mask", "token_type_ids"], outputNames: ["logits"], run };
const ort = { Tensor, InferenceSession: { create: async () => session } };
const model = await openEncoder(name => readFile(join(folder, name)), ort), found = [];
const characters = (text, place) => Array.from(text.slice(0, place)).length;
for (const [question, context] of rows) {
  const { prediction, score, span } = await model.answer(question, context);
  found.push({ prediction, score, span: span && span.map(place => characters(context, place)) });
}
process.stdout.write(JSON.stringify(found));
