"""The command of a bundle: `python predict.py "a text"`, a CSV, or lines of standard input."""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

try:
    from .table import DELIMITERS, Table, read_table
except ImportError:  # in a bundle, files beside each other
    from table import DELIMITERS, Table, read_table  # type: ignore[import-not-found,no-redef]

if TYPE_CHECKING:
    from .predict import Model

EXAMPLES = """\
  python predict.py "a lovely film"                   the answer to a text; of a pair of texts: to two
  python predict.py reviews.csv --out answers.csv     every row with the answer beside it (.csv, .tsv; out also .jsonl)
  tail -f log | python predict.py -                   of a model of one text: a line of JSON for each line
  python predict.py clips/*.wav                       of a model of sounds: the answer to each file
"""
ABOUT = "deploy.json"  # of a bundle: what it was made from
LINES = (".jsonl", ".ndjson")  # names of files with a line of JSON for each answer
TABLES = (*LINES, ".json", ".parquet", ".gz", ".xlsx", ".xls", ".ods")  # hold rows, but are not read
COLUMNS = ("text", "text_pair")  # of a table, where nothing names others
FIRST = "prediction"  # the answer itself: a table with this column was answered before
MOVED = "predicted_"  # begins the name of a column that the table has already, such as the tags it is labelled with
SOUND = "sound"  # the column of paths, and the name of a file beside its answer
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # beginnings of texts that a spreadsheet runs (OWASP, CSV injection)
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def main(words: list[str], load: Callable[[], Model]) -> int:
    """Answer what the words ask for; 0, 2 for a mistake, which is one line, 130 after Ctrl-C. load: makes a Model."""
    parser = argparse.ArgumentParser(
        prog="predict.py", epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "texts",
        nargs="*",
        metavar="TEXT",
        help="a text or a sound file, a .csv or .tsv file, or - for standard input; after -- all are texts",
    )
    parser.add_argument("--text", metavar="COLUMN", help="of a file: the column of the texts")
    parser.add_argument("--pair", metavar="COLUMN", help="of a file: the column of the second texts")
    parser.add_argument("--out", metavar="FILE", help="write to this file, not to standard output")
    asked = parser.parse_args(words)
    if not asked.texts:
        parser.print_usage(sys.stderr)
        return 2
    try:
        answer(load(), asked)
    except ModuleNotFoundError as error:
        print(f"predict.py: the package {error.name} is missing. Try: pip install -r requirements.txt", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # how `tail -f log | python predict.py -` ends
        return 130
    except BrokenPipeError:  # who reads the answers has enough of them
        sys.stdout = None
    except FileNotFoundError as error:
        print(f"predict.py: {error.filename}: no such file. Get a fresh copy", file=sys.stderr)
        return 2
    except UnicodeDecodeError as error:
        print(
            f"predict.py: {asked.texts[0]}: is not UTF-8 ({error.reason}). Convert it, as iconv does", file=sys.stderr
        )
        return 2
    except (ValueError, TypeError, OSError, csv.Error) as error:
        print(f"predict.py: {error}", file=sys.stderr)
        return 2
    return 0


def answer(model: Model, asked: argparse.Namespace) -> None:
    """Answer the texts, the file or standard input."""
    for sentence in (model.promise or {}).get("words", ()):
        print(sentence, file=sys.stderr)
    if model.calibration.problem:  # the shares of labels are not what they were
        print(f"predict.py: {model.calibration.about()}. Get a fresh copy", file=sys.stderr)
    first, is_alone = asked.texts[0], len(asked.texts) == 1
    suffix = Path(first).suffix.lower() if is_alone and len(first) < 4096 else ""
    is_file = bool(suffix) and is_path_of(Path.is_file, first)
    if is_file and suffix in DELIMITERS:
        answer_table(model, asked, suffix)
    elif suffix in DELIMITERS and not re.search(r"\s", first):
        raise ValueError(f"{first}: no such file")
    elif is_alone and os.sep in first and is_path_of(Path.is_dir, first):
        raise ValueError(f"{first}: is a folder, but a file is needed")
    elif is_file and not reads_sounds(model):
        is_table = suffix in TABLES or model.reads > 1  # whose lines are no texts
        cure = "a .csv file with these rows" if is_table else f"for one text a line, predict.py - < {first}"
        raise ValueError(f"{first}: is neither a .csv nor a .tsv file. Try: {cure}")
    elif is_alone and first == "-":
        if model.reads > 1:
            raise ValueError("this model reads two texts at a time, but a line is one. Try: a .csv file")
        write_answers(asked, map(model, lines_of(sys.stdin)))
    elif reads_sounds(model) and not is_alone:
        write_answers(asked, ({SOUND: path} | model(path) for path in asked.texts))
    else:
        if len(asked.texts) != model.reads:
            raise ValueError(
                f"this model reads {model.reads} at a time, but got {len(asked.texts)} (put a text in quotes)"
            )
        write_answers(asked, [model(*asked.texts)])


def answer_table(model: Model, asked: argparse.Namespace, suffix: str) -> None:
    """Answer the rows of a file. suffix: of its name, one of DELIMITERS."""
    path, wanted = asked.texts[0], Path(asked.out or "").suffix.lower()
    if asked.pair and model.reads == 1:
        raise ValueError(f"--pair {asked.pair}: this model reads one text at a time. Leave it out")
    if wanted and wanted not in (*DELIMITERS, *LINES):
        raise ValueError(f"--out {asked.out}: expected a name that ends in .csv, .tsv or .jsonl")
    with Path(path).open(encoding="utf-8-sig", newline="") as source:
        table = read_table(
            source, path, lambda known: columns_of(known, (asked.text, asked.pair)[: model.reads], model.folder)
        )
        found = answered_rows(model, table, Path(path).parent if reads_sounds(model) else None)
        if asked.out and Path(asked.out).exists() and Path(asked.out).samefile(path):
            raise ValueError(f"--out {asked.out}: is the file being read. Try another name")
        if wanted in LINES:
            write(asked.out, lambda target: write_lines(target, found))
        else:
            written = DELIMITERS.get(wanted, DELIMITERS[suffix])[0]
            write(asked.out, lambda target: write_rows(target, found, written))


def write_answers(asked: argparse.Namespace, answers: Iterable[dict[str, object]]) -> None:
    """Write each answer as a line of JSON; raise ValueError for an option that is for tables."""
    for option, value in (("--text", asked.text), ("--pair", asked.pair)):
        if value:
            raise ValueError(f"{option} {value}: names a column of a .csv or .tsv file. Leave it out")
    if asked.out and Path(asked.out).suffix.lower() in DELIMITERS:
        cure = Path(asked.out).with_suffix(LINES[0])
        raise ValueError(f"--out {asked.out}: these answers are lines of JSON. Try: --out {cure}")
    write(asked.out, lambda target: write_lines(target, answers))


def is_path_of(kind: Callable[[Path], bool], text: str) -> bool:
    """Is this text the path of a file or folder, by `Path.is_file` or `Path.is_dir`? A long text is no path."""
    try:
        return kind(Path(text))  # raises OSError for a text that is longer than any name
    except (OSError, ValueError):
        return False


def lines_of(source: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a stream without their ends, and without a byte order mark before the first."""
    for number, line in enumerate(source):
        yield (line if number else line.removeprefix("\ufeff")).rstrip("\n")


def reads_sounds(model: Model) -> bool:
    """Is a question the path of a sound file?"""
    return bytes in model.takes


def columns_of(known: Sequence[str], asked: Sequence[str | None], folder: Path) -> list[str]:
    """Return the columns of the texts: those asked for, else those of the training data, else those of COLUMNS."""
    about = folder / ABOUT
    trained = json.loads(about.read_text(encoding="utf-8"))["columns"] if about.is_file() else []
    usual = trained if len(trained) == len(asked) and set(trained) <= set(known) else COLUMNS
    return [given or name for given, name in zip(asked, usual)]


def answered_rows(model: Model, table: Table, folder: Path | None = None) -> Iterable[dict[str, object]]:
    """Return each row with the answer and a column `p_<label>` for each label; `predicted_tags` beside `tags`.

    Raises ValueError where a row was answered before.

    folder: that paths of sounds are below; None for texts.
    """
    for row in table.rows:
        texts = [row[column] for column in table.columns]
        found = model(*texts) if folder is None else model(str(folder / texts[0]))
        shares = {f"p_{label}": share for label, share in found.pop("probabilities", {}).items()}
        found = {f"{MOVED}{name}" if name in row and name != FIRST else name: value for name, value in found.items()}
        if taken := sorted(row.keys() & (found | shares).keys()):
            raise ValueError(f"there is a column {taken[0]!r} already, but answers are written there. Rename it")
        yield row | found | shares


def write(path: str | None, work: Callable[[TextIO], None]) -> None:
    """Write to a file, which gets its name when all is written, or to standard output."""
    if path is None:
        work(sys.stdout)
        return
    part = Path(f"{path}.{os.getpid()}.part")  # so that two processes writing the same file do not mix
    if not part.parent.is_dir():
        raise ValueError(f"--out {path}: there is no folder {part.parent}")
    try:
        with part.open("w", encoding="utf-8", newline="") as target:
            work(target)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_rows(target: TextIO, rows: Iterable[dict[str, object]], delimiter: str) -> None:
    """Write a table whose columns are those of its first row."""
    table = None
    for row in rows:
        if table is None:
            table = csv.DictWriter(target, [cell(name) for name in row], delimiter=delimiter, lineterminator="\n")
            table.writeheader()
        table.writerow({cell(name): cell(value) for name, value in row.items()})


def cell(value: object) -> object:
    """Return a value that a spreadsheet shows and does not run: text that looks like a formula gets an apostrophe.

    Control characters are spelled out; numbers stay as they are, also those in text. A list becomes JSON.
    """
    if isinstance(value, list):
        value = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str) or is_number(value):
        return value
    shown = CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), value)
    return f"'{shown}" if value.startswith(FORMULA) else shown


def is_number(text: str) -> bool:
    """Is this a number, without spaces around it?"""
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()


def write_lines(target: TextIO, answers: Iterable[dict[str, object]]) -> None:
    """Write each answer as a line of JSON, at once."""
    for found in answers:
        print(json.dumps(found, ensure_ascii=False), file=target, flush=True)
