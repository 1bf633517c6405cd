"""`run predict ID ...`: answers to a text or a sound, to the rows of a file, or to standard input."""

from __future__ import annotations

import difflib
import re
import shlex
import stat
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from data.sources.columns import is_column_number
from data.sources.options import UNREAD, ReadOptions, format_of, ineffective_options, suffix_of
from runner.commands import sound_files
from runner.commands.answers import CHUNK, AnswerOptions, answer_rows, answer_text, text_or_words
from runner.commands.options import (
    output_folder,
    parse_options,
    path_option,
    split_run,
    unknown_option,
    whole_number,
)
from runner.commands.promise import PROMISE_OPTIONS, check_promised_length, promise_to_keep, wanted_promise
from runner.deploy.budgets import find_model_at, share_of
from runner.deploy.exported import ExportedModel
from runner.deploy.streams import OF_SUFFIX, Row, input_format, output_format, read_texts
from runner.errors import ConfigError
from runner.record.next_step import output_words
from runner.sanitize import say

OF_TABLES = {
    "input": "", "text": "", "text_pair": "", "encoding": "utf-8", "delimiter": "auto", "quoting": "auto",
}  # fmt: skip
OPTION = re.compile(r"[A-Za-z][\w.]*")  # a name as options have
TEXTS = ("<text>", "<text> <second text>")  # inputs of a single argument
DEFAULTS = (
    OF_TABLES
    | PROMISE_OPTIONS
    | {"engine": "auto", "length": "", "out": "", "batch_size": "32", "threads": "1", "paths.output": "outputs"}
)


def main(words: list[str]) -> int:
    """Answer the text or the rows; 0 unless the command or the input is wrong."""
    words, literal = split_literals(words)
    source, rest = split_run("predict", words)
    asked = [word for word in rest if word.partition("=")[0] not in DEFAULTS]
    refuse_unknown_options(asked)
    chosen = parse_options("predict", [word for word in rest if word not in asked], **DEFAULTS)
    if not asked and not literal and chosen["text"]:  # without a file, text= is the text itself
        literal = [chosen[key] for key in ("text", "text_pair") if chosen[key]]
        chosen |= {"text": "", "text_pair": ""}
    if not asked and not literal:
        raise ConfigError(f'run predict: no text and no file. Try: run predict {source} "a text", or a file, or -')
    size = whole_number("predict", "batch_size", chosen["batch_size"], 1, 4096)
    threads = whole_number("predict", "threads", chosen["threads"], 1, 1024)
    wanted, output = wanted_promise("predict", chosen), output_folder(chosen["paths.output"])
    length = share_of("predict", chosen["length"])
    check_promised_length("predict", wanted, length=length)
    exported = find_model_at(source, output, chosen["engine"], length)
    is_sound, given = exported.reads_sounds, [*asked, *literal]
    table = sound_files.table_of(given, chosen) if is_sound else table_of(source, asked, len(literal), chosen)
    promise, read = promise_to_keep(exported, wanted), reader_of(exported, table)
    chosen = with_word_column(table, chosen, exported) if table else chosen
    rows = rows_of(table, given, chosen, exported)
    out = path_option("out", chosen["out"], "answers.csv") if chosen["out"] else None
    form = written_format(out, table, chosen)
    if table or out or (is_sound and len(given) > 1):
        columns, chunk = named_columns(chosen, exported), sound_files.CHUNK if is_sound else CHUNK
        options = AnswerOptions(columns, size, threads, out, form, table == "-", promise, read, chunk)
        answer_rows(exported, rows, options)
    else:
        answer_text(exported, threads, [read(word) for word in given], promise)
    return 0


def rows_of(table: str, given: list[str], chosen: dict[str, str], exported: ExportedModel) -> Iterator[Row]:
    """Yield the rows of a table, or else the texts given on the command line."""
    if table:
        return table_rows(table, chosen, exported)
    return sound_files.sound_rows(given, exported) if exported.reads_sounds else text_rows(given, chosen, exported)


def reader_of(exported: ExportedModel, table: str) -> Callable[[Any], Any]:
    """Return the function that turns a cell into a question for this model. table: the file that the cells are from."""
    if not exported.reads_sounds:
        return text_or_words if exported.reads_words else str
    folder = Path(table).parent if table not in ("", "-") else Path()
    return partial(sound_files.read_sound, folder=folder, max_mb=float(exported.options["max_mb"]))


def split_literals(words: list[str]) -> tuple[list[str], list[str]]:
    """Return the words before `--`, and the words after it, which are always texts."""
    place = words.index("--") if "--" in words else len(words)
    return words[:place], words[place + 1 :]


def refuse_unknown_options(asked: list[str]) -> None:
    """Raise ConfigError for a word like an option that this verb does not have; with spaces only for a near name."""
    for word in asked:
        key, equals, _ = word.partition("=")
        is_near = bool(difflib.get_close_matches(key, DEFAULTS))
        is_option = OPTION.fullmatch(key) and (is_near or not re.search(r"\s", word)) and not mode_of(word)
        if equals and is_option:
            said = unknown_option("predict", word, list(DEFAULTS))
            raise ConfigError(f"{said}; a text that begins like this goes after --")


