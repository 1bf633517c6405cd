"""Mistakes in the words of `run probe`: each is refused with what would do, before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.commands.probe import main
from runner.errors import ConfigError
from runner.probing.wanted import Wanted

MISTAKES = {
    "no model": (["data=xprobe"], r"which model\? .*Try: run probe <id> data=xprobe"),
    "no sentences": (["aaaa"], r"which sentences\? Try: data=xprobe"),
    "a misspelt task": (["aaaa", "data=xprobe", "tasks=tense"], r"tasks=tense: expected some of sentence_length, .*"),
    "tasks of other data": (["aaaa", "data=demo", "tasks=semantic"], r"tasks= names tasks of data=xprobe"),
    "a task without a rule": (
        ["aaaa", "treebank=ud", "tasks=odd_man_out"],
        r"tasks=odd_man_out: expected some of",
    ),
    "two sources": (["aaaa", "treebank=ud", "data=xprobe"], r"data= and treebank= name what is probed"),
    "three sources": (["aaaa", "treebank=ud", "data=xprobe", "senteval=s"], r"data= and treebank= and senteval= name"),
    "too few words": (["aaaa", "treebank=ud", "max_words=1"], r"max_words=1: expected a whole number"),
    "words of no treebank": (["aaaa", "data=xprobe", "max_words=50"], r"max_words=50 is for treebank= and edge=\. Try"),
    "rows of no file": (["aaaa", "data=demo", "max_rows=50"], r"max_rows=50 is for senteval=\. Try: data.max_rows=50$"),
    "rows of a treebank": (["aaaa", "treebank=ud", "max_rows=50"], r"max_rows=50 .*Try: leave max_rows= out$"),
    "a form of trees": (["aaaa", "treebank=ud", "probe=mlp"], r"tasks=structural are linear maps .*Try: tasks=words"),
    "a pooling of words": (["aaaa", "treebank=ud", "pool=cls", "tasks=words"], r"pool=cls is for whole sentences"),
    "a pooling of spans": (["aaaa", "edge=e.jsonl", "pool=cls"], r"pool=cls is for whole sentences; words and spans"),
    "information of spans": (["aaaa", "edge=e.jsonl", "given=bbbb"], r"given=bbbb has no effect: .*Leave given= out"),
    "information of trees": (["aaaa", "treebank=ud", "given=bbbb", "tasks=structural"], r"given=bbbb has no effect"),
    "another grid": (["aaaa", "data=xprobe", "grid=fine"], r"grid=fine: expected one of quick, senteval"),
    "an unknown option": (["aaaa", "data=xprobe", "layer=1"], r"'layer=1' is not one of its options .*Try: layers=1"),
    "no pooling": (["aaaa", "data=xprobe", "pool="], r"pool=: expected one of mean, cls, readout"),
    "another probe": (["aaaa", "data=xprobe", "probe=svm"], r"probe=svm: expected one of linear, mlp"),
    "no layers": (["aaaa", "data=xprobe", "layers="], r"layers=: expected whole numbers"),
    "a layer below 0": (["aaaa", "data=xprobe", "layers=-1"], r"layers=-1: expected a whole number"),
    "no such run": (["aaaa", "data=xprobe"], r"no recorded run in .* Make one"),
    "a given name that is nothing": (["a/b", "data=xprobe", "given=mymodel"], r"^given=mymodel: no run or sweep in"),
    "a name that is nothing": (["mymodel", "data=xprobe"], r"from=mymodel: no run or sweep in .* has that name"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_message(case: str, tmp_path: Path) -> None:
    words, message = MISTAKES[case]
    with pytest.raises(ConfigError, match=message):
        main([*words, f"paths.output={tmp_path}", f"paths.cache={tmp_path / 'cache'}"])


def test_without_words_the_usage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("run probe ID")


def test_layers_are_shown_of_one_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.commands.probe.find_subjects", lambda names, output, check: [*names])
    with pytest.raises(ConfigError, match=r"by=layer shows one model, but 2 are named\. Try: one of them"):
        main(["a", "b", "data=xprobe", "by=layer", f"paths.output={tmp_path}"])


def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *words: str) -> Wanted:
    """Return the probes that the words of a command ask for."""
    found: list[Wanted] = []
    monkeypatch.setattr("runner.commands.probe.find_subjects", lambda names, output, check: [*names])
    monkeypatch.setattr("runner.probing.command.run_probes", lambda *given: found.append(given[4]))
    assert main(["a", *words, f"paths.output={tmp_path}"]) == 0
    return found[0]


def test_chosen_tasks_have_results_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = asked(monkeypatch, tmp_path, "data=xprobe")
    assert (whole.ending, whole.cut_groups) == ("linear", ())
    one = asked(monkeypatch, tmp_path, "data=xprobe", "tasks=bigram_shift,semantic")
    assert one.ending.startswith("linear-") and one.cut_groups == ("syntactic",)
    group = asked(monkeypatch, tmp_path, "data=xprobe", "tasks=semantic", "probe=mlp")
    assert group.ending.startswith("mlp-") and group.cut_groups == ()
    every = asked(monkeypatch, tmp_path, "data=xprobe", "tasks=surface,syntactic,semantic")
    assert every.ending == "linear"
    assert asked(monkeypatch, tmp_path, "data=demo").ending == "linear"
    trees = asked(monkeypatch, tmp_path, "treebank=ud")
    assert trees.ending == asked(monkeypatch, tmp_path, "treebank=ud", "tasks=words,structural").ending == "linear"
    assert asked(monkeypatch, tmp_path, "treebank=ud", "tasks=words").ending != "linear"


def test_a_setting_of_a_model_nobody_named_refuses_no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch, tmp_path, "data=squad").tasks == ("squad",), "what it lacks is found as it is read"
