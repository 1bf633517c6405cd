// node ask_encoder.mjs folder packages [runtime] < rows.json: the answers of the page in a folder to rows of texts, as
// JSON. runtime: a module in the place of ONNX Runtime, which is one of the packages.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, packages, runtime] = process.argv.slice(2), rows = JSON.parse(readFileSync(0, "utf8"));
const { openEncoder } = await import(pathToFileURL(resolve(folder, "reader.mjs")));
const require = createRequire(resolve(packages, "package.json")), library = async () => require("@huggingface/tokenizers");
const ort = runtime ? await import(pathToFileURL(resolve(runtime))) : require("onnxruntime-web");
ort.env.wasm.numThreads = 1;
const model = await openEncoder(name => readFile(join(folder, name)), ort, library), found = [];
for (const texts of rows) found.push(await model.answer(...texts));
process.stdout.write(JSON.stringify(found));
