"""The settings of every compression method, by name.

Standard library only, because configs are checked before torch is imported. A YAML in conf/compression/ names its
method and sets the options; several YAMLs may be presets of the same method.
"""

from __future__ import annotations

from models.compression.settings.exits import Exits
from models.compression.settings.learn import Dendrites, Distil
from models.compression.settings.length import Length
from models.compression.settings.pruning import L0, Magnitude, Movement, Ziplm
from models.compression.settings.quantization import (
    Bf16,
    DynamicInt8,
    Pq,
    Splitquant,
    StaticInt8,
    Ternary,
    WeightOnly,
)
from models.compression.settings.stage import StageSettings

METHODS: dict[str, type[StageSettings]] = {
    "distil": Distil,
    "dendrites": Dendrites,
    "exits": Exits,
    "ziplm": Ziplm,
    "length": Length,
    "bf16": Bf16,
    "weight_only": WeightOnly,
    "dynamic_int8": DynamicInt8,
    "static_int8": StaticInt8,
    "splitquant": Splitquant,
    "ternary": Ternary,
    "pq": Pq,
    "magnitude": Magnitude,
    "movement": Movement,
    "l0": L0,
}
