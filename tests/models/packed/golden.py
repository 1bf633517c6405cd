"""The golden model.bin: six n-grams, two classes, prints of 16 bits."""

from __future__ import annotations

import numpy as np

from models.packed.elias_fano import encode
from models.packed.format import pack

SHA256 = "380ae5698d181ed0d98d1844b8cfa4f87104f5697c70ba74537f073ece835b06"
PRINTS = np.array([11314, 17374, 25379, 27503, 33562, 43339])  # good, "not good", !, bad, "not bad", not
ROWS = np.array([[85, -127, 11, -85, 106, -21]], np.int8)
SCALE = np.array([3 / 127], np.float32)
SCORES = {  # text -> score and probability of pos
    "good": (2.132874, 0.894058),
    "GOOD good": (2.132874, 0.894058),
    "Not good!": (-1.103346, 0.249113),
    "not bad": (0.125, 0.531209),
    "bad bad bad": (-1.882874, 0.132059),
    "": (0.125, 0.531209),
    "naïve": (0.125, 0.531209),
    "not  bad , not good": (-0.867126, 0.295853),
}


def golden_content(**more: object) -> bytes:
    """The 640 bytes of the file; more: further entries of its header."""
    code = encode(PRINTS, 16)
    bias = np.array([0.125], np.float32)
    arrays = {"scale": SCALE, "bias": bias, "high": code.high, "low": code.low, "rows": ROWS}
    fields = {"grams": 2, "bits": 16, "count": 6, "low": code.low_bits, "lower": True, "token": r"\w+|[^\w\s]"}
    return pack("ngram", ["neg", "pos"], arrays, fields | more)
