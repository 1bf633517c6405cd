"""`model.bin`, format 1: a JSON header and named arrays, each with a checksum.

    content = pack("ngram", labels, {"rows": rows, ...}, {"bits": 26})

Bytes 0-7: `BRTRSML` and the format number; 8-11: length of the header, a multiple of 8; 12-15: CRC-32 of the header;
then the header, padded with spaces; then the arrays, each at a multiple of 8 bytes from the end of the header, padded
with zeros. All numbers are little-endian. An array is deflated if that is shorter, or from LARGE bytes on only if it
saves a tenth: float32 tables shrink by 7 %, and inflating that of dsn-32, 4 MB, would take 15 of the 22 ms needed to
open its file. The reader is runner/deploy/bundle/predict.py.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from models.json_types import JsonObject

NAME = "model.bin"
MAGIC = b"BRTRSML"
FORMAT = 1
LARGE, WORTH = 1 << 21, 0.9  # arrays from LARGE bytes on are deflated only to less than this share of their size
DTYPES = ("u1", "i1", "f2", "f4", "u4")  # allowed for arrays


def pack(
    kind: str,
    labels: Sequence[str],
    arrays: Mapping[str, np.ndarray],
    fields: JsonObject | None = None,
    *,
    temperature: float = 1.0,
) -> bytes:
    """The content of a model.bin.

    kind: tells the reader which code to use; labels: in id order, () for regression; arrays: of the types in DTYPES,
    written in this order; fields: further entries of the header; temperature: divides the logits. Raises ValueError
    for an array of another type.
    """
    data, described = b"", {}
    for name, array in arrays.items():
        data = _filled(data, b"\0")
        stored, described[name] = _stored(name, array)
        described[name]["at"] = len(data)
        data += stored
    data = _filled(data, b"\0")
    own = {"kind": kind, "labels": list(labels), "temperature": float(temperature), "data": len(data)}
    header = own | {"arrays": described} | (fields or {})
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    written = _filled(text.encode(), b" ")
    sizes = len(written).to_bytes(4, "little") + zlib.crc32(written).to_bytes(4, "little")
    return MAGIC + bytes([FORMAT]) + sizes + written + data


def _stored(name: str, array: np.ndarray) -> tuple[bytes, JsonObject]:
    """The bytes of an array, deflated if that is worthwhile, and its entry in the header."""
    dtype = array.dtype.str[1:]
    if dtype not in DTYPES:
        raise ValueError(f"{name}: {array.dtype} is not stored in a model.bin, only {', '.join(DTYPES)}")
    raw = np.ascontiguousarray(array, f"<{dtype}").tobytes()
    deflated = zlib.compress(raw, 9)
    bound = len(raw) if len(raw) < LARGE else WORTH * len(raw)
    coding, stored = ("zlib", deflated) if len(deflated) < bound else ("raw", raw)
    facts = {"bytes": len(stored), "coding": coding, "crc": zlib.crc32(stored), "dtype": dtype}
    return stored, facts | {"shape": list(array.shape)}


def _filled(content: bytes, filling: bytes) -> bytes:
    """Pad the content with `filling` to a multiple of 8 bytes."""
    return content + filling * (-len(content) % 8)
