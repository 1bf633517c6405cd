"""The rows of one local file or stream, for training and for `run predict`.

CSV, TSV, JSON (one object per line, or an array) and Parquet, each also gzipped; suffixes may be in upper case. Rows
are streamed, so a file may have any size.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import shutil
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, TextIO

from data.errors import DataError
from data.quoting import shell_setting
from data.sources.cells import check_text_columns, holds_words
from data.sources.columns import distinct_names
from data.sources.conll import conll_rows
from data.sources.delimited import SAMPLE, delimited_rows
from data.sources.json_rows import json_rows
from data.sources.options import ReadOptions, Row
from data.sources.raw import CHUNK

PEEKED = 256  # bytes
MARK = "\ufeff"  # the byte order mark, at the start of a file
GZIP = b"\x1f\x8b"
OTHER_FILES = {  # by first bytes: what the file is, and what to do
    b"PAR1": "Parquet, not text. Rename it to .parquet",
    b"PK\x03\x04": "a zip archive, as .xlsx files are, not text. Unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "a file of old office programs, not text. Save the sheet as CSV",
}
WINDOWS = bytes(range(0x80, 0xA0))  # letters in cp1252, control characters in latin-1
TURKISH = [bytes([byte]) for byte in b"\xd0\xdd\xde\xf0\xfd\xfe"]  # Ğ İ Ş ğ ı ş in cp1254, Icelandic letters in cp1252
VOWELS = [bytes([byte]) for byte in b"\xe1\xe6\xe9\xed\xf3\xfa"]  # á æ é í ó ú, as frequent as those in Icelandic texts
KANA, MANY_KANA = (0xA4, 0xA5), 0.2  # how kana begin in EUC-JP, and the least share of them in Japanese texts
HIGH, PLAIN = re.compile(rb"[\x80-\xff]+"), re.compile(rb"[A-Za-z]")
# With so many bytes above ASCII, and this share of the letters of their lines, a text is not in Latin letters.
MANY, MOSTLY = 10, 0.5
OTHER_LETTERS = (
    "<that of the file, such as cp1251 for Russian, cp1256 for Arabic, shift_jis for Japanese, big5 for Chinese>"
)


def read_rows(path: Path, file_format: str, options: ReadOptions) -> Iterator[Row]:
    """Yield each row of a file with its number. file_format: from `format_of`, or lines. Raises DataError."""
    try:
        with ExitStack() as stack:
            raw = stack.enter_context(path.open("rb"))
            is_packed = raw.peek(2)[:2] == GZIP
            binary: Any = stack.enter_context(gzip.GzipFile(fileobj=raw)) if is_packed else raw
            if file_format == "parquet":
                source: Path | IO[bytes] = path
                if is_packed:  # reading Parquet starts at its end, which gzip cannot seek to
                    source = stack.enter_context(tempfile.TemporaryFile())
                    shutil.copyfileobj(binary, source)
                yield from _parquet(source, path, options)
            else:
                stream = stack.enter_context(open_text(binary, options.codec))
                yield from rows_of_stream(stream, file_format, str(path), options)
    except UnicodeError as error:
        with path.open("rb") as raw:
            start = raw.read(PEEKED)
        if found := next((kind for mark, kind in OTHER_FILES.items() if start.startswith(mark)), None):
            raise DataError(f"{path} holds {found}") from error
        line, guess = _bad_line(path, options.encoding)
        key = options.key("encoding")
        cure = f"{key}={OTHER_LETTERS}" if guess is None else shell_setting(key, guess)
        raise DataError(f"{path} line {line} is not {options.encoding}. Try: {cure}") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path} is not a complete gzip file ({error}). Download or compress it again") from error


def open_text(binary: IO[bytes], codec: str) -> TextIO:
    """Return the text of a binary stream, without a byte order mark of its encoding.

    Only some codecs recognise the mark: with utf-16-le it would become part of the first column's name.
    """
    try:
        mark = b"" if "".encode(codec) else MARK.encode(codec)  # a codec that writes a mark itself also reads it
    except UnicodeError:
        mark = b""  # of an encoding without this character
    if mark and isinstance(binary, io.BufferedReader | gzip.GzipFile) and binary.peek(len(mark)).startswith(mark):
        binary.read(len(mark))
    return io.TextIOWrapper(binary, encoding=codec, newline="")


def rows_of_stream(stream: TextIO, file_format: str, where: str, options: ReadOptions) -> Iterator[Row]:
    """Yield each row of a text stream with its number; file_format: as in `read_rows`, where: its name in messages."""
    if file_format == "lines":
        return ((number, {options.text: line.rstrip("\r\n")}) for number, line in enumerate(stream, 1))
    if file_format == "conll":
        return conll_rows(stream, where, options.wanted)
    if file_format == "jsonl":
        return json_rows(stream, where, options)
    return delimited_rows(stream, file_format, where, options)


def _parquet(file: Path | IO[bytes], path: Path, options: ReadOptions) -> Iterator[Row]:
    """Yield each row of a Parquet file; path: for messages."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
        names = table.schema_arrow.names

        def sample() -> list[tuple[object, ...]]:
            batch = next(table.iter_batches(SAMPLE), None)
            return list(zip(*(column.to_pylist() for column in batch.columns))) if batch else []

        options.require_columns(names, str(path), sample)
        texts = {name: column for name in ("text", "text_pair") if (column := options.columns.get(name))}
        if options.takes_words:
            texts = {name: column for name, column in texts.items() if not holds_words(table.schema_arrow, column)}
        named = {options.key(name): column for name, column in texts.items()}
        check_text_columns(table.schema_arrow, named, str(path), options.columns.values())
        number = 0
        for batch in table.iter_batches(CHUNK, columns=list(options.wanted.values()) if options.only_wanted else None):
            titles = distinct_names(batch.schema.names)
            for values in zip(*(column.to_pylist() for column in batch.columns)):
                number += 1
                yield number, dict(zip(titles, values))
    except DataError:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError, NotImplementedError) as error:
        raise DataError(
            f"{path} is not a complete Parquet file ({str(error).splitlines()[0][:200]}); "
            "a download that was cut off looks like this. Download it again"
        ) from error


