"""Settings that the task of spans forbids: one line for each, with the cure. Nothing heavy is imported."""

from __future__ import annotations

from data.settings import DataSettings
from models.compression.settings.learn import TaughtSettings
from models.settings import FITTED_HEAD
from runner.schema import Settings


def span_conflicts(settings: Settings) -> list[str]:
    """Return one line for every setting that finding spans forbids."""
    data, model = settings.data, settings.model
    found = []
    if data.source == "demo":
        found.append("data=demo has no questions about texts. Try: data=squad, or data=files data.path=questions.json")
    elif data.text_pair is None:
        found.append(
            f"task=span needs a column of questions and one of contexts, but data={data.name} names no contexts. "
            "Try: data.text=question data.text_pair=context"
        )
    if model.family in ("dsn", "ngram", "ngram_vectors"):
        found.append(
            f"model={model.name} is a bag of words: it knows which words a text has but not where they are, so it "
            "cannot tell where an answer begins. Try: model=bert-tiny"
        )
    if model.head == FITTED_HEAD:
        found.append(f"model.head={model.head} fits one answer per text. Try: model.head=trained")
    for name, stage in settings.compression.items():
        if isinstance(stage, TaughtSettings) and stage.unlabelled:
            found.append(f"compression.{name}.unlabelled: texts without labels have no questions. Leave it out")
        if isinstance(stage, TaughtSettings) and stage.tokens == "own":
            found.append(
                f"compression.{name}.tokens=own: answers begin and end at tokens, so both models must have the same "
                f"tokens. Try: compression.{name}.tokens=shared"
            )
    return found


def cuts_train(data: DataSettings) -> bool:
    """Is a split taken from the training rows?"""
    if data.folds is not None:
        return True
    if data.source == "files":
        return data.val_path is None or data.test_path is None
    return data.split is not None or data.select_split is None
