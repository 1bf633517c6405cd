"""`run predict ID ...`: answers to a text, to the rows of a file, or to what comes in on standard input."""

from __future__ import annotations

import shlex
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.commands.options import output_folder, parse_options, split_run, whole_number
from runner.errors import ConfigError
from runner.sanitize import say

if TYPE_CHECKING:
    from runner.deploy.exported import ExportedModel
    from runner.deploy.predictor import Predictor

CHUNK = 2048  # rows of a file in memory at a time, put into batches by length

USAGE = """\
run predict ID|FOLDER TEXT [SECOND TEXT] | FILE | -
            [engine=auto|torch|onnx|onnx-int8] [out=FILE.csv|.jsonl] [batch_size=32] [threads=1] [paths.output=outputs]
            of a FILE or -: [input=lines|csv|tsv|jsonl] [text=COLUMN] [text_pair=COLUMN] [encoding=utf-8]
            [delimiter=auto|tab|;] [quoting=auto|minimal|none]
FILE: .csv .tsv .jsonl .ndjson .json .parquet, also with .gz, with a header as in training; or .txt, a text a line

  run predict 1f0c "a lovely film"                   the label and the probability of each
  run predict 1f0c reviews.csv out=answers.csv       every row with its prediction and the probabilities beside it
                                                     (a text like a formula gets a ' before it; .jsonl keeps all as is)
  tail -f log | run predict 1f0c - engine=onnx-int8  a line of JSON for each line, as they come
  run predict 1f0c text=reviews.csv                  without a file text= is the text itself (of a pair: and text_pair=)
  run predict 1f0c -- reviews.csv                    what follows -- is a text, also if it looks like a file or setting
"""

OF_TABLES = {
    "input": "", "text": "", "text_pair": "", "encoding": "utf-8", "delimiter": "auto", "quoting": "auto",
}  # fmt: skip
DEFAULTS = OF_TABLES | {"engine": "auto", "out": "", "batch_size": "32", "threads": "1", "paths.output": "outputs"}


def main(words: list[str]) -> int:
    """Answer what is asked; 0 unless the command or the input is wrong."""
    words, literal = split(words)
    if "-h" in words or "--help" in words:
        print(USAGE, end="")
        return 0
    source, rest = split_run("predict", words)
    asked = [word for word in rest if word.partition("=")[0] not in DEFAULTS]
    chosen = parse_options("predict", [word for word in rest if word not in asked], **DEFAULTS)
    if not asked and not literal and chosen["text"]:  # no file whose column it could name: the text itself
        literal = [chosen[key] for key in ("text", "text_pair") if chosen[key]]
        chosen |= {"text": "", "text_pair": ""}
    if not asked and not literal:
        raise ConfigError(f'run predict: answers to what? Try: run predict {source} "a text", or a file, or -')
    size = whole_number("predict", "batch_size", chosen["batch_size"], 1, 4096)
    threads = whole_number("predict", "threads", chosen["threads"], 1, 1024)
    table = table_of(source, asked, len(literal), chosen)
    from runner.deploy.exported import find_model

    deployed = find_model(source, output_folder(chosen["paths.output"]), chosen["engine"])
    texts = [] if table else [*asked, *literal]
    rows = table_rows(table, chosen, deployed) if table else text_rows(texts, chosen, deployed)
    out = Path(chosen["out"]) if chosen["out"] else None
    made = written_as(out, table, chosen)
    from runner.deploy.predictor import Predictor

    predictor = Predictor(deployed, threads)
    if table or out:
        columns = named_columns(chosen, deployed)
        answer_all(predictor, rows, columns, size, out, made, is_live=table == "-")
    else:
        show(predictor(texts[:1], texts[1:] or None)[0])
    return 0


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """The words before `--`, and those after it, which are texts whatever they look like."""
    place = words.index("--") if "--" in words else len(words)
    return words[:place], words[place + 1 :]


def table_of(source: str, asked: list[str], literal: int, chosen: dict[str, str]) -> str:
    """The file that is asked about, - for standard input, or "" where the words are texts.

    Raises ConfigError for what looks like a file and is none.
    """
    from data.sources.options import format_of

    found = ""
    for word in asked:
        as_text = f"run predict {source} {shlex.quote(f'text={word}')}"
        mode = mode_of(word)
        if word == "-" or (mode and not stat.S_ISDIR(mode)):
            found = word
        elif mode:
            raise ConfigError(f"{word} is a folder, a file is needed. Try: a file in it; or, as a text: {as_text}")
        elif format_of(Path(word)) or word.lower().endswith((".txt", ".txt.gz")) or (chosen["input"] and not asked[1:]):
            raise ConfigError(f"{word}: no such file. Try: its right name; or, as a text: {as_text}")
    if found and len(asked) + literal > 1:
        raise ConfigError(
            f"run predict: {found} is a file, and one is read at a time. Try: run predict {source} {found}"
        )
    return found


def mode_of(word: str) -> int:
    """What the file system says a path is; 0 where there is no such path, as for most texts."""
    try:
        return Path(word).stat().st_mode if word else 0
    except (OSError, ValueError):  # also for a text longer than any path
        return 0


