"""`run zero-shot`: an entailment model labels a file that has no training rows, and the result is a record."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from runner.cli import run_verb
from runner.commands.compare import main as compare
from runner.commands.explain import main as explain
from runner.commands.zero_shot import main
from runner.errors import ConfigError
from runner.record.folder import read_all_records
from runner.record.predictions import read_predictions
from runner.record.record import RunRecord
from tests.runner.deploy.runs import write_run

CLASSES = ["animals", "food", "music"]
ROWS = [(f"{word} number {i} of the day", CLASSES[i % 3]) for i, word in enumerate(["cat", "soup", "song"] * 60)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an entailment model of random weights (aaaa), one of sentiment (bbbb), and texts.csv."""
    folder = tmp_path_factory.mktemp("zero_shot")
    write_run(folder / "outputs", "aaaa", "demo-pairs")
    write_run(folder / "outputs", "bbbb", "demo")
    with (folder / "texts.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("text", "topic"), *ROWS])
    return folder


def words(place: Path, *more: str, data: str = "texts.csv") -> list[str]:
    files = [f"data.test_path={place / data}", "data.label=topic"]
    return ["aaaa", "data=files", *files, f"paths.output={place}/outputs", f"paths.cache={place}/cache", *more]


def records(place: Path) -> list[RunRecord]:
    return [record for record in read_all_records(place / "outputs")[0] if record.name.startswith("zero-shot")]


@pytest.fixture(scope="module")
def made(place: Path) -> RunRecord:
    assert main(words(place, "labels=[music,animals,food]")) == 0
    (record,) = records(place)
    return record


def test_a_random_model_is_at_chance(made: RunRecord) -> None:
    chance, accuracy = made.metrics["zero_shot/chance"], made.metrics["test/accuracy"]
    error = (chance * (1 - chance) / len(ROWS)) ** 0.5
    assert chance == pytest.approx(1 / 3) and abs(accuracy - chance) < 3 * error
    assert made.metrics["baseline/majority"] == pytest.approx(1 / 3), "of the reported rows, for there are no others"
    assert made.status == "done" and made.data.rows == {"test": 180}


def test_the_words_of_the_command_are_recorded_as_they_were_given(place: Path, made: RunRecord) -> None:
    assert made.overrides == ["zero-shot", *words(place, "labels=[music,animals,food]")]
    with pytest.raises(ConfigError, match=r"'labels=\[music,animals,food\]'$"):
        explain([made.identity, f"paths.output={place}/outputs"])


def test_both_templates_are_reported_with_and_without_the_prior(made: RunRecord) -> None:
    names = {f"zero_shot/accuracy_{key}_{number}" for key in ("prior", "no_prior") for number in (1, 2)}
    assert names <= made.metrics.keys() and made.metrics["zero_shot/texts_per_s"] > 0
    assert made.metrics["test/accuracy"] == made.metrics["zero_shot/accuracy_prior_1"]
    assert any("template 2: The topic of this text is {}." in note for note in made.notes)
    assert made.config["zero_shot"]["words"] == CLASSES, "in the order of the classes, not of the command"


def test_the_answers_are_stored_as_those_of_a_run(place: Path, made: RunRecord) -> None:
    answers = read_predictions(place / "outputs" / made.identity, "test", made)
    assert answers is not None and len(answers) == len(ROWS)
    assert np.mean(answers["label"] == answers["prediction"]) == pytest.approx(made.metrics["test/accuracy"])


def test_another_template_or_mode_is_another_result(
    place: Path, made: RunRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(place, "labels=[music,animals,food]")) == 0
    assert len(records(place)) == 1, "the same again is found"
    capsys.readouterr()
    assert main(words(place, "mode=multi", "prior=none", "template=All about {}.", "data.max_eval_rows=30")) == 0
    shown = capsys.readouterr().out
    assert "All about {}." in shown and "guess among the" in shown and "texts/s" in shown
    assert len(records(place)) == 2
    assert compare([made.identity, f"paths.output={place}/outputs"]) == 0
    with pytest.raises(ConfigError, match="The command was: run zero-shot aaaa data=files"):
        explain([made.identity, f"paths.output={place}/outputs"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["labels=[a,b]"], "2 labels for 3 classes: labels are a, b; the classes of the data are animals, food, music"),
        (["template=no place"], "has no {} for the label"),
        (["mode=both"], "mode=both: expected single or multi"),
        (["prior=some"], "prior=some: expected content_free or none"),
        (["train.epochs=3"], "'train.epochs=3' is not one of its options"),
        (["language=fr"], "language=fr: templates are for en, tr, zh"),
    ],
)
def test_mistakes_are_one_message(place: Path, more: list[str], message: str) -> None:
    before = sorted((place / "outputs").iterdir())
    with pytest.raises(ConfigError) as refused:
        main(words(place, *more))
    assert message in str(refused.value) and sorted((place / "outputs").iterdir()) == before


