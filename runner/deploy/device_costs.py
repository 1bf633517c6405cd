"""The costs on a small device of answering a sound with a bundle: bytes, multiply-adds, and memory of one answer.

The manifest of a bundle has these numbers. Memory is that of a plain program that works layer by layer and, in the
attention, query by query; the features of a sound are counted as such a program computes them, window by window.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data.inputs.log_mel import STEP_S, mel_filters
from data.json_types import JsonObject
from runner.deploy.bundle.calibration import CALIBRATION_FILE
from runner.deploy.bundle.predict import MODEL_FILE, Header, read_model
from runner.deploy.bundle.sound import Sound

FLOAT_BYTES = 4
MATRICES, WIDENS = 6, 4  # of a layer: query, key, value, their mix, and two of each frame; the first of those


def device_costs(folder: Path) -> JsonObject:
    """Return the costs of the model.bin in the folder of a bundle.

    `bytes_model`: all files that an answer needs besides the code; `bytes_code`: the code; `frames`: of the longest
    sound, for which the rest is; `multiply_adds` of the network, of them `multiply_adds_int8` of whole numbers;
    `multiply_adds_features`: of windows, Fourier transform, power and bands; `bytes_activations`: the largest buffers
    that live at a time, in float32; `bytes_window`: those of the features.
    """
    header, arrays = read_model((folder / MODEL_FILE).read_bytes(), MODEL_FILE)
    sound = Sound(header, arrays)
    frames = min(sound.most, sound.count(0)) if sound.seconds is not None else sound.most
    needed = [path for name in (MODEL_FILE, CALIBRATION_FILE) if (path := folder / name).is_file()]
    whole, floats = products(header, frames)
    size = 2 * round(STEP_S * sound.rate)
    windows = (frames - sound.has_first) * sound.average * sound.stack
    bands = int(np.count_nonzero(mel_filters(sound.rate, size)))
    each = size + size * round(np.log2(size)) + 2 * (size // 2 + 1) + bands
    return {
        "bytes_model": sum(path.stat().st_size for path in needed),
        "bytes_code": sum(path.stat().st_size for path in folder.glob("*.py")),
        "frames": frames,
        "multiply_adds": whole + floats,
        "multiply_adds_int8": whole,
        "multiply_adds_features": windows * each,
        "bytes_activations": FLOAT_BYTES * live_numbers(header, frames),
        "bytes_window": FLOAT_BYTES * (3 * size + len(sound.mean)),
    }


def products(header: Header, frames: int) -> tuple[int, int]:
    """Return the multiply-adds of a sound of so many frames: those of int8, and those of floats."""
    shape, matrices = header["sound"]["network"], list(header["sound"]["matrices"])
    if maps := maps_of(header):
        matrices[0] = [maps, matrices[0][1], matrices[0][2]]  # at every place of a frame
    begin = first_layer(header)
    linear = [*matrices[: begin - int(shape["positions"])], *matrices[begin:]]
    last = 2 if shape["readout"] == "cls" else 1  # of one vector, not of each frame
    whole = floats = 0
    for number, (rows, columns, coding) in enumerate(linear):
        count = rows * columns * (1 if number >= len(linear) - last else frames)
        whole, floats = (whole + count, floats) if coding in ("dynamic", "static") else (whole, floats + count)
    widths = sum(query for query, _ in layer_widths(header))  # fewer than those of the frames if heads are removed
    return whole, floats + 2 * frames * frames * widths  # scores, and sums of values


def first_layer(header: Header) -> int:
    """Return how many matrices of a network come before those of its layers."""
    shape = header["sound"]["network"]
    return int("convolution" in shape) + int(shape["project"]) + int(shape["positions"])


def layer_widths(header: Header) -> list[tuple[int, int]]:
    """Return for each layer the width of its queries, keys and values, and that between its last two matrices."""
    network, begin = header["sound"], first_layer(header)
    rows = [rows for rows, *_ in network["matrices"]]
    places = range(begin, begin + MATRICES * len(network["network"]["heads"]), MATRICES)
    return [(rows[place], rows[place + WIDENS]) for place in places]


def maps_of(header: Header) -> int:
    """Return how many numbers a convolution makes of a frame, before their largest are taken; 0 without one."""
    shape = header["sound"]["network"].get("convolution")
    return 0 if shape is None else int(header["sound"]["matrices"][0][0] * shape["places"])


def live_numbers(header: Header, frames: int) -> int:
    """Return the most numbers that live at a time, the frames that are read included."""
    shape, matrices = header["sound"]["network"], header["sound"]["matrices"]
    width, convolution = shape["width"], shape.get("convolution")
    if convolution is not None:
        features = convolution["bands"] * convolution["stacked"] + maps_of(header)
    else:
        features = matrices[0][1] if shape["project"] else width
    if not shape["heads"]:
        return int(features + 3 * width)  # a frame, its vector, and two sums over the frames
    query, inner = (max(widths) for widths in zip(*layer_widths(header)))
    # Vectors of frames; queries, keys, values, mixed values and the weights of one query; the layers of a frame.
    return int(max(frames * width + features, frames * (width + 4 * query) + frames, frames * 2 * width + inner))
