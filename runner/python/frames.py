"""Writes data frames to files: a run reads files, and their content is part of its identity."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from data.part_file import written_whole
from data.quoting import hydra_setting
from data.sources.cells import label_text, plain_number
from data.sources.columns import group_column
from data.sources.questions import is_questions
from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.errors import ConfigError

FOLDER = "frames"  # below the cache
CACHE = "paths.cache="
CHOICE = "data="
OF_DATA = (CHOICE, "data.", "task=", "task.")  # how the words begin that say which columns are read


@dataclass(frozen=True)
class Columns:
    """The columns that a command reads; none at all: every column."""

    texts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    others: tuple[str, ...] = ()  # that say which rows belong together, or describe them


def frame_words(
    frame: pd.DataFrame, text: str | None, label: str | None, words: Sequence[str]
) -> tuple[list[str], dict[str, object]]:
    """Write the columns of a data frame that a command reads; return the overrides that name them, and the labels.

    text, label: columns, by default of those names; words: the command's overrides, which may name others, as
    data.text_pair, data.group and data.labels do. The labels are by their names, as in `label_values`. Raises
    ConfigError as `frame_file` and `columns_read`, and TypeError for what is no data frame, such as a Series.
    """
    if not isinstance(frame, pd.DataFrame):
        cure = 'pandas.DataFrame({"text": texts, "label": labels})'
        raise TypeError(f"expected a data frame, not a {type(frame).__name__}. Try: {cure}")
    columns = {"data.text": "text" if text is None else text, "data.label": "label" if label is None else label}
    named = [hydra_setting(key, str(name)) for key, name in columns.items()]
    read = columns_read([*named, *words])
    path = frame_file(frame, words, (*read.texts, *read.labels, *read.others))
    values = label_values(frame, read.labels[0]) if len(read.labels) == 1 else {}
    return ["data=files", hydra_setting("data.path", str(path)), *named], values


def columns_read(words: Sequence[str]) -> Columns:
    """Return the columns that a command with these overrides reads, of a file unless they choose other data.

    Raises ConfigError for mistakes in those about data.
    """
    chosen = [word for word in words if word.startswith(OF_DATA)]
    if not any(word.startswith(CHOICE) for word in chosen):
        chosen.insert(0, f"{CHOICE}files")
    if problems := check_overrides(chosen, whole=False):
        raise ConfigError("\n".join(problems))
    config = compose(chosen)
    data = config.data
    if is_questions(data, config.task.name):  # their reader finds columns by itself, such as the places of answers
        return Columns()
    tags = [data.tags] if isinstance(data.tags, str | int) else list(data.tags or ())
    labels = tags or list(data.labels) or [data.label]
    texts = [data.tokens] if tags else [data.audio] if data.audio else [data.text, data.text_pair]
    others = [group_column(data.group), data.codes, data.fold_column]
    # A name of digits is a number until the settings are resolved.
    return Columns(*(tuple(str(name) for name in part if name is not None) for part in (texts, labels, others)))


def frame_file(frame: pd.DataFrame, words: Sequence[str], columns: Iterable[str | None] = ()) -> Path:
    """Write a data frame into the cache, unless it is there, and return the file, named by the content.

    words: overrides, whose paths.cache counts; columns: those that are needed; none: all.
    Raises ConfigError for a column that is not there, for two of one name, and for one that a file cannot hold.
    """
    if frame.columns.nlevels > 1:
        cure = "frame.columns = ['_'.join(map(str, name)) for name in frame.columns]"
        raise ConfigError(f"the columns of the data frame have several levels. Try: {cure}")
    wanted = list(dict.fromkeys(column for column in columns if column))
    if missing := [column for column in wanted if column not in frame.columns]:
        known = ", ".join(map(str, frame.columns))
        cure = "" if all(isinstance(name, str) for name in frame.columns) else ". Try: frame.rename(columns=str)"
        raise ConfigError(f"no column {', '.join(missing)} in the data frame. Its columns: {known}{cure}")
    part = _writable(frame[wanted] if wanted else frame)
    if twice := [str(name) for name in part.columns[part.columns.duplicated()]]:
        raise ConfigError(f"the data frame has several columns named {twice[0]}, but one is needed. Rename the others")
    described = repr([(str(name), _kind(part[name])) for name in part.columns])
    digest = hashlib.sha256(described.encode())
    digest.update(_hashes(part).to_numpy().tobytes())
    path = cache_folder(words) / FOLDER / f"{digest.hexdigest()[:20]}.parquet"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with written_whole(path) as temporary:
                part.to_parquet(temporary, index=False)
        except (pa.ArrowException, TypeError, ValueError) as error:
            reason = error.args[0] if error.args else error
            raise ConfigError(
                f"the data frame cannot be written ({reason}). A column must have values of one type. "
                "Try: frame[column] = frame[column].astype(str)"
            ) from error
    return path


def _writable(part: pd.DataFrame) -> pd.DataFrame:
    """Return the columns with periods, intervals and durations as pandas shows them: a file would hold them as numbers
    or as other words, or not at all.
    """
    shown = part.copy(deep=False)
    for place, dtype in enumerate(part.dtypes):
        kind = dtype.categories.dtype if isinstance(dtype, pd.CategoricalDtype) else dtype
        if isinstance(kind, pd.PeriodDtype | pd.IntervalDtype) or pd.api.types.is_timedelta64_dtype(kind):
            column = part.iloc[:, place]
            shown.isetitem(place, column.astype(object).map(str, na_action="ignore").array)
    return shown


def _kind(column: pd.Series) -> str:
    """Return the type of a column, and for objects other than texts that of its cells.

    A list is hashed as the text that looks like it, and a file with one of them is not a file with the other.
    """
    cells = pd.api.types.infer_dtype(column, skipna=True) if column.dtype == object else "string"
    return str(column.dtype) if cells in ("string", "empty") else f"{column.dtype} {cells}"


def _hashes(part: pd.DataFrame) -> pd.Series:
    """Return a hash of each row; a cell with a list, which has none, counts as its text."""
    try:
        return pd.util.hash_pandas_object(part, index=False)
    except TypeError:
        return pd.util.hash_pandas_object(part.map(_as_text), index=False)


def _as_text(cell: object) -> str:
    """Return a cell as text; of an array every element, which `str` leaves out from 1,000 on."""
    return str(cell.tolist() if isinstance(cell, np.ndarray) else cell)


def cache_folder(words: Sequence[str]) -> Path:
    """Return the cache of a command with these overrides."""
    named = [word.removeprefix(CACHE) for word in words if word.startswith(CACHE)]
    default = os.environ.get("BERTIER_CACHE", "~/.cache/bertier")
    return Path(named[-1] if named else default).expanduser().absolute()


def label_values(frame: pd.DataFrame, column: str) -> dict[str, object]:
    """Return the labels of a data frame by their names as runs have them, so that answers have the type of the labels.

    A cell may have a list of them. A whole number that pandas holds as a float, such as 1.0, is the class 1 of a run,
    and a text is named as it is read: in NFC, without surrounding blanks. Of several labels of one name it is the one
    that is written so, else the first.
    """
    written: dict[str, object] = {}  # by its text: a list in a list, which the reader refuses, has no hash
    for value in frame[column].explode().dropna().tolist():
        written.setdefault(str(value), value)
    found: dict[str, object] = {}
    for text, value in written.items():
        name = label_text(text, column)
        found.setdefault(plain_number(name), value)
        found.setdefault(name, value)
    return found | written
