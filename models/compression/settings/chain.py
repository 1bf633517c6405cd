"""Which compression method may follow which, and what each requires; standard library only."""

from __future__ import annotations

from fnmatch import fnmatchcase

from models.compression.settings.exits import Exits
from models.compression.settings.learn import Dendrites, TaughtSettings
from models.compression.settings.pruning import CutPruning, MaskedPruning, Ziplm
from models.compression.settings.quantization import Pq, Splitquant, WeightOnly
from models.compression.settings.stage import StageSettings

PACKED = "packed"  # the form of splitquant whose ranges need not contain 0
TABLE = "bert.embeddings.word_embeddings"  # the word table of our own encoder
RANK = {"learn": 0, "prune": 1, "shorten": 2, "quantize": 3, "exits": 4}  # the order in a chain
RESULT = {
    "prune": "zeros", "shorten": "choice of lengths", "quantize": "quantized weights", "exits": "thresholds",
}  # fmt: skip


def out_of_order(stages: dict[str, StageSettings]) -> list[str]:
    """A one-line message for each stage in the wrong position of the chain, with an order that works."""
    names, found = list(stages), []
    by_rank = sorted(names, key=lambda name: (RANK[stages[name].phase], isinstance(stages[name], MaskedPruning)))
    for place, name in enumerate(names):
        before = [
            earlier
            for earlier in names[:place]
            if undoes(stages[name], stages[earlier].phase)
            or (isinstance(stages[name], Ziplm) and isinstance(stages[earlier], MaskedPruning))  # it refits weights
        ]
        if before:
            found.append(
                f"compression=[{','.join(names)}]: {name} after {before[0]} would undo its "
                f"{RESULT[stages[before[0]].phase]}. "
                f"Try: 'compression=[{','.join(by_rank)}]'"
            )
    found += _trained_codes(stages) + _grown_encoders(stages)
    quantizing = [name for name in names if stages[name].phase == "quantize"]
    if len(quantizing) > 1:
        kept = [name for name in names if name not in quantizing[1:]]
        found.append(
            f"compression=[{','.join(names)}]: {' and '.join(quantizing)} both quantize the same weights. "
            f"Try: 'compression=[{','.join(kept)}]'"
        )
    return found


def undoes(stage: StageSettings, phase: str) -> bool:
    """Would a stage undo the result of an earlier stage of this phase?"""
    keeps = {"prune": stage.keeps_zeros, "quantize": stage.keeps_codes}
    return RANK[phase] > RANK[stage.phase] and not keeps.get(phase, False)


def _trained_codes(stages: dict[str, StageSettings]) -> list[str]:
    """A one-line message for each exits stage that trains an encoder which an earlier stage has quantized."""
    before = next((name for name, stage in stages.items() if stage.phase == "quantize"), None)
    return [
        f"compression.{name}.form={stage.form} trains the encoder, whose weights {before} quantizes. "
        f"Try: compression.{name}.form=frozen"
        for name, stage in stages.items()
        if before and isinstance(stage, Exits) and stage.form != "frozen"
    ]


def _grown_encoders(stages: dict[str, StageSettings]) -> list[str]:
    """A one-line message for each ziplm after dendrites inside the encoder, whose rows and columns it cannot remove."""
    found, grown = list[str](), ""
    for name, stage in stages.items():
        if isinstance(stage, Dendrites) and stage.grows_in_encoder():
            grown = grown or name
        elif grown and isinstance(stage, Ziplm):
            found.append(
                f"compression=[{','.join(stages)}]: {name} removes rows and columns of plain linear layers, but "
                f"{grown} adds dendrites inside the encoder. Try: 'compression.{grown}.targets=[classifier]'"
            )
    return found


def wrong_starts(stages: dict[str, StageSettings], *, is_finished: bool) -> list[str]:
    """A one-line message for each pruning with starts=pretrained that would get a trained model instead."""
    found, before = [], "from= gives a trained model" if is_finished else ""
    for name, stage in stages.items():
        if before and isinstance(stage, MaskedPruning) and stage.starts == "pretrained":
            found.append(
                f"compression.{name}.starts=pretrained starts from the model's first weights, but {before}. "
                f"Try: compression.{name}.starts=tuned"
            )
        before = before or f"{name} trains it first"
    return found


def missing_requirements(stages: dict[str, StageSettings], *, has_encoder: bool) -> list[str]:
    """A one-line message for each unmet requirement of a stage, and for each contradiction in its options."""
    found, pruning = list[str](), dict[str, MaskedPruning]()
    for name, stage in stages.items():
        found += stage.contradictions(name)
        if isinstance(stage, MaskedPruning):
            pruning[name] = stage
        found += _lost_zeros(pruning, name, stage) + _missed_density(pruning, name, stage)
        if isinstance(stage, TaughtSettings) and not stage.teacher:
            found.append(
                f"compression=[{name}] learns from a teacher. "
                f"Try: compression.{name}.teacher=<id of a finished run, a folder or a hub id>"
            )
        if stage.needs_encoder and not has_encoder:
            found += _needs_encoder(name, stage)
    return found


def _lost_zeros(pruning: dict[str, MaskedPruning], name: str, stage: StageSettings) -> list[str]:
    """The error message for a quantization that cannot represent the zeros of an earlier pruning; else none."""
    *_, pruned = "", *pruning
    if not pruned:
        return []
    start, cure = f"compression=[{pruned},{name}]: ", f"Try: compression.{name}"
    if isinstance(stage, WeightOnly) and (words := stage.with_zero(name)):
        return [f"{start}the levels of scheme=even have no zero, but {pruned} makes zeros. Try: {words}"]
    if isinstance(stage, Splitquant) and stage.form == PACKED:
        return [
            f"{start}the ranges of form={PACKED} need not contain zero, but {pruned} makes zeros. {cure}.form=dense"
        ]
    tables = [one for one, own in pruning.items() if own.matrices and fnmatchcase(TABLE, own.matrices)]
    if isinstance(stage, Pq) and stage.embeddings and tables:
        return [
            f"compression=[{tables[-1]},{name}]: the centres of product codes need not be zero, but {tables[-1]} makes "
            f"zeros in a table. Try: 'compression=[{tables[-1]},int8]'"
        ]
    return []


def _missed_density(pruning: dict[str, MaskedPruning], name: str, stage: StageSettings) -> list[str]:
    """The error message for a pruning that keeps more weights than an earlier one of the same matrices has left."""
    if not isinstance(stage, CutPruning) or not stage.keeps_share:
        return []
    left = {
        one: own.density
        for one, own in pruning.items()
        if one != name and isinstance(own, CutPruning) and own.keeps_share and own.matrices == stage.matrices
    }
    least = min(left, key=lambda one: left[one], default=None)
    if least is None or stage.density in (left[least], 1.0) or left[least] > stage.density:  # 1: nothing, as a control
        return []
    return [
        f"compression=[{least},{name}]: density={stage.density:g} would remove nothing, as {least} leaves "
        f"{left[least]:g} of the same weights. Try: compression.{name}.density={left[least] / 2:g}"
    ]


def _needs_encoder(name: str, stage: StageSettings) -> list[str]:
    """The error message for a stage that has no encoder to work on; pruning may name other matrices instead."""
    other = ""
    if isinstance(stage, MaskedPruning):
        if stage.matrices:
            return []
        other = f", or compression.{name}.matrices=*word_embeddings"
    return [f"compression=[{name}] works on an encoder, but model=dsn has none. Try: model=bert-tiny{other}"]
