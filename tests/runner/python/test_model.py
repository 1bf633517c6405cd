"""Models that answer in arrays, and the runs and searches that they come from."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import runner.python as bertier
from runner.errors import ConfigError
from runner.python.model import Model
from tests.conftest import REPO
from tests.runner.deploy.adaptive import write_adaptive_run
from tests.runner.deploy.promised import texts_of, write_promising_run
from tests.runner.deploy.sound_runs import CLIPS, write_clips, write_sound_run

TEXTS = ["the fine film", "the dull film"]
WORDS = "model=ngram model.min_df=1 measure=off tracker=none data.name=notes train.threads=1"


def frame() -> pd.DataFrame:
    good, bad = ["fine", "lovely", "great"], ["poor", "awful", "dull"]
    rows = [(f"the {(good if i % 2 else bad)[i % 3]} film, number {i}", 5 if i % 2 else 1) for i in range(120)]
    return pd.DataFrame(rows, columns=["note", "stars"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bertier.run:  # type: ignore[valid-type]
    folder = tmp_path_factory.mktemp("python")
    words = f"{WORDS} paths.output={folder / 'out'} paths.cache={folder / 'cache'}"
    return bertier.run(words, frame(), text="note", label="stars", is_quiet=True)


def test_a_run_on_a_data_frame_answers_with_its_labels(made) -> None:  # type: ignore[no-untyped-def]
    assert made.score == made.metrics["test/accuracy"] == 1.0
    assert made.path.name == made.id == made.record.identity
    model = made.model
    assert model.classes_.tolist() == [1, 5] and np.issubdtype(model.classes_.dtype, np.integer)
    for texts in (TEXTS, pd.Series(TEXTS), np.array(TEXTS), pd.DataFrame({"note": TEXTS, "other": 0})):
        np.testing.assert_array_equal(model.predict(texts), [5, 1])
    shares = model.predict_proba(TEXTS)
    assert shares.shape == (2, 2) and shares.sum(1) == pytest.approx([1, 1])
    np.testing.assert_array_equal(model.classes_[shares.argmax(1)], [5, 1])
    assert model.predict([]).shape == (0,) and model.predict_proba([]).shape == (0, 2)
    with pytest.raises(TypeError, match=r'Try: model.predict\(\["a text"\]\)'):
        model.predict("a text")


def test_a_model_that_was_loaded_with_a_length_promises_nothing(tmp_path: Path) -> None:
    write_adaptive_run(tmp_path, "eeee")
    model = bertier.load("eeee", output=tmp_path, length=0.5)
    with pytest.raises(ConfigError, match=r"reject=0\.05: .* loaded with length=0\.5\. Try: .* without length="):
        model.predict(TEXTS, reject=0.05)
    assert set(model.predict(TEXTS)) <= set(model.classes_)


def test_a_model_is_loaded_by_id_by_folder_and_from_a_bundle(made, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from runner.commands.export import main

    expected = made.model.predict_proba(TEXTS)
    assert main([made.id, "format=bundle", f"out={tmp_path / 'bundle'}", f"paths.output={made.path.parent}"]) == 0
    for source, output in ((made.id[:6], made.path.parent), (made.path, "none"), (tmp_path / "bundle", "none")):
        model = bertier.load(source, output=output)
        assert model.classes_.tolist() == ["1", "5"] and model.predict(TEXTS).tolist() == ["5", "1"]
        np.testing.assert_allclose(model.predict_proba(TEXTS), expected, atol=1e-6)
    with pytest.raises(ConfigError):
        bertier.load("nothing", output=tmp_path)


def test_pairs_and_numbers() -> None:
    asked = list[object]()

    def ask(texts: list[str], pairs: list[str] | None) -> list[dict[str, float]]:
        asked.append((texts, pairs))
        return [{"prediction": 0.5} for _ in texts]

    model = Model(Path("here"), (), ("first", "second"), lambda: ask)
    table = pd.DataFrame({"second": ["b"], "first": ["a"]})
    assert model.predict([("a", "b")]).tolist() == model.predict(table).tolist() == [0.5]
    assert asked == [(["a"], ["b"])] * 2 and model.classes_.size == 0
    for row in ("ab", ("a", "b", "c"), None):
        with pytest.raises(TypeError, match=r"row 2 is not a pair of texts.*predict\(\[\(first, second\)\]\)"):
            model.predict([("a", "b"), row])
    with pytest.raises(AttributeError, match="numbers"):
        model.predict_proba([("a", "b")])
    with pytest.raises(AttributeError, match="no attribute 'fit'"):
        bertier.fit  # noqa: B018


@pytest.mark.parametrize("row", [None, float("nan"), pd.NA, pd.NaT, ("good", "film"), ["good"], {"note": "good"}])
def test_what_is_no_text_is_refused_and_not_answered(row: object) -> None:
    model = Model(Path("here"), ["bad", "good"], ["note"], lambda: lambda texts, pairs: [{"prediction": "bad"}] * 2)
    with pytest.raises(TypeError, match=r"row 2 is (nothing|a tuple|a list|a dict), but must be a text"):
        model.predict(["fine", row])
    with pytest.raises(ConfigError, match=r"no column 'note' \(columns: text, 1\)"):
        model.predict(pd.DataFrame({"text": ["fine"], 1: [0]}))


@pytest.mark.parametrize("texts", [b"fine", {"note": ["fine", "good"]}, {"fine", "good"}, "fine"])
def test_what_is_no_list_is_refused_and_not_answered(texts: object) -> None:
    model = Model(Path("here"), ["bad", "good"], ["note"], lambda: lambda texts, pairs: [{"prediction": "bad"}] * 2)
    with pytest.raises(TypeError, match=r"expected a list of texts, not a .*\. Try: model.predict"):
        model.predict(texts)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="several columns named note"):
        model.predict(pd.DataFrame([["fine", "good"]], columns=["note", "note"]))


@pytest.mark.parametrize(("word", "what"), [(None, "nothing"), (b"film", "a bytes"), (["film"], "a list")])
def test_what_is_no_word_is_refused_and_not_answered(word: object, what: str) -> None:
    model = Model(Path("here"), ["O"], ["tokens"], lambda: lambda texts, pairs: [], reads_words=True)
    with pytest.raises(TypeError, match=f"row 2 has {what}, but its words must be texts"):
        model.predict(["fine", ["good", word]])


def test_parts_of_texts_are_answered_as_texts() -> None:
    asked = list[object]()

    def ask(texts: list[object], pairs: list[str] | None) -> list[dict[str, object]]:
        asked.extend(texts)
        return [{"prediction": "[Ada](PER) left", "spans": [], "tags": ["B-PER", "O"]} for _ in texts]

    model = Model(Path("here"), ["O", "B-PER"], ["tokens"], lambda: ask, reads_words=True)
    assert model.predict(["Ada left", ["Ada", "left"]]).tolist() == ["[Ada](PER) left"] * 2
    assert asked == ["Ada left", ["Ada", "left"]]
    with pytest.raises(AttributeError, match="answers with texts"):
        model.predict_proba(["Ada left"])


def test_tags_of_words_that_mark_no_names_are_answered_as_texts() -> None:
    answers = [{"prediction": "the/DET dog/NOUN", "tags": ["DET", "NOUN"]}]
    model = Model(Path("here"), ["DET", "NOUN"], ["tokens"], lambda: lambda texts, pairs: answers, reads_words=True)
    assert model.predict(["the dog"]).tolist() == ["the/DET dog/NOUN"]
    with pytest.raises(AttributeError, match="answers with texts"):
        model.predict_proba(["the dog"])


def test_a_model_that_has_answered_goes_to_another_process(made) -> None:  # type: ignore[no-untyped-def]
    expected = made.model.predict_proba(TEXTS)
    copied = pickle.loads(pickle.dumps(made.model))  # noqa: S301  (our own)
    np.testing.assert_array_equal(copied.predict_proba(TEXTS), expected)


def test_the_import_is_light_and_lets_transformers_open_saved_folders() -> None:
    code = "import sys, runner.python as bertier; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True).stdout
    loaded = set(found.split())
    assert "models" in loaded and not loaded & {"torch", "transformers", "pandas", "numpy", "sklearn"}


def test_few_of_the_answers_are_wrong_where_that_is_asked(tmp_path: Path) -> None:
    write_promising_run(tmp_path, "dddd")
    model, texts = bertier.load("dddd", output=tmp_path), texts_of(40, 3)
    promise, found = model.promise(0.05), model.predict(texts, reject=0.05)
    is_sure = model.predict_proba(texts).max(1) > promise["threshold"]
    assert 0 < is_sure.sum() < 40 and (found[~is_sure] == "unsure").all()
    np.testing.assert_array_equal(found[is_sure], model.predict(texts)[is_sure])
    numbers = bertier.load("dddd", output=tmp_path, values={"negative": 0, "positive": 1})
    assert set(numbers.predict(texts, reject=0.05)) <= {0, 1, "unsure"}
    with pytest.raises(ConfigError, match="between 0 and 1"):
        model.predict(texts, reject=5)
    with pytest.raises(ConfigError, match="without its run"):
        Model(tmp_path, ["a", "b"], ["text"], lambda: lambda first, second: []).promise(0.05)


def test_sounds_are_asked_by_their_paths_or_their_content(tmp_path: Path) -> None:
    write_sound_run(tmp_path, "5555")
    clips = write_clips(tmp_path / "clips")
    model = bertier.load("5555", output=tmp_path)
    shares = model.predict_proba([clips["a"], str(clips["a"]), CLIPS["a"]])
    assert shares.shape == (3, 3) and (shares == shares[0]).all()
    assert model.predict(pd.DataFrame({"path": [clips["b"]]})).tolist() == model.predict([CLIPS["b"]]).tolist()