def _bad_line(path: Path, encoding: str) -> tuple[int, str | None]:
    """Return the first line of a file that is not in this encoding, and an encoding that reads the whole file.

    None instead of an encoding that would read letters of another script as Latin ones.
    """
    line, first, is_windows, counts = 0, b"", False, Counter[str]()
    for number, raw in enumerate(_lines(path), 1):
        first = first or raw
        is_windows = is_windows or any(byte in WINDOWS for byte in raw)
        counts.update(count_scripts(raw))
        if not line and not _is_in([raw], encoding):
            line = number
    if first.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):  # the former begins like that of UTF-16
        return line or 1, "utf-32"
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return line or 1, "utf-16"
    is_other = counts["high"] > MANY and counts["high"] > MOSTLY * (counts["high"] + counts["plain"])
    western = [] if is_other else ["cp1252", "latin-1"] if is_windows else ["latin-1"]  # latin-1 reads any bytes
    guesses = (
        one for one in ("utf-8", *encodings_of(counts), *western) if codecs.lookup(one) != codecs.lookup(encoding)
    )
    return line or 1, next((guess for guess in guesses if _is_in(_lines(path), guess)), None)


def count_scripts(raw: bytes) -> Counter[str]:
    """Count the bytes of a line that distinguish single-byte encodings from each other and from Chinese ones."""
    runs = HIGH.findall(raw)
    pairs = [run for run in runs if len(run) % 2 == 0]
    return Counter({
        "turkish": sum(map(raw.count, TURKISH)), "other": sum(map(raw.count, VOWELS)),
        "pairs": sum(map(len, pairs)), "high": sum(map(len, runs)), "plain": len(PLAIN.findall(raw)) if runs else 0,
        "hangul": sum(2 for run in pairs for byte in run[::2] if 0xB0 <= byte <= 0xC8),
        "kana": sum(2 for run in pairs for byte in run[::2] if byte in KANA),
    })  # fmt: skip


def encodings_of(counts: Mapping[str, int]) -> list[str]:
    """Guess the encoding from byte counts: high bytes in pairs mean Chinese, many of its six letters mean Turkish.

    Pairs that nearly all begin like syllables of Hangul mean Korean; many that begin like kana mean Japanese, which
    all codecs of pairs can read, as other characters.
    """
    if counts["high"] and counts["pairs"] > 0.95 * counts["high"]:
        is_japanese = counts["kana"] > MANY_KANA * counts["pairs"] and counts["hangul"] < 0.5 * counts["pairs"]
        usual = ["euc_jp"] if is_japanese else []  # gb18030 reads the kana, but other characters for the rest
        return [*usual, "cp949" if counts["hangul"] > 0.9 * counts["pairs"] else "gb18030"]
    return ["cp1254"] if counts["turkish"] > 4 * counts["other"] else []


def begins_with(path: Path, text: str) -> bool:
    """Return whether a file begins with this text, ignoring leading blanks."""
    with path.open("rb") as raw:
        return raw.read(PEEKED).lstrip().startswith(text.encode())


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file, unpacked if it is gzipped."""
    with path.open("rb") as raw:
        yield from gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == GZIP else raw


def _is_in(parts: Iterable[bytes], encoding: str) -> bool:
    """Return whether these bytes can be decoded."""
    try:
        for _ in codecs.iterdecode(parts, encoding):
            pass
    except UnicodeError:
        return False
    return True
