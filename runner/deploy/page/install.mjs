// Copies the files of the packages that the page loads into lib/, 14 MB; node_modules/ may be removed after that.
import { copyFileSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";

const FILES = [
  "onnxruntime-web/dist/ort.wasm.bundle.min.mjs",
  "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
  "@huggingface/tokenizers/dist/tokenizers.min.mjs",
];

mkdirSync("lib", { recursive: true });
for (const file of FILES) copyFileSync(join("node_modules", file), join("lib", basename(file)));
