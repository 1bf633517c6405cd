"""Settings under which a text encoder cannot learn from codes."""

from __future__ import annotations

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError

ICD = ["model=dsn", "data=icd10-severity", "view=codes"]
REFUSED = [
    (["model=dsn", "data=sst2", "view=codes"], "data=sst2 has none. Try: data=icd10-severity"),
    ([*ICD, "task=mlm", "model=bert-tiny"], "is for one class per text, but the task here is mlm"),
    ([*ICD, "data.text_pair=second"], "reads one text per row"),
    ([*ICD, "view.method=dcca", "view.k=40"], "Try: view.k=32"),
    ([*ICD, "view.method=dcca", "view.batch_size=100"], "Try: view.batch_size=256"),
    ([*ICD, "model=ngram"], "trains a text encoder, but model=ngram counts n-grams"),
    ([*ICD, "model=bert-tiny", "model.freeze=encoder"], "model.freeze=encoder keeps it fixed"),
    ([*ICD, "train.recipe=auto"], "Try: train.recipe=preset"),
    ([*ICD, "compression=[distil]", "compression.distil.teacher=0123456789"], "both say what the model learns from"),
    ([*ICD, "compression=[int8]", "view.reads=codes"], "is a bound, which is never deployed"),
    ([*ICD, "finished=outputs/0123456789/model", "compression=[int8]"], "from= gives a trained model"),
    (["model=dsn", "data=icd10-severity", "view.shuffle=true"], "view=none reads no codes. Try: view=codes"),
    (["model=dsn", "data=icd10-severity", "view.reads=both"], "view=none reads no codes. Try: view=codes"),
]


@pytest.mark.parametrize(("words", "told"), REFUSED, ids=[" ".join(words[1:]) for words, _ in REFUSED])
def test_a_contradiction_is_refused_with_its_cure(words: list[str], told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        resolve(compose(words))
    assert told in str(refused.value)


def test_a_view_goes_with_other_stages_and_models() -> None:
    for words in ([*ICD, "compression=[int8]"], [*ICD, "model=bilstm", "view.method=both"], [*ICD, "view.reads=both"]):
        assert resolve(compose(words)).view.name == "codes"
