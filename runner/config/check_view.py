"""Refuses settings under which a text encoder cannot learn from codes; standard library only."""

from __future__ import annotations

from models.settings import FITTED_HEAD, OVER_NGRAMS
from models.views.settings import NONE, TEXT, contradictions
from runner.config.recipes import AUTO
from runner.schema import Settings
from runner.tasks import named_task


def view_conflicts(settings: Settings) -> list[str]:
    """Return one line for every setting that contradicts the view of codes, with the cure."""
    view, data = settings.view, settings.data
    if view.name == NONE:
        return [f"{given}: view=none reads no codes. Try: view=codes" for given in _ignored(settings)]
    found, named = contradictions(view), named_task(settings.task, data)
    if data.codes is None:
        found.append(
            f"view={view.name} learns from the codes of texts, but data={data.name} has none. "
            "Try: data=icd10-severity, or data.codes=<a column of codes> data.tree=<a file with code and parent>"
        )
    if named is not None and not named.has_probabilities:
        found.append(
            f"view={view.name} is for one class per text, but the task here is {named.name}. Try: view=none, or "
            "another label"
        )
    if data.text_pair is not None:
        found.append(f"view={view.name} reads one text per row, but data.text_pair={data.text_pair}. Try: view=none")
    return found + _of_model(settings) + _of_compression(settings)


def _ignored(settings: Settings) -> list[str]:
    """Return one line for each setting of a control run whose view is not set."""
    view = settings.view
    shuffle = ["view.shuffle=true"] if view.shuffle else []
    return shuffle + ([f"view.reads={view.reads}"] if view.reads != TEXT else [])


def _of_model(settings: Settings) -> list[str]:
    """Return one line for each model that is not trained by gradient steps, or only in its last layer."""
    view, model, found = settings.view.name, settings.model, list[str]()
    if model.family in OVER_NGRAMS:
        found.append(
            f"view={view} trains a text encoder, but model={model.name} counts n-grams. Try: model=dsn, or view=none"
        )
    if model.head == FITTED_HEAD or model.freeze == "encoder":
        given = f"model.head={FITTED_HEAD}" if model.head == FITTED_HEAD else "model.freeze=encoder"
        found.append(f"view={view} trains the encoder, but {given} keeps it fixed. Try: model=dsn, or view=none")
    if settings.train.recipe == AUTO:
        found.append(
            f"train.recipe={AUTO} compares training runs on labels only, without view={view}. Try: train.recipe=preset"
        )
    return found


def _of_compression(settings: Settings) -> list[str]:
    """Return one line for each stage that replaces the training on codes, or follows a model that is never deployed."""
    view, stages = settings.view, settings.compression
    named = f"compression=[{','.join(stages)}]"
    if settings.finished:
        return [
            f"view={view.name}: from= gives a trained model, which learns nothing more from codes. Try: leave it out"
        ]
    if stages and next(iter(stages.values())).replaces_training:
        return [
            f"{named} and view={view.name} both say what the model learns from. Try: view=none, or "
            "view.method=distil without that compression"
        ]
    if stages and view.reads != TEXT:
        return [f"{named}: view.reads={view.reads} is a bound, which is never deployed. Try: 'compression=[none]'"]
    return []
