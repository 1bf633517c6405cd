"""The whole command: a result beside the run, read again, in the line of run show, of two models their difference."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from runner.commands.blimp import main
from runner.commands.show import main as show
from runner.errors import ConfigError
from runner.record.added_metrics import read_added
from runner.record.folder import RECORD, find_record
from tests.runner.compare.folders import write_group
from tests.runner.minimal_pairs.toys import agreeing, pairs_file


@pytest.fixture
def words(output: Path, pairs: Path) -> list[str]:
    places = [f"paths.output={output}", f"paths.cache={output.parent / 'cache'}", "tracker=none", "threads=1"]
    return ["data=files", f"path={pairs}", "group=kind", *places]


def test_a_result_is_kept_beside_the_run_and_read_again(
    output: Path, run_id: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    record = (output / run_id / RECORD).read_bytes()
    assert main([f"from={run_id}", *words]) == 0
    first = capsys.readouterr()
    folder = output / run_id / "minimal-pairs"
    assert sorted(path.name for path in folder.iterdir()) == ["agreement_pll-200.json", "agreement_pll-200.parquet"]
    assert "short " in first.out and "long " in first.out and "72 of 72 pairs" in first.out
    report = json.loads((folder / "agreement_pll-200.json").read_text())
    assert report["whole"]["unigrams"] is not None and not report["notes"]
    assert report["whole"]["accuracy"] == read_added(output / run_id, report["started"])["pairs/agreement_pll"]
    assert main([run_id[:5], *words]) == 0
    again = capsys.readouterr()
    assert again.out == first.out and "read " in again.err and "wrote " in first.err
    assert main([run_id[:5], *words, "repeat=true"]) == 0
    assert "wrote " in capsys.readouterr().err
    assert show([run_id, f"paths.output={output}"]) == 0
    assert f"minimal pairs, agreement_pll (72 pairs): {report['whole']['accuracy']:.3f} [" in capsys.readouterr().out
    assert (output / run_id / RECORD).read_bytes() == record


def test_a_result_of_a_few_pairs_does_not_replace_that_of_all_in_the_metrics_of_a_run(
    output: Path, run_id: str, words: list[str]
) -> None:
    started = find_record(output, run_id).started
    main([run_id, *words, "score=mean", "max_pairs=all"])
    whole = read_added(output / run_id, started)
    main([run_id, *words, "score=mean", "max_pairs=4"])
    assert whole["pairs/agreement_mean_count"] == 72 and read_added(output / run_id, started) == whole
    main([run_id, *words, "score=word", "max_pairs=4"])
    main([run_id, *words, "score=word", "max_pairs=all"])
    assert read_added(output / run_id, started)["pairs/agreement_word_count"] == 72


def test_two_models_are_compared_on_the_same_pairs(
    run_id: str, learned: Path, untrained: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(untrained), str(learned), *words]) == 0
    said = capsys.readouterr().out
    assert f"A: {untrained}\nB: {learned}\n" in said and "B - A" in said
    whole = next(line.split() for line in said.splitlines() if line.strip().startswith("all "))
    assert float(whole[3]) > 0.9 and whole[4].startswith("+") and float(whole[-1]) < 0.01


def test_other_pairs_under_the_same_name_are_asked_again(
    learned: Path, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pairs_file(tmp_path / "mine.csv", agreeing()[1][:6])
    words = [f"path={path}" if word.startswith("path=") else word for word in words]
    main([str(learned), *words])
    pairs_file(path, agreeing()[1][:4])
    capsys.readouterr()
    main([str(learned), *words])
    assert "4 of 4 pairs" in capsys.readouterr().out


def test_another_tokenizer_beside_the_same_weights_is_another_result(
    learned: Path, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model"
    shutil.copytree(learned, model)
    main([str(model), *words])
    content = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))
    content["normalizer"] = {"type": "Sequence", "normalizers": [content["normalizer"], {"type": "Lowercase"}]}
    (model / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    capsys.readouterr()
    main([str(model), *words])
    assert "wrote " in capsys.readouterr().err


def test_a_run_of_another_task_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    (other,) = write_group(tmp_path, "model=dsn", right=[150])
    identity = other["identity"]
    with pytest.raises(ConfigError, match=rf"from={identity}: is a run of task=classification.*run task=mlm"):
        main([identity, f"paths.output={tmp_path}"])
    assert not list(tmp_path.rglob("*minimal-pairs*"))


def test_an_unknown_grouping_is_refused_with_those_there(learned: Path, words: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"by=field: expected one of paradigm, all. Try: by=paradigm"):
        main([str(learned), *words, "by=field"])
