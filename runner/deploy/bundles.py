"""`run export format=bundle`: a folder, or one .zip, that answers texts without Bertier, torch and transformers.

A packed model needs NumPy alone; an encoder is a graph, which needs onnxruntime, and the tokenizers package where its
tokenizer is not like BERT's.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from data import json_types
from data.inputs import cleaning, context_windows, log_mel, marked_words, split_text, word_windows
from data.part_file import part_of
from data.targets import tag_schemes, written_text
from models.checkpoints.atomic import written_atomically
from runner.deploy.bundle import predict
from runner.deploy.bundle.calibration import CALIBRATION_FILE, PROMISE, Calibration, read_calibration
from runner.deploy.bundle.label_sets import THRESHOLDS
from runner.deploy.container.files import add_server
from runner.deploy.device_costs import device_costs
from runner.deploy.exported import DESCRIPTION_FILE, VECTOR_FORMS, ExportedModel, is_zip, with_engine
from runner.deploy.graph_facts import WINDOWS, WORDS, graph_facts
from runner.deploy.promise import Promise, save_promise
from runner.errors import ConfigError
from runner.sanitize import code_span
from runner.tasks import best_span, tag_answers, task_class

MANIFEST = "manifest.json"
SOURCES = Path(predict.__file__).parent
READER = ("predict.py", "calibration.py", "command.py", "table.py")
OF_PIECES = ("bag.py", "pair.py", "wordpiece.py")
OF_DENDRITES = ("dendritic.py",)  # of a last layer with dendrites
OF_PAIRS, OF_CHARACTERS = ("pairs.py",), ("characters.py",)  # of a model over n-grams
OF_PIECE_NGRAMS = ("piece_ngrams.py", *OF_PAIRS)  # of n-grams added to word vectors
OF_LANGUAGES = ("language.py",)  # of a model over n-grams that lowers texts by the rules of a language
OF_PROMISES = ("rejection.py",)  # of a model that answers "unsure"
OF_CLEANING = ("cleaning.py",)  # of a model of cleaned texts
OF_PASSAGES = ("passages.py",)  # of a model that ranks documents
OF_SETS = ("label_sets.py",)  # of a model whose labels are decided one by one
OF_SOUNDS = ("sound.py", "frame_network.py")
OF_WINDOWS = ("windows.py",)  # of a model that answers with a part of a context
OF_WORDS = ("words.py",)  # of a model that tags words
# By the entry of a header, whatever the kind of the model.
OF_ANY = {"cleaning": OF_CLEANING, "dendrites": OF_DENDRITES, "passages": OF_PASSAGES, THRESHOLDS: OF_SETS}
COPIED = {  # with a file of a bundle: code that training uses too, by the name of its copy
    "characters.py": {"marked_words.py": marked_words}, "cleaning.py": {"cleaning_steps.py": cleaning},
    "sound.py": {"log_mel.py": log_mel},
    "windows.py": {"context_windows.py": context_windows, "best_span.py": best_span},
    "words.py": {
        f"{module.__name__.rpartition('.')[2]}.py": module
        for module in (json_types, split_text, tag_answers, tag_schemes, word_windows, written_text)
    },
}  # fmt: skip
OWN_IMPORT = re.compile(r"^from (?:data|runner)\.(?:\w+\.)*(\w+) import ", re.MULTILINE)  # of code that is copied
OF_GRAPHS = ("encoder.py", "wordpiece.py")
OF_NUMPY = ("numpy>=2",)
OF_ONNX = (*OF_NUMPY, "onnxruntime>=1.23")
OF_OTHER_TOKENIZERS = ("tokenizers>=0.22",)  # than BERT's, and where the places of pieces are needed
OPENED_WHOLE = re.compile(r"Open it with `AutoModel.*?\n\n", re.DOTALL)  # the card's words on files not in a bundle
# The card's words on label scores, as cards of this version and of earlier ones have them.
OF_SCORES = re.compile(
    r"^(?:Probabilities are softmax\(|(?:Label scores are not|Shares are scores, not) probabilities: ).*$", re.MULTILINE
)
USAGE = """\
# {name}

Answers {texts} with {answers}. It needs Python 3.10 or later; `pip install -r requirements.txt`, then, in this folder:

```
python predict.py {words}
python predict.py texts.csv --out answers.csv      # with {columns}; {options}
{stream}```

```python
from predict import Model

model = Model()            # or Model("folder of the bundle")
model({asked})
{logits}```

`manifest.json` has the size and the SHA-256 of every file.

