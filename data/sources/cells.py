"""Cells of a table as text, from any source; the error for a cell that is not text says how to fix it."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection
from typing import TYPE_CHECKING

from data.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

HALF = re.compile("[\ud800-\udfff]")  # a lone surrogate, which JSON can contain
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"  # zero-width characters, often copied along with text


def as_text(value: object, where: str, key: str) -> str:
    """Return a cell as text; DataError for an object, a list, bytes, or a lone surrogate.

    where: the row's name in messages; key: the setting that names the column, such as data.text.
    """
    if isinstance(value, list | dict | tuple):
        raise _nested("an object" if isinstance(value, dict) else "a list", f"{where} holds {value!r:.80}", key)
    text = str(value)
    if isinstance(value, bytes) or HALF.search(text):
        raise DataError(f"{where} holds {value!r:.80}, which is not text. Fix that row")
    return text


def label_text(value: object, where: str) -> str:
    """Return a label as text in NFC, without surrounding blanks and invisible characters; "" if missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    text = as_text(value, where, "data.label")
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        while (shorter := text.strip().strip(INVISIBLE)) != text:
            text = shorter
    return text.strip()


def label_cell(value: object, where: str) -> str | list[str]:
    """Return a label as `label_text` does, or the labels of a list; DataError for a list of lists."""
    if not isinstance(value, list):
        return label_text(value, where)
    if any(isinstance(label, list | tuple) for label in value):
        raise DataError(
            f"{where} holds {value!r:.80}, lists in a list; a list must hold the labels themselves, as in "
            '["a", "b"]. Write them so'
        )
    return [label_text(label, where) for label in value]


def parse_number(value: str) -> float | None:
    """Parse a text as a number; None if it is not one. 1_2, which Python reads as 12, is not a number here."""
    try:
        return None if "_" in value else float(value)
    except ValueError:
        return None


def is_digits(value: str) -> bool:
    """Return whether this is a whole number written without a decimal point, such as 7 or 007."""
    return re.fullmatch(r"[+-]?\d+", value) is not None  # not isdigit: int refuses a superscript


def plain_number(value: str) -> str:
    """Return a whole number with a decimal point or an exponent as plain digits (1.0 as 1), without a sign that does
    not change its value (+1 as 1, -0 as 0); other text unchanged.
    """
    if is_digits(value):
        return value.lstrip("+-") if value.startswith("+") or not value.strip("-0") else value
    number = parse_number(value)
    return str(int(number)) if number is not None and number.is_integer() else value


def check_text_columns(
    schema: pa.Schema, wanted: dict[str, str], where: str, used: Collection[str | None] = ()
) -> None:  # fmt: skip
    """Raise DataError for a text column of an Arrow table that holds something else.

    wanted: columns by the setting that names them, such as {"data.text": "review"}; where: for messages; used: columns
    with another role, which are not suggested instead.
    """
    import pyarrow as pa

    for key, column in wanted.items():
        kind, seen = schema.types[schema.names.index(column)], f"{where}: the column {column!r} holds"
        if _holds_files(kind):
            raise DataError(f"{seen} files, not text. Try, if they are sounds: data.audio={column} model=tiny-sound")
        if pa.types.is_nested(kind):
            raise _nested("a list" if _is_list(kind) else "an object", f"{seen} {kind!s:.80}", key)
        if not _is_text(kind):
            texts = [name for name, kin in zip(schema.names, schema.types) if _is_text(kin) and name not in used]
            cure = f"{key}={texts[0]}" if texts else f"store it as text, or another column with {key}=..."
            raise DataError(f"{seen} {kind}, not text. Try: {cure}")


def _holds_files(kind: pa.DataType) -> bool:
    """Return whether this column holds files, such as sounds, as `datasets` stores them: bytes and a path."""
    import pyarrow as pa

    return pa.types.is_struct(kind) and {"bytes", "path"} == {field.name for field in kind}


def holds_words(schema: pa.Schema, column: str) -> bool:
    """Return whether this column of an Arrow table holds lists of texts."""
    kind = schema.types[schema.names.index(column)]
    return _is_list(kind) and _is_text(kind.value_type)


def _is_list(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    views = getattr(pa.types, "is_string_view", lambda _: False)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or views(kind) or pa.types.is_null(kind))


def _nested(what: str, seen: str, key: str) -> DataError:
    """Return the error for a column of lists or objects."""
    if key == "data.label" and what == "a list":
        return list_error(seen)
    needed = "one label a row" if key == "data.label" else "text"
    return DataError(
        f"{seen}, {what}; {needed} is needed. Write the part you need to a separate column, then: {key}=<that column>"
    )


def list_error(seen: str) -> DataError:
    """Return the error for a list of labels where one label is expected; seen: where, and which list."""
    return DataError(
        f"{seen}, a list of labels; one label a row is needed. Try: data.task=multilabel, which learns "
        "sets of labels, or data.label=<a column with one label a row>"
    )
