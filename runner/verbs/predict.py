"""`run predict ID ...`: answers to a text, to the rows of a file, or to what comes in on standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import ConfigError
from runner.harmless import say
from runner.verbs import named, options, output_folder, whole

if TYPE_CHECKING:
    from runner.deploy.predictor import Predictor

CHUNK = 2048  # rows of a file in memory at a time, put into batches by length

USAGE = """\
run predict ID|FOLDER TEXT [SECOND TEXT] | FILE.csv|.jsonl|.txt | -
            [engine=auto|torch|onnx|onnx-int8] [out=FILE] [input=lines|csv|jsonl] [text=COLUMN] [text_pair=COLUMN]
            [batch_size=32] [threads=1] [paths.output=outputs]

  run predict 1f0c "a lovely film"                   the label and the probability of each
  run predict 1f0c reviews.csv out=answers.csv       every row with its prediction and the probabilities beside it
                                                     (a text like a formula gets a ' before it; .jsonl keeps all as is)
  tail -f log | run predict 1f0c - engine=onnx-int8  a line of JSON for each line, as they come
"""


def main(words: list[str]) -> int:
    """Answer what is asked; 0 unless the command or the input is wrong."""
    if "-h" in words or "--help" in words:
        print(USAGE, end="")
        return 0
    source, rest = named("predict", words)
    defaults = {
        "engine": "auto", "out": "", "input": "", "text": "", "text_pair": "", "batch_size": "32", "threads": "1",
        "paths.output": "outputs",
    }  # fmt: skip
    asked = [word for word in rest if word.partition("=")[0] not in defaults]
    chosen = options("predict", [word for word in rest if word not in asked], **defaults)
    if not asked:
        raise ConfigError(f'run predict: answers to what? Try: run predict {source} "a text", or a file, or -')
    size = whole("predict", "batch_size", chosen["batch_size"], 1, 4096)
    threads = whole("predict", "threads", chosen["threads"], 1, 1024)
    from runner.deploy.deployed import find

    deployed = find(source, output_folder(chosen["paths.output"]), chosen["engine"])
    path = Path(asked[0])
    is_table = len(asked) == 1 and (asked[0] == "-" or path.suffix in (".csv", ".jsonl", ".txt"))
    if is_table and asked[0] != "-" and not path.is_file():
        raise ConfigError(f"{path}: no such file")
    if not is_table and len(asked) != len(deployed.columns):
        wanted = "two texts" if deployed.is_pair else "one text (in quotes)"
        raise ConfigError(f"run predict: this model reads {wanted}, here are {len(asked)}")
    columns = [chosen[key] or name for key, name in zip(("text", "text_pair"), deployed.columns)]
    from runner.deploy.predictor import Predictor

    predictor = Predictor(deployed, threads)
    if is_table:
        table(predictor, asked[0], columns, chosen, size)
    else:
        show(predictor(asked[:1], asked[1:] or None)[0])
    return 0


def show(answer: dict[str, Any]) -> None:
    """One answer for a person."""
    shares = answer.get("probabilities")
    say(answer["prediction"] if shares else number(answer["prediction"]))
    for name, share in sorted((shares or {}).items(), key=lambda item: -item[1]):
        say(f"  {share:.4f}  {name}")


def number(value: float) -> str:
    """Four digits behind the point, or four that count where the value is smaller than that shows."""
    return f"{value:.4f}" if abs(value) >= 1 else f"{value:.4g}"


def table(predictor: Predictor, source: str, columns: list[str], chosen: dict[str, str], size: int) -> None:
    """Answer row by row into a file or onto standard output; what was cut is said at the end."""
    from runner.deploy.rows import READ, WRITTEN, Writer, arriving, chunks, kind_of, opened, read, written

    path, out = None if source == "-" else Path(source), Path(chosen["out"]) if chosen["out"] else None
    kind = chosen["input"] or (kind_of(path) if path else "lines")
    if kind not in READ.values():
        raise ConfigError(f"input={kind}: expected one of {', '.join(READ.values())}. Try: input=lines")
    if kind == "lines" and len(columns) > 1:
        raise ConfigError("this model reads pairs of texts, and a line is one text. Try: input=jsonl")
    made = kind_of(out, WRITTEN) if out else "csv" if kind == "csv" else "jsonl"
    rows, cut = 0, 0
    with opened(path) as stream, written(out) as target:
        writer = Writer(target, made)
        found = read(stream, kind, columns, source if path else "standard input")
        for batch in chunks(found, CHUNK) if path else arriving(found, size):
            answers, lost = answer(predictor, batch, columns, size)
            writer.write(answers)
            rows, cut = rows + len(batch), cut + lost
    note = f", {cut:,} of them longer than {predictor.deployed.max_length} tokens and cut" if cut else ""
    say(f"{rows:,} rows{note}" + (f": {out}" if out else ""), sys.stderr)


def answer(
    predictor: Predictor, rows: list[dict[str, Any]], columns: list[str], size: int
) -> tuple[list[dict[str, Any]], int]:
    """The rows with their answers as further columns, and how many texts were cut."""
    from runner.deploy.predictor import flat

    if clash := set(predictor.deployed.answer_columns) & rows[0].keys():
        raise ConfigError(f"there is a column {min(clash)!r} already, which answers are written to. Rename it")
    first, *second = ([row[column] for row in rows] for column in columns)
    split = predictor.encode(first, second[0] if second else None)
    answers = predictor.answers(split, size)
    return [row | flat(found) for row, found in zip(rows, answers)], split.truncated
