"""Facts about labels: what is said of none, and what a deployed model is told."""

from __future__ import annotations

from runner.tasks.facts import LabelFacts
from runner.tasks.make import further_facts, task_of_export


def test_facts_of_nothing_are_left_out_of_an_export_and_others_come_back() -> None:
    assert further_facts(LabelFacts(("a", "b"))) == {}
    facts = LabelFacts(("a", "b"), threshold="per_label", thresholds=(0.2, 0.7), loss_reduction="sum_labels")
    told = further_facts(facts)
    assert told == {"threshold": "per_label", "thresholds": [0.2, 0.7]}
    assert task_of_export("multilabel", ("a", "b"), told).facts.thresholds == (0.2, 0.7)
