"""The settings of every compression method, by name.

Standard library only, as configs are checked before torch is imported. Several YAMLs may be presets of one method.
"""

from __future__ import annotations

from models.compression.settings.exits import Exits
from models.compression.settings.learn import Dendrites, Distil
from models.compression.settings.length import Length
from models.compression.settings.pruning import L0, Magnitude, Movement, RandomPruning, Ziplm
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
    "random_pruning": RandomPruning,
    "l0": L0,
}
