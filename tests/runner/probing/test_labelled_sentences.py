"""Sentences in memory become a task like those of files, and are written once."""

from __future__ import annotations

from pathlib import Path

from data.stores.build_once import SharedCache
from runner.probing.labelled_sentences import sentence_task

SENTENCES = {
    "train": [("A film .", "PAST"), ("The film , in short", "PRES"), ('A "tab\t"', "PAST"), ("Yes", "PRES")],
    "select": [("A dog", "PRES"), ("Dogs", "PAST")],
    "report": [("Dogs bark", "PAST"), ("No dog barks", "PRES"), ("No", "PRES")],
}


def test_every_sentence_is_in_its_split_with_its_label(tmp_path: Path) -> None:
    task = sentence_task("ewt_past_present", "semantic", SENTENCES, SharedCache(tmp_path))
    assert (task.name, task.group, task.classes) == ("ewt_past_present", "semantic", 2)
    names = task.data.task.label_names
    for which, split in {"train": "train", "select": task.data.select, "report": task.data.report[0]}.items():
        raw = task.data.raw.splits[split]
        assert [names[label] for label in raw.labels.values] == [label for _, label in SENTENCES[which]]
    again = sentence_task("ewt_past_present", "semantic", SENTENCES, SharedCache(tmp_path))
    assert again.fingerprints == task.fingerprints


def test_damaged_files_are_written_again(tmp_path: Path) -> None:
    task = sentence_task("x", None, SENTENCES, SharedCache(tmp_path))
    (file,) = tmp_path.glob("probing/*/test.jsonl")
    file.write_text(file.read_text(encoding="utf-8").replace("bark", "b"), encoding="utf-8")
    assert sentence_task("x", None, SENTENCES, SharedCache(tmp_path)).fingerprints == task.fingerprints
    assert "Dogs bark" in file.read_text(encoding="utf-8")
