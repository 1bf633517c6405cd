"""Distillation in whole runs: a finished run is the teacher, its predictions are cached, bad teachers are refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.inputs.tokenizer import load_tokenizer
from data.stores.build_once import SharedCache
from models.build import build
from models.checkpoints.read import read_state
from models.checkpoints.save import save_model
from models.compression.distil import Distil
from models.compression.distillation.internals import run_with_internals
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.experiment.outcome import Outcome
from runner.experiment.prepare import prepare_run
from runner.experiment.prepared import InitialWeights
from runner.experiment.progress import Terminal
from runner.experiment.run import run
from runner.experiment.stage_plan import stage_plan
from runner.experiment.teacher import KeptTeacher
from runner.experiment.word_replacer import WordReplacer
from runner.machine.exclusive import Exclusive
from runner.record.folder import find_record, read_record
from runner.record.identity import identity_settings
from runner.record.record import RunRecord
from runner.schema import Settings
from runner.training.inference import predict
from tests.conftest import run_cli, write_reviews

CPU = torch.device("cpu")


class School:
    """A folder with reviews, and a finished run that classifies them perfectly, as the teacher."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.output = folder, folder / "outputs"
        self.reviews = write_reviews(folder / "reviews.csv")
        self.words = [
            "data=files", f"data.path={self.reviews}", "data.text=review", "data.label=stars", "model.tokenizer=train",
            "model.vocab_size=200", "measure=off", "tracker=none", "train.batch_size=8", "optimizer.lr=3e-3",
            f"paths.output={self.output}", f"paths.cache={folder / 'cache'}",
        ]  # fmt: skip
        outcome = run(self.settings(*TEACHER, "train.epochs=5"), [])
        assert outcome.record and outcome.record.metrics["test/accuracy"] == 1.0
        self.teacher: str = outcome.record.identity

    def settings(self, *words: str) -> Settings:
        return resolve(compose([*self.words, *words]))

    def distil(self, *words: str, preset: str = "distil") -> list[str]:
        own = [f"compression=[{preset}]", f"compression.{preset}.teacher={self.teacher}", "train.epochs=2"]
        return ["model=dsn", *own, *words]


ENCODER = ["model=bert-tiny", "model.pretrained=null", "model.hidden=32", "model.intermediate=64"]
TEACHER = [*ENCODER, "model.heads=4"]
STUDENT = [*ENCODER, "model.layers=1", "model.heads=4"]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    return School(tmp_path_factory.mktemp("school"))


def record_of(outcome: Outcome) -> RunRecord:
    assert outcome.exit_code == 0 and outcome.record, outcome
    return outcome.record


def test_a_run_teaches_another_and_the_second_student_asks_nobody(school: School) -> None:
    words = [*school.words, *school.distil()]
    first = run_cli(*words, cwd=school.folder)
    assert first.returncode == 0, first.stderr
    assert "teacher logits: " in first.stdout
    second = record_of(run(school.settings(*school.distil("seed=1", "compression.distil.temperature=4")), []))
    before = next(r for r in map(read_record, school.output.iterdir()) if r and r.overrides)
    metrics = [before.metrics, second.metrics]
    assert [m["distil/teacher_rows"] for m in metrics] == [97 + 11, 0], "train and selection rows, once"
    assert metrics[0]["distil/teacher_score"] == 1.0 and metrics[1]["time/teacher_s"] == 0.0


