"""Groups, length baseline and ties on all of BLiMP; the tests only check five of its 67 paradigms (20 s, needs a hub).

python -m pytest tests/benchmarks/bench_blimp.py -o python_files='bench_*.py' -s
"""

from __future__ import annotations

from collections import Counter

from data.sources.sentence_pairs import read_pairs
from runner.minimal_pairs.evaluate import identical_pairs
from runner.minimal_pairs.wanted import pair_source
from tests.runner.minimal_pairs.test_golden import encoded, lines_of

SAME_PIECES = {
    "adjunct_island", "complex_NP_island", "coordinate_structure_constraint_complex_left_branch", "ellipsis_n_bar_1",
    "existential_there_quantifiers_2", "left_branch_island_echo_question", "left_branch_island_simple_question",
    "only_npi_scope", "principle_A_domain_3", "principle_A_reconstruction", "sentential_negation_npi_scope",
    "sentential_subject_island",
}  # fmt: skip


def test_all_of_blimp_has_its_groups_its_length_baseline_and_its_ties() -> None:
    paradigms = read_pairs(pair_source("blimp"))
    sentences = encoded(paradigms)
    lines = lines_of(paradigms, sentences)
    assert int(sentences.lengths.sum()) == 1_310_733 and int(sentences.lengths.max()) == 34
    assert round(lines[""][0].shorter, 4) == 0.5115
    fields = {line.name: len(line.members) for line in lines["field"]}
    assert fields == {"syntax": 26, "morphology": 18, "syntax_semantics": 14, "semantics": 9}
    assert len(lines["linguistics_term"]) == 13 and len(lines["paradigm"]) == 67
    assert {line.name for line in lines["paradigm"] if line.ties == 1.0} == SAME_PIECES
    assert all(line.accuracy == 0.5 for line in lines["paradigm"] if line.name in SAME_PIECES)
    assert Counter(pair.split()[0] for pair in identical_pairs(paradigms, sentences)) == {
        "passive_1": 2, "principle_A_case_2": 5,
    }  # fmt: skip
    assert not any(line.unknown for line in lines["paradigm"])