{lengths}{card}"""

LOGITS = "model.scores([...])        # the logits, (texts, classes)\n"
STREAM = "tail -f log | python predict.py -                  # a line of JSON for each line\n"
WORDS_OF_TEXTS = {
    "texts": "texts", "words": '"a text"', "asked": '"a text"', "options": "--text names another", "stream": STREAM,
}  # fmt: skip
WORDS_OF_PAIRS = {
    "texts": "pairs of texts", "words": '"a text" "a second text"', "asked": '"a text", "a second text"',
    "options": "--text and --pair name others", "stream": "",
}  # fmt: skip
WORDS_OF_SOUNDS = {
    "texts": "sounds", "words": "bark.wav", "asked": '"bark.wav"', "options": "of paths; --text names another",
    "stream": "python predict.py clips/*.flac                     # other formats than WAV: pip install soundfile\n",
}  # fmt: skip
WORDS_OF_WINDOWS = WORDS_OF_PAIRS | {
    "texts": "questions about a text", "words": '"a question" "the text with the answer"',
    "asked": '"a question", "the text with the answer"', "answers": "a part of it and its place in characters",
    "logits": "",
}  # fmt: skip
WORDS_OF_TAGS = WORDS_OF_TEXTS | {"answers": "a tag for each word, and what the tags mean", "logits": ""}
BY_READER = {WINDOWS: WORDS_OF_WINDOWS, WORDS: WORDS_OF_TAGS}


@contextmanager
def bundle_at(path: Path) -> Iterator[Path]:
    """Yield a folder to write a bundle into.

    It becomes `path`, a folder or one .zip file, or is removed after an error.
    """
    if not is_zip(path):
        with written_atomically(path) as part:
            yield part
        return
    part = part_of(path.with_name(f".{path.name}"))
    with tempfile.TemporaryDirectory() as scratch:
        yield Path(scratch)
        try:
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
                for file in sorted(Path(scratch).iterdir()):
                    entry = zipfile.ZipInfo(file.name)  # of a fixed date: equal bundles are equal files
                    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                    archive.writestr(entry, file.read_bytes())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def is_packed(trained: ExportedModel) -> bool:
    """Does this run have a model.bin?"""
    return with_engine(trained, "auto").engine == "numpy"


def write_packed_bundle(
    trained: ExportedModel,
    path: Path,
    *,
    is_served: bool = False,
    promise: Promise | None = None,
    calibrate: Callable[[Path], None] | None = None,
) -> ExportedModel:
    """Write the bundle of a model with a model.bin.

    is_served: with a server and a Dockerfile; promise: on errors; calibrate: writes another calibration than the run's.
    """
    exported = trained.moved(path, "numpy")
    with bundle_at(path) as part:
        shutil.copy2(with_engine(trained, "numpy").weights, part / predict.MODEL_FILE)
        if (known := trained.folder / CALIBRATION_FILE).is_file():
            shutil.copy2(known, part / CALIBRATION_FILE)
        if calibrate is not None:
            calibrate(part / predict.MODEL_FILE)
        if promise:
            save_promise(part / predict.MODEL_FILE, promise)
        header = predict.Model(part).header  # a damaged file is found here, not by who asks it
        description = json.dumps(exported.describe(), indent=2, ensure_ascii=False)
        (part / DESCRIPTION_FILE).write_text(description + "\n", encoding="utf-8")
        add_reader(part, exported, trained, sources_for(header), OF_NUMPY, is_served=is_served)
    return exported


def sources_for(header: predict.Header) -> tuple[str, ...]:
    """Return the files of code that a model.bin with this header needs."""
    own = (*READER, *(name for entry, names in OF_ANY.items() if entry in header for name in names))
    if header["kind"] == "sound":
        return (*own, *OF_SOUNDS)
    if predict.KINDS[header["kind"]]:
        return (*own, *OF_PIECES, *(OF_PIECE_NGRAMS if "ngrams" in header else ()))
    further = {"pairs": OF_PAIRS, "characters": OF_CHARACTERS, "language": OF_LANGUAGES}
    return (*own, *(name for entry, names in further.items() if header.get(entry) for name in names))


def add_graph_reader(part: Path, exported: ExportedModel, trained: ExportedModel, *, is_served: bool = False) -> None:
    """Add the reader to a folder with an encoder's graph and tokenizer.

    is_served: with a server and a Dockerfile.
    """
    facts = graph_facts(part, exported, "bundle")
    (part / predict.GRAPH_FACTS).write_text(json.dumps(facts, ensure_ascii=False) + "\n", encoding="utf-8")
    further = OF_ANY | {WINDOWS: OF_WINDOWS, WORDS: OF_WORDS}
    sources = (*READER, *OF_GRAPHS, *(name for entry, names in further.items() if entry in facts for name in names))
    needed = OF_ONNX if "pieces" in facts and WINDOWS not in facts else (*OF_ONNX, *OF_OTHER_TOKENIZERS)
    add_reader(part, exported, trained, sources, needed, is_served=is_served)


def refuse_sounds(trained: ExportedModel, form: str) -> None:
    """Raise ConfigError for an export that has no place for sounds. form: of the export."""
    if not trained.reads_sounds:
        return
    if form in ("page", "docker"):
        cure = f"run serve {trained.identity}, which has a page of its own" if form == "page" else "format=bundle"
        what = "page" if form == "page" else "container"
        raise ConfigError(f"format={form}: run {trained.identity} reads sounds, but a {what} reads texts. Try: {cure}")
    if form in VECTOR_FORMS:
        raise ConfigError(
            f"format={form}: run {trained.identity} reads sounds, so it has no word vectors. Try: format=onnx"
        )
    if form == "bundle" and not is_packed(trained):
        raise ConfigError(
            f"format=bundle: run {trained.identity} has no {predict.MODEL_FILE}: only transformers over frames "
            "and means of frames have one, with weights in float32 or 8 bits. Try: format=onnx"
        )


def add_reader(
    part: Path, exported: ExportedModel, trained: ExportedModel, sources: tuple[str, ...],
    packages: tuple[str, ...], *, is_served: bool,
) -> None:  # fmt: skip
    """Add the code, its requirements (packages), the page about the model and, last, the manifest."""
    known = part / CALIBRATION_FILE
    has_promise = known.is_file() and PROMISE in json.loads(known.read_text(encoding="utf-8"))
    for name in (*sources, *(OF_PROMISES if has_promise else ())):
        shutil.copy2(SOURCES / name, part / name)
    for name, module in (pair for source in sources for pair in COPIED.get(source, {}).items()):
        code = Path(str(module.__file__)).read_text(encoding="utf-8")
        (part / name).write_text(OWN_IMPORT.sub(r"from \1 import ", code), encoding="utf-8")
    (part / "requirements.txt").write_text("\n".join(packages) + "\n", encoding="utf-8")
    calibration = read_calibration(part / exported.weights.name)
    page = as_calibrated(usage(exported, trained), calibration, read_calibration(trained.weights))
    (part / "README.md").write_text(page, encoding="utf-8")
    if is_served:
        add_server(part, exported.is_pair)
    files = {
        file.name: {"bytes": file.stat().st_size, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        for file in sorted(part.iterdir())
    }
    about = {
        "format": 1, "model": exported.identity, "name": exported.name, "task": exported.task,
        "labels": list(exported.labels), "texts": len(exported.columns), "max_length": exported.max_length,
        "packages": list(packages), "files": files,
    }  # fmt: skip
    about |= {"device": device_costs(part)} if exported.reads_sounds else {}
    (part / MANIFEST).write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def as_calibrated(page: str, known: Calibration, own: Calibration) -> str:
    """Return the page of an export, with a note on its calibration if that is not its run's, as on the card.

    known: that of the export; own: that of the run.
    """
    ours, theirs = ({key: one.facts[key] for key in one.facts if key not in ("of", PROMISE)} for one in (known, own))
    if ours == theirs or not (known.is_calibrated or own.is_calibrated):
        return page
    return OF_SCORES.sub(lambda _: f"Its answers are {known.about()} ({CALIBRATION_FILE}).", page)


def how_many(task: str) -> str:
    """Return the word for how many labels an answer of a task has."""
    return "any" if task_class(task).has_label_sets else "one"


def words_for(exported: ExportedModel) -> dict[str, str]:
    """Return the words for what a model reads, and for its answers if they are not labels."""
    if (reader := task_class(exported.task).reader) in BY_READER:
        return BY_READER[reader]
    return WORDS_OF_SOUNDS if exported.reads_sounds else WORDS_OF_PAIRS if exported.is_pair else WORDS_OF_TEXTS


def usage(exported: ExportedModel, trained: ExportedModel) -> str:
    """Return the README.md of a bundle: how to use it, then the model card."""
    card = trained.folder / "README.md"
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    body = text.split("\n---\n", 1)[-1] if text.startswith("---\n") else text
    answers = f"{how_many(exported.task)} of {len(exported.labels)} labels" if exported.labels else "a number"
    return USAGE.format(
        name=exported.name,
        **({"answers": answers, "logits": LOGITS} | words_for(exported)),
        lengths=f"{trained.told_lengths}\n\n" if trained.told_lengths else "",
        columns=" and ".join(f"a column {code_span(column)}" for column in exported.columns),
        card=OPENED_WHOLE.sub("", body.removeprefix(f"# {exported.name}\n").lstrip()),
    )
