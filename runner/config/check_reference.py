"""Refuses a reference model (measure.baseline) that cannot be made with random weights, before anything is trained."""

from __future__ import annotations

from functools import cache

from models.settings import OVER_NGRAMS
from runner.config.compose import compose
from runner.schema import Settings
from runner.tasks import named_task

KEY, USUAL = "measure.baseline", "bert-tiny"
OWN_FAMILIES = ("bert", "bilstm", "dsn")  # whose shapes are in the presets; that of "auto" is in a checkpoint
TEXT_EMBEDDINGS = ("table", "bigram")  # which need neither the letters of tokens nor sounds


def reference_conflicts(settings: Settings) -> list[str]:
    """Return one line if measure.baseline names a preset that cannot be timed beside the model, with the cure."""
    name = settings.measure.baseline
    if not settings.measure.enabled or name in (None, USUAL):
        return []
    task = named_task(settings.task, settings.data)
    problem = _problem_of(str(name), "text" if task is None else task.reads)
    return [f"{KEY}={name}: {problem}. Try: {KEY}={USUAL}, or {KEY}=null"] if problem else []


@cache
def _problem_of(name: str, reads: str) -> str | None:
    """Return why a preset is no reference model for a head that reads text or tokens; None if it is one."""
    model = compose([f"model={name}", "data=demo"]).model
    if model.family in OVER_NGRAMS:
        return "it has no n-grams before it is fitted to texts"
    if model.family == "auto":
        return "its shape is that of a checkpoint, but a reference model has random weights"
    if model.family not in OWN_FAMILIES or model.embedding["name"] not in TEXT_EMBEDDINGS:
        return "a reference model reads ids of tokens, without their letters or sounds"
    if reads == "tokens" and model.family == "dsn":
        return "it has one vector for a text, but this task answers for its tokens"
    return None
