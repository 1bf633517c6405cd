"""The card of a model: a header that huggingface_hub reads, and nothing of the machine or of the data as markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from runner.deploy.hub.card import CardFacts, hub_card, hub_id, plain
from runner.record.portable_command import command_of
from tests.records import a_record

FACTS = CardFacts("BertForSequenceClassification", "bert", license="apache-2.0")
METRICS = {
    "test/accuracy": 0.9, "test/accuracy_low": 0.85, "test/accuracy_high": 0.94, "test/examples": 200,
    "baseline/majority": 0.5, "baseline/ngram": 0.8, "cost/bytes_deployed": 2_450_000, "speed/answer_us_p50": 120,
}  # fmt: skip


def settings(**data: Any) -> dict[str, Any]:
    known = {"name": "sst2", "text": "sentence", "text_pair": None, "max_length": 64, "metrics": ["accuracy"]}
    return {"seed": 3, "model": {"name": "auto", "pretrained": "prajjwal1/bert-tiny"}, "data": known | data}


def facts(**more: Any) -> dict[str, Any]:
    return {"primary": "test/accuracy", "rows": {"train": 9000, "test": 200}, "name": "sst2"} | more | {
        "task": "classification",
    }  # fmt: skip


def test_the_header_is_read_by_the_hubs_own_library() -> None:
    config = settings(source="hub", id="stanfordnlp/sst2", config="plain", report_splits={"test": "validation"})
    card = hub_card(a_record(metrics=METRICS, config=config, data=facts(labels=["no", "yes"])), FACTS)
    data = ModelCard(card).data
    assert data.datasets == ["stanfordnlp/sst2"] and data.base_model == "prajjwal1/bert-tiny"
    assert data.pipeline_tag == "text-classification" and data.license == "apache-2.0"
    (result,) = data.eval_results
    assert (result.dataset_type, result.dataset_config) == ("stanfordnlp/sst2", "plain")
    assert result.dataset_split == "validation", "the hub's own name"
    assert (result.metric_type, result.metric_value) == ("accuracy", 0.9)
    assert "| accuracy | 0.9000 | 0.8500 to 0.9400 |" in card and "2.45 MB" in card and "120 us" in card
    assert "| accuracy, majority-class baseline | 0.5000 | - |" in card and "200 rows of the split test" in card
    assert "scores, not probabilities" in card and "Intervals: 95 %, over the rows." in card


def test_a_card_of_sounds_says_what_the_graph_reads() -> None:
    sounds = {"audio": "audio", "rate": 16000, "seconds": 5.0, "average_frames": 4}
    config = settings(source="hub", id="ashraq/esc50", **sounds)
    config["model"] = {"name": "tiny-sound", "tokenizer": "log_mel"}
    record = a_record(metrics=METRICS, config=config, data=facts(labels=["dog", "rain"]))
    card = hub_card(record, CardFacts("BertierForSequenceClassification", "bertier"))
    assert ModelCard(card).data.pipeline_tag == "audio-classification"
    assert "Answers sounds with one of 2 labels" in card and "`run predict <folder> sound.wav`" in card
    assert "read features (`log_mel`), not samples" in card and "16,000 Hz, cut to 5 s" in card
    assert "reads up to 64 frames" in card and "a text" not in card
    config["data"]["seconds"], config["model"]["tokenizer"] = None, "mfcc"
    card = hub_card(a_record(config=config, data=facts(labels=["dog", "rain"])), FACTS)
    assert "DCT-II, 40 coefficients" in card and "as long as it is" in card
    config["data"]["stack_frames"] = 4
    assert "mean, and 4 of these one frame" in hub_card(a_record(config=config, data=facts(labels=["a", "b"])), FACTS)


def test_a_file_of_the_user_is_named_without_its_folder() -> None:
    words = ["data=files", "data.path=/home/ada/secret plans/reviews.csv", "paths.output=/mnt/x", "tracker=none"]
    record = a_record(overrides=words, config=settings(name="files", source="files"))
    assert command_of(record) == "run data=files data.path=reviews.csv"
    card = hub_card(record, FACTS)
    assert "/home" not in card and "/mnt" not in card and "datasets" not in ModelCard(card).data.to_dict()


def test_a_name_with_a_backtick_does_not_end_the_command() -> None:
    words = ["data=files", "data.path=a.csv", "data.text=the `text` <img src=x>"]
    card = hub_card(a_record(overrides=words, config=settings(name="files", source="files")), FACTS)
    assert "``run data=files data.path=a.csv 'data.text=the `text` <img src=x>'`` (Bertier" in card


def test_what_a_text_must_lose_before_stock_transformers_reads_it_is_said() -> None:
    assert "HTTPURL" in hub_card(a_record(metrics=METRICS, config=settings(clean="tweets"), data=facts()), FACTS)
    assert "HTTPURL" not in hub_card(a_record(metrics=METRICS, config=settings(), data=facts()), FACTS)


def test_a_model_of_spans_is_introduced_as_one() -> None:
    metrics = {**METRICS, "baseline/no_answer": 0.4, "baseline/first_sentence": 0.1}
    known = facts(labels=["start", "end"])
    card = hub_card(
        a_record(metrics=metrics, config=settings(), data=known), CardFacts("BertForQuestionAnswering", "bert")
    )
    assert ModelCard(card).data.pipeline_tag == "question-answering"
    assert "AutoModelForQuestionAnswering" in card and '"a question" "the text with the answer"' in card
    assert "| accuracy, no answer to any question | 0.4000 | - |" in card
    assert "one of its labels" not in card and "majority" not in card and "start, end" not in card


def test_a_model_of_tags_is_introduced_as_one() -> None:
    known, tagger = facts(labels=["O", "B-LOC", "I-LOC"]), CardFacts("BertForTokenClassification", "bert")
    card = hub_card(a_record(metrics=METRICS, config=settings(max_length=64), data=known), tagger)
    assert ModelCard(card).data.pipeline_tag == "token-classification"
    assert "Gives each word of a text one of the tags O, B-LOC, I-LOC." in card
    assert "in windows of up to 64 tokens that overlap" in card and "cuts what is longer" not in card
    assert "one of its labels" not in card and "## Calibration" not in card
    cut = hub_card(a_record(metrics=METRICS, config=settings(max_length=64, windows=False), data=known), tagger)
    assert "It reads up to 64 tokens and cuts what is longer" in cut


def test_labels_stay_text(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = ["<img src=x>", "a|b", "`c`\n# Title", "---\nlicense: mit"]
    report = {
        "classes": labels, "support": [1] * 4, "predicted": [1] * 4, "precision": [1.0] * 4, "recall": [1.0] * 4,
        "f1": [1.0] * 4,
    }  # fmt: skip
    record = a_record(metrics=METRICS, config=settings(), data=facts(labels=labels), reports={"test": report})
    card = hub_card(record, FACTS)
    assert "\\<img" in card and "a\\|b" in card and "\n# Title" not in card and card.count("\n---\n") == 1
    assert ModelCard(card).data.license == "apache-2.0"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("a/b", "a/b"),
        ("bert", "bert"),
        ("/x/y", None),
        ("./y", None),
        ("1f0cab12", None),
        (None, None),
        ("a/b/c", None),
    ],
)
def test_paths_and_runs_are_no_repositories(source: str | None, found: str | None) -> None:
    assert hub_id(source) == found


def test_the_parts_name_what_the_weights_started_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def card_of(source: str | None = None, **model: str) -> str:
        config = settings() | {"model": {"name": "static"} | model}
        return hub_card(a_record(metrics=METRICS, config=config, data=facts(), weights={"source": source}), FACTS)

    vectors = card_of(init="input", init_from="sentence-transformers/all-MiniLM-L6-v2")
    assert "starting weights | see the page of `sentence-transformers/all-MiniLM-L6-v2`" in vectors
    assert ModelCard(vectors).data.base_model == "sentence-transformers/all-MiniLM-L6-v2"
    (tmp_path / "models" / "mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    local = card_of("models/mine", pretrained="models/mine")
    assert ModelCard(local).data.base_model is None and "those of another model, not in this folder" in local
    assert "| starting weights | none |" in card_of()


def test_text_is_escaped_on_one_line() -> None:
    assert plain("a\n*b* \x1b[1m") == "a \\*b\\* \\\\x1b\\[1m"


def test_the_intervals_of_a_ranking_are_over_its_queries() -> None:
    card = hub_card(a_record(metrics=METRICS | {"test/queries": 25}, config=settings(), data=facts()), FACTS)
    assert "On 25 queries of the split test" in card and "Intervals: 95 %, over the queries." in card