def named_columns(chosen: dict[str, str], deployed: ExportedModel) -> list[str]:
    """The columns of the texts: as chosen, else as in the run's data."""
    if chosen["text_pair"] and not deployed.is_pair:
        raise ConfigError(f"text_pair={chosen['text_pair']}: this model reads one text. Leave text_pair= out")
    return [chosen[key] or name for key, name in zip(("text", "text_pair"), deployed.columns)]


def table_rows(table: str, chosen: dict[str, str], deployed: ExportedModel) -> Iterator[dict[str, Any]]:
    """The rows of a file or of standard input, read as the options say."""
    from data.sources.options import ReadOptions, ineffective_options
    from runner.deploy.streams import input_format, read_texts

    path = None if table == "-" else Path(table)
    kind = input_format(path, chosen["input"])
    columns = named_columns(chosen, deployed)
    if kind == "lines" and len(columns) > 1:
        raise ConfigError("this model reads pairs of texts, and a line is one text. Try: input=jsonl")
    texts = dict(zip(("text", "text_pair"), columns))
    asked = ReadOptions(texts, chosen["encoding"], chosen["delimiter"], chosen["quoting"], note=note)
    if problems := ineffective_options([kind], chosen):
        raise ConfigError(problems[0])
    if asked.quoting not in ("auto", "minimal", "none"):
        raise ConfigError(f"quoting={asked.quoting}: expected auto, minimal or none. Try: quoting=auto")
    return read_texts(path, kind, asked)


def note(text: str) -> None:
    """What a person should know of the input, apart from the answers."""
    say(f"note: {text}", sys.stderr)


def text_rows(texts: list[str], chosen: dict[str, str], deployed: ExportedModel) -> Iterator[dict[str, Any]]:
    """The texts of the command as one row; ConfigError where they are too many, or an option is for files."""
    if len(texts) != len(deployed.columns):
        wanted = "two texts" if deployed.is_pair else "one text (in quotes)"
        raise ConfigError(f"run predict: this model reads {wanted}, here are {len(texts)}")
    if useless := [key for key, default in OF_TABLES.items() if chosen[key] != default]:
        key = useless[0]
        raise ConfigError(
            f"{key}={chosen[key]} is about the rows of a file, here is a text. Leave {key}= out; "
            f"a text that begins so goes after --"
        )
    return iter([dict(zip(deployed.columns, texts))])


def written_as(out: Path | None, table: str, chosen: dict[str, str]) -> str:
    """csv or jsonl: as the name of the output says, else as what comes in."""
    from data.sources.options import format_of
    from runner.deploy.streams import output_format

    if out:
        return output_format(out)
    return "csv" if (chosen["input"] or format_of(Path(table))) in ("csv", "tsv") else "jsonl"


def show(answer: dict[str, Any]) -> None:
    """One answer for a person."""
    shares = answer.get("probabilities")
    say(answer["prediction"] if shares else number(answer["prediction"]))
    for name, share in sorted((shares or {}).items(), key=lambda item: -item[1]):
        say(f"  {share:.4f}  {name}")


def number(value: float) -> str:
    """Four digits behind the point, or four that count where the value is smaller than that shows."""
    return f"{value:.4f}" if abs(value) >= 1 else f"{value:.4g}"


def answer_all(
    predictor: Predictor, rows: Iterator[dict[str, Any]], columns: list[str], size: int, out: Path | None, made: str,
    is_live: bool,
) -> None:  # fmt: skip
    """Answer row by row into a file or onto standard output; what was cut is said at the end.

    made: csv or jsonl; is_live: answer what is there, without waiting for more rows.
    """
    from runner.deploy.streams import RowWriter, chunks_as_they_arrive, open_output, row_chunks

    count, cut = 0, 0
    with open_output(out) as target:
        writer = RowWriter(target, made)
        for batch in chunks_as_they_arrive(rows, size) if is_live else row_chunks(rows, CHUNK):
            answers, lost = answer(predictor, batch, columns, size)
            writer.write(answers)
            count, cut = count + len(batch), cut + lost
    lost_words = f", {cut:,} of them longer than {predictor.exported.max_length} tokens and cut" if cut else ""
    say(f"{count:,} rows{lost_words}" + (f": {out}" if out else ""), sys.stderr)


def answer(
    predictor: Predictor, rows: list[dict[str, Any]], columns: list[str], size: int
) -> tuple[list[dict[str, Any]], int]:
    """The rows with their answers as further columns, and how many texts were cut."""
    from runner.deploy.predictor import answer_row

    if clash := set(predictor.exported.answer_columns) & rows[0].keys():
        raise ConfigError(f"there is a column {min(clash)!r} already, which answers are written to. Rename it")
    first, *second = ([str(row[column]) for row in rows] for column in columns)
    split = predictor.encode(first, second[0] if second else None)
    answers = predictor.answers(split, size)
    return [row | answer_row(found) for row, found in zip(rows, answers)], split.truncated
