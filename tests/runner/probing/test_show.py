"""Tables of probes on a terminal of 80 columns."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from runner.probing.arms import Arm
from runner.probing.show import one_line, show_arms, show_report, show_versus
from runner.probing.versus import versus
from tests.runner.probing.reports import made_report


def printed(by: str = "task", accuracy: float = 0.8) -> str:
    stream = io.StringIO()
    show_report(made_report(accuracy)[0], Console(file=stream, width=80, highlight=False), by)
    return stream.getvalue()


def test_the_best_layer_stands_beside_its_controls_within_80_columns() -> None:
    found = printed()
    assert "past_present" in found and "mean_1" in found and "0.250" in found and "note: a note" in found
    assert "semantic: 0.800" in found and "*" not in found
    assert max(map(len, found.splitlines())) <= 80
    assert "0.610*" in printed(accuracy=0.61), "not above the random encoder's 0.6"


def test_every_layer_is_shown_on_demand() -> None:
    found = printed("layer")
    assert ".600" in found and ".800" in found and "layer 0: the embeddings" in found


def test_tasks_of_words_and_of_sentences_have_tables_of_their_own() -> None:
    report = made_report()[0]
    words = replace(report.tasks[0], name="pos", lines=[replace(one, pool="word") for one in report.tasks[0].lines])
    stream = io.StringIO()
    show_report(replace(report, tasks=[words, *report.tasks]), Console(file=stream, width=80), "layer")
    of_words, of_sentences = stream.getvalue().split("word of the tokens")
    assert "pos" in of_words and "past_present" not in of_words
    assert "past_present" in of_sentences and "pos " not in of_sentences


def test_two_models_are_shown_with_their_difference() -> None:
    stream = io.StringIO()
    show_versus(versus(made_report(0.8, "A"), made_report(0.9, "B")), Console(file=stream, width=80, highlight=False))
    assert "+0.100" in stream.getvalue() and "semantic" in stream.getvalue()
    assert one_line(made_report()[0]) == "xprobe-linear: semantic 0.800"


def test_many_models_are_shown_against_the_first() -> None:
    arms = [Arm("A", {0: made_report(0.7)[0], 1: made_report(0.72)[0]}), Arm("B", {0: made_report(0.8)[0]})]
    stream = io.StringIO()
    show_arms(arms, Console(file=stream, width=100, highlight=False))
    assert "+0.090" in stream.getvalue() and "semantic" in stream.getvalue()


def test_p_values_are_corrected_for_the_models_of_the_table() -> None:
    shares = {"A": (0.70, 0.71, 0.72), "B": (0.75, 0.77, 0.785), "C": (0.71, 0.72, 0.735)}
    arms = [Arm(name, {i: made_report(one)[0] for i, one in enumerate(of)}) for name, of in shares.items()]
    stream = io.StringIO()
    show_arms(arms, Console(file=stream, width=120, highlight=False))
    shown = {line.split()[0]: float(line.split()[-1]) for line in stream.getvalue().splitlines() if "+0." in line}
    plain = {arm.name: arm.against(arms[0], "semantic") for arm in arms[1:]}
    p = {name: found[0] for name, found in plain.items() if found}
    least = min(p, key=lambda name: p[name])
    assert shown[least] == round(2 * p[least], 3) and shown.keys() == {"B", "C"}
