"use strict";
// node ask.js reader.js model.bin < texts.json: the answers to the texts as JSON, or {"error": message}.
const fs = require("fs");
const { Model } = require(process.argv[2]);

async function main() {
  const model = await Model.open(new Uint8Array(fs.readFileSync(process.argv[3])));
  return JSON.parse(fs.readFileSync(0, "utf8")).map(text => model.answer(text));
}

main().then(answers => answers, error => ({ error: error.message }))
  .then(found => process.stdout.write(JSON.stringify(found)));
