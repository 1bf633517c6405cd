// Opens the model in the folder of this page. Its parts are modules, which a browser takes from a server alone.
async function load(name) {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name} is missing (${answer.status})`);
  return new Uint8Array(await answer.arrayBuffer());
}

async function openModel() {
  try {
    const ort = await import("./lib/ort.wasm.bundle.min.mjs"), { openEncoder } = await import("./reader.mjs");
    ort.env.wasm.numThreads = 1;
    return await openEncoder(load, ort, () => import("./lib/tokenizers.min.mjs"));
  } catch (error) {
    throw new Error(`The model cannot be opened (${error.message}). In its folder run: npm ci, then: python -m http.server`);
  }
}
