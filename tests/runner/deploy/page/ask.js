"use strict";
// node ask.js < jobs.json: for each [reader.js, model.bin, rows of texts] the answers, or {"error": message}.
const fs = require("fs");

async function answer([reader, file, rows]) {
  try {
    const { Model } = require(reader), model = await Model.open(new Uint8Array(fs.readFileSync(file)));
    return rows.map(texts => model.answer(...texts));
  } catch (error) {
    return { error: error.message };
  }
}

const jobs = JSON.parse(fs.readFileSync(0, "utf8"));
Promise.all(jobs.map(answer)).then(found => process.stdout.write(JSON.stringify(found)));
