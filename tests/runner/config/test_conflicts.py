"""Settings that contradict each other are refused, each with a cure that works."""

from __future__ import annotations

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError

CASES = [
    (["data=demo", "data.split=train"], "names a split of a hub dataset"),
    (["data=demo", "data.label=null"], "texts without labels are for task=mlm"),
    (["task=mlm", "data=demo", "model=dsn-bigram"], "without an encoder"),
    (["task=mlm", "data=demo", "model=bert-tiny", "task.masked=0.8", "task.random=0.3"], "add up to more than 1"),
    (["model/backbone=auto", "model=bert-tiny", "data=demo"], "needs an encoder"),
    (["model=dsn", "data=demo", "model.init=pca"], "needs a checkpoint"),
    (["model=eelbert", "data=demo", "engine.compact_vocabulary=always"], "has none"),
    (["model=dsn", "data=demo", "train.accumulate=64", "train.batch_size=32"], "Try: train.accumulate=32"),
    (["model=dsn", "data=demo", "optimizer=row_sgd", "optimizer.momentum=0.9"], "Try: optimizer.momentum=0"),
    (["model=bert-tiny", "data=demo", "optimizer=row_sgd"], "has an encoder"),
    (["model=dsn", "data=demo", "optimizer.layer_decay=0.9"], "Try: optimizer.layer_decay=1, or model=minilm"),
    (["model=ngram-vectors", "data=demo-pairs"], "reads one text. Try: model=ngram"),
    (["model=static-ngram", "data=wnut17"], "one label per text, which task=tags does not have. Try: model.add=none"),
    (["model=static-ngram", "data=demo-pairs", "model/readout=mean"], "Try: model/readout=pair"),
    (
        ["model=static-ngram", "data=demo-pairs", "model/backbone=bert-tiny", "model.init_from=null"],
        "or model.add=none",
    ),
    (["model=static-ngram", "data=demo-pairs", "compression=[distil]"], "that compression with from=<its id>"),
    (["model=dsn", "data=demo", "tracker.experiment=' '"], "needs a name"),
    (["model=dsn", "data=demo", "measure=off", "measure.onnx=true"], "nothing is timed"),
    (["model=dsn", "data=files"], "needs a file"),
    (["task=tags", "model=dsn", "data=files", "data.path=x.jsonl"], "needs a column of words and one of tags"),
    (["task=tags", "model=dsn", "data=imdb"], "data=imdb does not name both. Try: data=wnut17"),
    (["task=mlm", "model=bert-tiny", "data=wnut17"], "^data.tokens=tokens data.tags=ner_tags: for tagging words"),
    (["task=tags", "model=dsn", "data=demo", "data.text_pair=b"], "tags are for a single text"),
    (["task=tags", "model=dsn", "data=demo", "data.group=author"], "Try: data.group=contained_text"),
    (["model=dsn", "data=punct-case", "data.class_weights=balanced"], "words have two labels"),
    (["model=dsn", "data=demo", "data.tags=ner_tags"], "Try: task=tags"),
    (["model=dsn", "data=demo", "data.windows=false"], "Leave it out"),
]


@pytest.mark.parametrize(("words", "expected"), CASES)
def test_a_contradiction_is_refused(words: list[str], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        resolve(compose(words))


def test_all_contradictions_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        resolve(compose(["model=dsn", "data=demo", "data.split=train", "model.init=pca"]))
    assert len(str(refused.value).splitlines()) == 2