def test_a_static_student_learns_the_teachers_vectors_of_all_texts_in_tokens_of_its_own(school: School) -> None:
    extra = school.folder / "unlabelled.csv"
    extra.write_text(school.reviews.read_text(encoding="utf-8").replace("film", "book"), encoding="utf-8")
    words = ["model=static", "model.pretrained=null", "model.vocab_size=150", "compression.text_vectors.tokens=own"]
    words += [f"compression.text_vectors.unlabelled={extra}", "compression.text_vectors.phases.vectors.epochs=4"]
    done = record_of(run(school.settings(*school.distil(*words, preset="text_vectors")), []))
    lines = (school.output / done.identity / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    points = [json.loads(line) for line in lines]
    losses = [value for point in points if (value := point.get("distil/loss_vector")) is not None]
    assert losses and losses[-1] < min(1.0, losses[0]) and done.metrics["distil/rows_added"] > 90


def test_phases_go_on_after_an_interruption_to_the_same_weights(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = school.distil(
        *STUDENT, "compression.tinybert.phases.inside.epochs=2", "compression.tinybert.phases.answers.epochs=2",
        preset="tinybert",
    )  # fmt: skip
    whole = record_of(run(school.settings(*words), []))
    folder = school.output / whole.identity
    expected = read_state(str(folder / "model"), "")
    assert "distil/loss_attention" in (folder / "metrics.jsonl").read_text(encoding="utf-8")
    shutil.rmtree(folder)
    with monkeypatch.context() as patch:
        patch.setattr(Distil, "run", interrupted(Distil.run, "answers"))
        assert run(school.settings(*words), []).exit_code == 130
    resumed = record_of(run(school.settings(*words), []))
    assert resumed.identity == whole.identity
    found = read_state(str(folder / "model"), "")
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    assert not any("projection" in name for name in found)


def interrupted(method: Callable[..., Any], phase: str) -> Callable[..., Any]:
    """A stage's `run` method, interrupted at the start of `phase`."""

    def run_until(self: Any, model: Any, context: Any) -> Any:
        plain = context.train

        def train(*arguments: Any, **named: Any) -> Any:
            if named["phase"] == phase:
                raise KeyboardInterrupt
            return plain(*arguments, **named)

        context.train = train
        return method(self, model, context)

    return run_until


def test_a_student_that_is_trained_on_labels_first_takes_as_many_steps_in_either_order(school: School) -> None:
    steps, own = {}, [*STUDENT, f"compression.distil.teacher={school.teacher}", "train.epochs=2"]
    for order in ("distil,magnitude", "magnitude,distil"):
        words = [f"compression=[{order}]", "density=0.5", "compression.distil.starts=tuned"]
        record = record_of(run(school.settings(*own, *words), []))
        assert [stage.name for stage in record.stages] == ["train", *order.split(",")]
        steps[order] = record.metrics["train/steps"]
    assert len(set(steps.values())) == 1
    assert [stage.name for stage in stage_plan(school.settings(*own, "compression=[distil]"))] == ["distil"]


def test_unlabelled_texts_are_answered_by_the_teacher_and_their_content_names_the_run(school: School) -> None:
    extra = school.folder / "extra.csv"
    lines = school.reviews.read_text(encoding="utf-8").replace("film", "play")
    extra.write_text(lines, encoding="utf-8")
    words = school.distil(f"compression.distil.unlabelled={extra}")
    plain, more = (record_of(run(school.settings(*w), [])) for w in (school.distil("seed=5"), [*words, "seed=5"]))
    assert more.metrics["distil/teacher_rows"] == 120, "those of the training rows are shared with other runs"
    assert more.metrics["train/steps"] == 2 * -(-(97 + 120) // 8) > plain.metrics["train/steps"]
    extra.write_text(lines.replace("year", "week"), encoding="utf-8")
    other = prepare_run(school.settings(*words, "seed=5"), school.output, Terminal().say, InitialWeights(), Exclusive())
    assert other.identity != more.identity


def test_how_texts_would_be_varied_is_part_of_a_run_only_where_they_are() -> None:
    def counted(*words: str) -> dict[str, Any]:
        chosen = ["compression=[distil]", "compression.distil.teacher=a/b", *words]
        return identity_settings(
            resolve(compose([f"compression.distil.{w}" if w.startswith("augment") else w for w in chosen]))
        )

    assert counted() == counted("augment.copies=3")
    named = ["augment.model=a/c"]
    assert counted(*named) != counted() and counted(*named) != counted(*named, "augment.copies=3")
    with pytest.raises(ConfigError, match=r"augment\.model replaces words in the student's tokens"):
        counted(*named, "compression.distil.tokens=own")


@pytest.fixture(scope="module")
def masked(school: School) -> str:
    """The folder of an untrained masked-language model with the teacher's vocabulary."""
    tokenizer = load_tokenizer(str(school.output / school.teacher / "model"))
    settings = ModelSettings(layers=1, hidden=32, heads=2)
    torch.manual_seed(0)
    model, _ = build(
        settings, vocab_size=tokenizer.vocab_size, pad_id=tokenizer.pad_id, head=HeadSpec("words", output="tied")
    )
    folder = school.folder / "masked"
    save_model(model, folder, tokenizer_save=tokenizer.save, label_names=[], card="")
    return str(folder)


def test_varied_texts_are_made_once_and_answered_by_the_teacher(
    school: School, masked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = school.distil(f"compression.distil.augment.model={masked}", "compression.distil.augment.copies=2")
    first = record_of(run(school.settings(*words, "seed=7"), [])).metrics
    assert 97 < first["distil/rows_added"] <= 2 * 97 and first["distil/teacher_rows"] >= first["distil/rows_added"]
    assert first["train/steps"] == 2 * -(-(97 + int(first["distil/rows_added"])) // 8)
    monkeypatch.setattr(WordReplacer, "guess", None)  # now every call fails
    second = record_of(run(school.settings(*words, "seed=8"), [])).metrics
    assert second["distil/rows_added"] == first["distil/rows_added"] and second["distil/teacher_rows"] == 0


@pytest.mark.parametrize(
    ("is_masked", "message"), [(False, "has no head for masked words"), (True, "a different vocabulary")]
)
def test_what_cannot_guess_these_words_is_refused_before_anything_is_written(
    school: School, masked: str, is_masked: bool, message: str, tmp_path: Path
) -> None:
    source = masked if is_masked else school.output / school.teacher / "model"
    shutil.copytree(source, tmp_path / "other")
    if is_masked:
        path = tmp_path / "other" / "tokenizer.json"
        path.write_text(path.read_text(encoding="utf-8").replace('"film"', '"play"'), encoding="utf-8")
    settings = school.settings(*school.distil(f"compression.distil.augment.model={tmp_path / 'other'}", "seed=9"))
    before = set(school.output.iterdir())
    with pytest.raises((ConfigError, ModelError), match=message):
        run(settings, [])
    assert set(school.output.iterdir()) == before


def test_a_teacher_named_by_its_words_is_made_first_and_found_again(school: School) -> None:
    named = "model=dsn train.epochs=9 optimizer.lr=0.05"
    words = [*school.words, *school.distil(f'compression.distil.teacher="{named}"')]
    before = set(school.output.iterdir())
    first = record_of(run(resolve(compose(words)), words))
    teacher = first.config["compression"]["distil"]["teacher"]
    assert {path.name for path in set(school.output.iterdir()) - before} == {teacher, first.identity}
    assert find_record(school.output, teacher).config["train"]["epochs"] == 9
    second = record_of(run(resolve(compose([*words, "seed=1"])), [*words, "seed=1"]))
    assert second.config["compression"]["distil"]["teacher"] == teacher
    with pytest.raises(ConfigError, match=r"compression.distil.teacher: train.epoks.*did you mean"):
        run(resolve(compose([*words, 'compression.distil.teacher="train.epoks=3"'])), words)


@pytest.mark.parametrize("mistake", ["heads", "untrained", "vocabulary", "labels", "killed", "missing"])
def test_a_teacher_that_cannot_teach_is_refused_before_anything_is_written(
    school: School, mistake: str, tmp_path: Path
) -> None:
    teacher, words, message = school.teacher, ["model=dsn"], ""
    if mistake == "heads":
        words = [*ENCODER, "model.heads=2", "compression.distil.phases.task.losses.attention=1"]
        message = (
            "compression.distil: loss attention compares heads one by one, but the student has 2 and the teacher 4"
        )
    elif mistake == "untrained":
        teacher = str(tmp_path / "untrained")
        shutil.copytree(school.output / school.teacher / "model", teacher)
        blank(Path(teacher))
        message = "it was not trained for this task"
    elif mistake == "labels":
        teacher, message = (
            changed(school, tmp_path, "config.json", '"1": "5"', '"1": "5", "2": "6"'),
            "predicts 3 labels",
        )
    elif mistake == "killed":
        teacher = changed(school, tmp_path, "../record.json", '"status": "done"', '"status": "killed"')
        message = "that run is killed"
    elif mistake == "vocabulary":
        words, message = ["model=dsn", "model.vocab_size=70"], "has a different vocabulary"
    else:
        teacher, message = "ffffffffff", "no run starts with 'ffffffffff'"
    settings = school.settings(*school.distil(f"compression.distil.teacher={teacher}", *words))
    before = set(school.output.iterdir())
    with pytest.raises((ConfigError, ModelError), match=message):
        run(settings, [])
    assert set(school.output.iterdir()) == before


def changed(school: School, folder: Path, name: str, before: str, after: str) -> str:
    """A copy of the teacher's run with text replaced in one file, given relative to its model."""
    copied = folder / "copy"
    shutil.copytree(school.output / school.teacher, copied)
    path = copied / "model" / name
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    return str(copied)


def blank(folder: Path) -> None:
    """Set the saved model's last layer to 0, so that all its logits are 0."""
    from safetensors.torch import load_file, save_file

    state = load_file(folder / "model.safetensors")
    for name in ("classifier.weight", "classifier.bias"):
        state[name] = torch.zeros_like(state[name])
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def test_a_teacher_of_another_vocabulary_answers_the_texts_as_it_reads_them(school: School, tmp_path: Path) -> None:
    texts = tmp_path / "more.csv"
    texts.write_text("review\n" + "".join(f"a film worth seeing {word}\n" for word in ("twice", "never", "today")))
    own = ["compression.distil.tokens=own", "model.vocab_size=70", f"compression.distil.unlabelled={texts}"]
    settings = school.settings(*school.distil(*own, "compression.distil.teacher_length=11"))
    started = prepare_run(settings, school.output, Terminal().say, InitialWeights(), Exclusive())
    inputs = started.stage_inputs["distil"]
    assert inputs.teacher and inputs.unlabelled
    train, read = started.splits.train, inputs.teacher.versions[started.splits.train.fingerprint]
    assert len(train) == len(read) and read.lengths.max() == 11 < train.lengths.max()
    np.testing.assert_array_equal(train.labels.values, read.labels.values)
    plain = predict(inputs.teacher.network, read, batch_size=5, device=CPU, precision="fp32")
    np.testing.assert_allclose(inputs.teacher.logits(train), plain, atol=1e-5)
    assert len(inputs.teacher.logits(inputs.unlabelled.split)) == 3
    assert record_of(run(settings, [])).metrics["distil/teacher_rows"] == 0, "the answers are kept"


def test_a_student_that_reads_more_learns_from_a_teacher_that_reads_as_its_own_run_did(school: School) -> None:
    outcome = run(school.settings(*TEACHER, "data.max_length=11", "train.epochs=5"), [])
    assert outcome.record
    teacher = f"compression.distil.teacher={outcome.record.identity}"
    for tokens, longest in (("own", 11), ("shared", 0)):
        words = school.distil(f"compression.distil.tokens={tokens}", teacher, "data.max_length=64")
        started = prepare_run(school.settings(*words), school.output, Terminal().say, InitialWeights(), Exclusive())
        kept, train = started.stage_inputs["distil"].teacher, started.splits.train
        assert kept and train.lengths.max() > 11
        assert kept.versions[train.fingerprint].lengths.max() == longest if longest else not kept.versions


def test_a_teacher_answers_in_the_order_of_the_tasks_labels(school: School) -> None:
    plain, swapped = (
        prepare_run(
            school.settings(*school.distil(*words)), school.output, Terminal().say, InitialWeights(), Exclusive()
        )
        for words in ([], ["data.label_names=[5,1]", f"model.tokenizer={school.output / school.teacher / 'model'}"])
    )
    teachers = [started.stage_inputs["distil"].teacher for started in (plain, swapped)]
    assert teachers[0] and teachers[1] and teachers[0].score == teachers[1].score == 1.0
    kept = [t.logits(plain.splits.train) for t in teachers]
    np.testing.assert_allclose(kept[1], kept[0][:, ::-1], atol=1e-6)
    inputs = {"input_ids": torch.tensor([[2, 7, 8, 3]])}
    first, second = (run_with_internals(t.network, inputs).logits for t in teachers)
    torch.testing.assert_close(second, first.flip(1))


@pytest.mark.parametrize("key", ["finished", "model.init_from"])
def test_a_finished_model_answers_the_labels_in_another_order_as_well(school: School, key: str) -> None:
    folder = school.output / school.teacher / "model"
    words = [*TEACHER, "model.carry=all", f"model.tokenizer={folder}", f"{key}={folder}"]
    stage = ["compression=[int8]"] if key == "finished" else []
    swapped = school.settings(*words, *stage, "data.label_names=[5,1]")
    started = prepare_run(swapped, school.output, Terminal().say, InitialWeights(folder), Exclusive())
    test = started.splits.report[0]
    logits = predict(started.model, test, batch_size=5, device=CPU, precision="fp32")
    np.testing.assert_array_equal(logits.argmax(1), test.labels.values)
    plain = prepare_run(
        school.settings(*words, *stage), school.output, Terminal().say, InitialWeights(folder), Exclusive()
    )
    assert plain.weights.fingerprint != started.weights.fingerprint


def test_losses_that_compare_tokens_need_the_same_ones(school: School) -> None:
    words = school.distil("compression.distil.tokens=own", "compression.distil.phases.task.losses.hidden=1")
    with pytest.raises(ConfigError, match=r"tokens=own: the losses hidden compare states token by token.*Try: "):
        school.settings(*words)
    with pytest.raises(
        ConfigError, match=r"teacher_length has no effect, as the teacher reads the student's tokens.*Try: "
    ):
        school.settings(*school.distil("compression.distil.teacher_length=11"))


def test_a_teacher_is_known_by_its_weights_and_asked_row_by_row(school: School, tmp_path: Path) -> None:
    started = prepare_run(
        school.settings(*school.distil()), school.output, Terminal().say, InitialWeights(), Exclusive()
    )
    source = school.output / school.teacher / "model"

    def teacher(folder: Path) -> KeptTeacher:
        return KeptTeacher(str(folder), f"teacher={folder}", started.splits, started.task, CPU, SharedCache(tmp_path))

    first, train = teacher(source), started.splits.train
    answers = first.logits(train)
    plain = predict(first.network, train, batch_size=5, device=CPU, precision="fp32")
    np.testing.assert_allclose(answers, plain, atol=1e-5)
    second = teacher(source)
    np.testing.assert_array_equal(second.logits(train), answers)
    assert "network" not in vars(second) and second.rows_answered == 0
    copied = tmp_path / "copy"
    shutil.copytree(source, copied)
    assert teacher(copied).facts.fingerprint == first.facts.fingerprint
    blank(copied)
    assert teacher(copied).facts.fingerprint != first.facts.fingerprint
