"""Refuses options of compression stages that other options leave without effect, in the command of one run.

Only words of the command are refused, not values of a YAML, which may serve a form that is switched off. A sweep is not
checked: a word may be meant for some of its chains.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.compression.settings.stage import StageSettings

DENSITY = "density"


def options_without_effect(words: Sequence[str], stages: dict[str, StageSettings]) -> list[str]:
    """Return one line for each word that sets an option of these stages without effect, with the cure."""
    off = {
        f"compression.{name}.{option}": f"compression.{name}.{cure}"
        for name, stage in stages.items()
        for option, cure in stage.without_effect().items()
    }
    typed = {word.partition("=")[0]: word for word in words}
    found = [f"{word} has no effect. Try: {off[key]}, or leave it out" for key, word in typed.items() if key in off]
    if DENSITY in typed and not any(stage.keeps_share for stage in stages.values()):
        found.append(
            f"{typed[DENSITY]} has no effect: no stage of compression=[{','.join(stages) or 'none'}] keeps a given "
            "share of the weights. Try: 'compression=[magnitude]', or leave it out"
        )
    return found
