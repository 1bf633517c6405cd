// What the page does for a model that reads sounds: files are chosen, played, and sent in base64.
const readsSounds = () => health.asks.length > 0 && health.asks[0].type === "sound";
const exampleOfSounds = () =>
  `echo '{"sounds": ["'$(base64 -w0 sound.wav)'"]}' | curl ${location.origin}/predict -H 'Content-Type: application/json' -d @-`;

function showSounds() {
  at("texts").hidden = at("lines-choice").hidden = true;
  at("sounds").hidden = false;
  at("files").addEventListener("change", showPlayers);
  showPlayers();  // a browser may have kept what was chosen
}

let playing = [];

function showPlayers() {
  playing.forEach(address => URL.revokeObjectURL(address));
  playing = Array.from(at("files").files, file => URL.createObjectURL(file));
  at("players").replaceChildren(...playing.map((address, place) => {
    const player = Object.assign(document.createElement("audio"), { controls: true, preload: "none", src: address });
    return make("p", "", make("span", "quiet", at("files").files[place].name), document.createElement("br"), player);
  }));
  at("answer").replaceChildren();
}

function asBase64(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => failed(new Error(`${file.name} cannot be read`));
    reader.readAsDataURL(file);
  });
}

async function askFile(file) {
  try {
    return await ask({ sounds: [await asBase64(file)] });
  } catch (error) {
    throw new Error(`${file.name}: ${error.message}`);
  }
}

async function askSounds() {
  const files = Array.from(at("files").files), answers = [], question = asked;
  if (!files.length) throw new Error("Choose a sound file first");
  if (files.length === 1) return shownAnswer(await askFile(files[0]), [files[0].name]);
  for (const file of files) {
    answers.push(...(await askFile(file)).answers);
    if (question !== asked) return [];
    at("ask").textContent = `${answers.length} of ${files.length}`;
  }
  return asTable(files.map(file => [file.name]), answers);
}