def table_of(source: str, asked: list[str], literal: int, chosen: dict[str, str]) -> str:
    """Return the file to answer, - for standard input, or "" if the words are texts.

    Raises ConfigError for a word that looks like a file but is not one.
    """
    found = missing = ""
    command, folder = shlex.join(["run", "predict", source]), output_words(output_folder(chosen["paths.output"]))
    for word in asked:
        as_text = " ".join([command, shlex.quote(f"text={word}"), *folder])
        mode = mode_of(word)
        if word == "-" or (mode and not stat.S_ISDIR(mode)):
            found = word
        elif mode:
            raise ConfigError(f"{word} is a folder, but a file is needed. Try: a file in it; or, as a text: {as_text}")
        elif is_named_like_a_file(word) or (chosen["input"] and not asked[1:]):
            missing = missing or f"{word}: no such file. Try: its right name; or, as a text: {as_text}"
    if missing and not found:
        raise ConfigError(missing)
    if found and len(asked) + literal > 1:
        option = next((word.partition("=")[0] for word in asked if word != found and "=" in word), None)
        problem = (
            f"{option!r} is not one of its options ({', '.join(chosen)})"
            if option
            else f"{found} is a file, and only one can be read at a time"
        )
        raise ConfigError(f"run predict: {problem}. Try: {' '.join([command, shlex.quote(found), *folder])}")
    if found not in ("", "-"):
        input_format(Path(found), chosen["input"], " ".join([command, shlex.quote(f"text={found}"), *folder]))
    return found


def is_named_like_a_file(word: str) -> bool:
    """Return whether a word ends like the name of a table, even of one that cannot be read, such as a.xlsx."""
    path = Path(word)
    is_unread = path.suffix.lower() in UNREAD and len(word.split()) == 1  # "see the .zip" is a text
    return bool(format_of(path)) or suffix_of(path) in OF_SUFFIX or is_unread


def mode_of(word: str) -> int:
    """Return the st_mode of a path, which tells folders from files; 0 if there is no such path, as for most texts."""
    try:
        return Path(word).stat().st_mode if word else 0
    except (OSError, ValueError):  # raised also for a text that is longer than any path
        return 0


def named_columns(chosen: dict[str, str], exported: ExportedModel) -> list[str]:
    """Return the columns of the texts: as chosen, else as in the run's data."""
    if chosen["text_pair"] and not exported.is_pair:
        raise ConfigError(f"text_pair={chosen['text_pair']}: this model reads one text. Leave text_pair= out")
    return [chosen[key] or name for key, name in zip(("text", "text_pair"), exported.columns)]


def with_word_column(table: str, chosen: dict[str, str], exported: ExportedModel) -> dict[str, str]:
    """Return the options; for a CoNLL file, whose first column has the words, with that column named.

    Raises ConfigError for such a file where the model reads texts.
    """
    if input_format(None if table == "-" else Path(table), chosen["input"]) != "conll":
        return chosen
    if not exported.reads_words:
        raise ConfigError(
            f"{table}: a CoNLL file has one word per line, but this model reads texts. Try: a file with a text per line"
        )
    column = chosen["text"] or exported.columns[0]
    return chosen | {"text": column if is_column_number(column) else "0"}


def table_rows(table: str, chosen: dict[str, str], exported: ExportedModel) -> Iterator[Row]:
    """Yield the rows of a file or of standard input, read as the options say."""
    path = None if table == "-" else Path(table)
    file_format = input_format(path, chosen["input"])
    columns = named_columns(chosen, exported)
    if file_format == "lines" and len(columns) > 1:
        raise ConfigError("this model reads pairs of texts, but a line is one text. Try: input=jsonl")
    texts = dict(zip(("text", "text_pair"), columns))
    written = (chosen["encoding"], chosen["delimiter"], chosen["quoting"])
    asked = ReadOptions(texts, *written, takes_words=exported.reads_words, note=note)
    if problems := ineffective_options([file_format], chosen):
        raise ConfigError(problems[0])
    if asked.quoting not in ("auto", "minimal", "none"):
        raise ConfigError(f"quoting={asked.quoting}: expected auto, minimal or none. Try: quoting=auto")
    return read_texts(path, file_format, asked)


def note(text: str) -> None:
    """Print a remark about the input on standard error, apart from the answers."""
    say(f"note: {text}", sys.stderr)


def text_rows(texts: list[str], chosen: dict[str, str], exported: ExportedModel) -> Iterator[Row]:
    """Yield the texts of the command as one row.

    Raises ConfigError if they are too many, or an option is for files.
    """
    if len(texts) != len(exported.columns):
        wanted = "two texts" if exported.is_pair else "one text (in quotes)"
        own = "" if exported.placeholders in TEXTS else f", {exported.placeholders}"
        raise ConfigError(f"run predict: this model reads {wanted}{own}, but {len(texts)} were given")
    if useless := [key for key, default in OF_TABLES.items() if chosen[key] != default]:
        key = useless[0]
        raise ConfigError(
            f"{key}={chosen[key]} is for the rows of a file, but this is a text. Leave {key}= out; "
            f"a text that begins like this goes after --"
        )
    return iter([dict(zip(exported.columns, texts))])


def written_format(out: Path | None, table: str, chosen: dict[str, str]) -> str:
    """Return csv or jsonl: by the name of the output file, else by the format of the input."""
    if out:
        if table not in ("", "-") and out.exists() and out.samefile(table):
            raise ConfigError(f"out={out} is the file that is read. Try: out={out.stem}-answers.csv")
        return output_format(out)
    return "csv" if (chosen["input"] or format_of(Path(table))) in ("csv", "tsv") else "jsonl"
