"""Two models that answer as one: which of them answers, what its answers are, and which folders are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data.inputs.request import Field
from runner.deploy.cascade import CascadePredictor, open_cascade, read_cascade, write_cascade
from runner.deploy.exported import ExportedModel, find_model, read_export
from runner.deploy.predictors import open_predictor
from runner.deploy.reasons import find_reasons
from runner.deploy.rejecting import open_answering
from runner.errors import ConfigError
from tests.runner.deploy.promised import texts_of
from tests.runner.deploy.runs import write_run

TEXTS = texts_of(40, 3)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExportedModel, ExportedModel]:
    """A packed bag of words and a BERT."""
    output = tmp_path_factory.mktemp("outputs")
    write_run(output, "5555", is_packed=True, family="dsn", readout={"name": "mean"}, positions=512)
    write_run(output, "aaaa", positions=64)
    return find_model("5555", output, "auto"), find_model("aaaa", output, "auto")


def made(models: tuple[ExportedModel, ExportedModel], threshold: float, name: str = "both") -> ExportedModel:
    """A cascade beside the two runs."""
    folder = models[0].folder.parent.parent / name
    folder.mkdir(exist_ok=True)
    facts = {"name": "a cascade", "threshold": threshold, "command": ["cascade", "small=5555"]}
    write_cascade(folder, name, models, facts)
    return read_export(folder)


def without_name(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in answer.items() if key != "answered_by"} for answer in answers]


def test_thresholds_at_the_ends_are_either_model(models: tuple[ExportedModel, ExportedModel]) -> None:
    for threshold, model, name in ((0.0, models[0], "small"), (1.001, models[1], "large")):
        found = open_answering(made(models, threshold))(TEXTS)
        assert {answer["answered_by"] for answer in found} == {name}
        assert without_name(found) == open_predictor(model)(TEXTS)


def test_each_text_is_answered_by_the_small_model_where_it_is_sure(
    models: tuple[ExportedModel, ExportedModel],
) -> None:
    small, large = (open_predictor(model) for model in models)
    confidence = [max(answer["probabilities"].values()) for answer in small(TEXTS)]
    threshold = sorted(confidence)[20]
    both = open_answering(made(models, threshold))
    found = both(TEXTS)
    for text, answer, sure in zip(TEXTS, found, confidence):
        name, model = ("small", small) if sure >= threshold else ("large", large)
        alone = model([text])[0]
        assert answer["answered_by"] == name and answer["prediction"] == alone["prediction"]
        assert answer["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-6)
    assert both([TEXTS[0]])[0]["answered_by"] == found[0]["answered_by"], "also alone"
    assert [answer["answered_by"] for answer in found].count("small") == 20
    assert both([]) == []
    assert isinstance(both.answer_fields[-1], Field) and both.answer_fields[-1].name == "answered_by"
    assert isinstance(both, CascadePredictor)
    reasons = find_reasons(both, [TEXTS[0]], found[0])
    assert reasons == find_reasons(both.model_of(found[0]), [TEXTS[0]], found[0])


def test_a_text_is_cut_only_where_the_model_that_answers_cuts_it(models: tuple[ExportedModel, ExportedModel]) -> None:
    long = " ".join(["lovely"] * 300)
    for threshold in (0.0, 1.001):
        predictor = open_cascade(made(models, threshold))
        asked = predictor.ask([long, "short"])
        predictor.answers(asked, 8)
        alone = open_predictor(models[int(threshold > 1)]).ask([long, "short"])
        assert asked.is_cut.tolist() == alone.is_cut.tolist() and asked.lengths.tolist() == alone.lengths.tolist()


def test_changed_weights_and_damaged_files_are_refused(
    models: tuple[ExportedModel, ExportedModel], tmp_path: Path
) -> None:
    cascade = made(models, 0.5, "changed")
    path = cascade.folder / "cascade.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    assert facts["small"]["folder"] == "../5555/model", "beside it, so that both may be moved"
    path.write_text(json.dumps(facts | {"large": facts["large"] | {"sha256": "0"}}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"has changed since.*Try: run cascade small=5555"):
        open_cascade(cascade)
    path.write_text(json.dumps(facts | {"large": facts["large"] | {"folder": "../gone"}}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"its large model is gone: .*gone/model.safetensors"):
        read_cascade(cascade.folder)
    for wrong in ("{", "[]", "{}", json.dumps(facts | {"threshold": "high"}), json.dumps(facts | {"small": {}})):
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(ConfigError, match=r"cascade.json is damaged \("):
            open_cascade(cascade)
    path.unlink()
    with pytest.raises(ConfigError, match=r"has no cascade\.json"):
        read_export(cascade.folder)