def test_models_that_cannot_be_asked_are_refused(place: Path) -> None:
    with pytest.raises(ConfigError, match="bbbb reads one text, but an entailment model reads two"):
        main(["bbbb", *words(place)[1:]])
    with pytest.raises(ConfigError, match=r"data\.audio=audio are sounds, but an entailment model reads texts"):
        main(["aaaa", "data=esc10"])
    with pytest.raises(ConfigError, match="which entailment model"):
        main(words(place)[1:])
    with pytest.raises(ConfigError, match=r"which texts\? Try: data=sib200"):
        main(["aaaa", f"paths.output={place}/outputs"])


@pytest.mark.parametrize(("data", "task"), [("wikiqa", "rank"), ("squad", "span"), ("stsb", "regression")])
def test_data_without_classes_are_refused_before_they_are_read(place: Path, data: str, task: str) -> None:
    with pytest.raises(ConfigError, match=f"the rows of data={data} are for the task {task}, but classes of texts"):
        main(["aaaa", f"data={data}", f"paths.output={place}/outputs"])


def test_a_missing_file_is_named_by_the_setting_that_was_given(place: Path) -> None:
    with pytest.raises(DataError, match=r"^data\.test_path=.*nothing\.csv: no such file"):
        main(words(place, data="nothing.csv"))


def test_rows_without_labels_are_refused(place: Path) -> None:
    (place / "none.csv").write_text("text,topic\n" + "a text,-1\n" * 5, encoding="utf-8")
    assert run_verb("zeroshot", words(place, data="none.csv")) == 2
    (place / "numbers.csv").write_text("text,topic\na,0.5\nb,1.25\nc,0.75\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="numbers as labels, but classes of texts are needed"):
        main(words(place, data="numbers.csv"))


def test_sets_of_labels_are_decided_label_by_label(place: Path) -> None:
    sets = "".join(f"text {i},{name}\n" for i, name in enumerate(["food", "food;music", "animals", ""] * 5))
    (place / "sets.csv").write_text("text,topic\n" + sets, encoding="utf-8")
    asked = words(place, 'data.label_separator=";"', data="sets.csv")
    with pytest.raises(ConfigError, match=r"mode=single chooses one label, but the rows have sets.*Try: mode=multi"):
        main(asked)
    with pytest.raises(ConfigError, match=r"data\.threshold=per_label is fitted to validation rows"):
        main([*asked, "mode=multi", "data.threshold=per_label"])
    assert main([*asked, "mode=multi"]) == 0
    (record,) = (one for one in records(place) if one.data.task == "multilabel")
    # One of three labels at random for 20 rows with 20 labels: a third of the guesses is right.
    assert record.metrics["zero_shot/chance"] == pytest.approx(2 * (20 / 3) / (20 + 20))


def test_pairs_are_answered_by_the_models_own_classes(place: Path) -> None:
    pairs = "".join(f"a {i},b {i},{name}\n" for i, name in enumerate(["entailment", "neutral", "contradiction"] * 5))
    (place / "pairs.csv").write_text("text,other,topic\n" + pairs, encoding="utf-8")
    assert main(words(place, "data.text_pair=other", data="pairs.csv")) == 0
    for useless in ("template=It is {}.", "mode=multi", "prior=none"):
        with pytest.raises(ConfigError, match=f"{useless.partition('.')[0]}.* are asked as they are, .*= out$"):
            main(words(place, "data.text_pair=other", useless, data="pairs.csv"))
    assert any(record.data.rows == {"test": 15} for record in records(place))
    (place / "pairs.csv").write_text("text,other,topic\na,b,yes\nc,d,no\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="rows of two texts have the classes no, yes"):
        main(words(place, "data.text_pair=other", data="pairs.csv"))


def test_a_language_beside_a_template_is_refused(place: Path) -> None:
    with pytest.raises(ConfigError, match=r"language=tr chooses templates, but template= gives them"):
        main(words(place, "language=tr", "template=It is {}."))
    (place / "codes.csv").write_text("text,topic\n" + "a text,0\nanother,1\n" * 5, encoding="utf-8")
    with pytest.raises(ConfigError, match="the classes are called 0, 1, which says nothing about a text"):
        main(words(place, data="codes.csv"))
