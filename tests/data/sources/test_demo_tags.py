"""The built-in set for tags."""

from __future__ import annotations

from collections import Counter

from data.sources.demo_tags import NAMES, TYPES, generate_tagged


def test_the_same_seed_gives_the_same_rows_and_fewer_are_a_beginning_of_more() -> None:
    rows = generate_tagged(300, seed=1)
    assert generate_tagged(100, seed=1) == rows[:100]
    assert generate_tagged(100, seed=2) != rows[:100]
    assert len({" ".join(words) for words, _ in rows}) == 300


def test_tags_are_iob2_and_of_three_types() -> None:
    rows = generate_tagged(300, seed=0)
    assert all(len(words) == len(tags) for words, tags in rows)
    assert {tag[2:] for _, tags in rows for tag in tags if tag != "O"} == set(TYPES)
    for _, tags in rows:
        for before, tag in zip(["O", *tags], tags):
            assert tag[0] != "I" or before[2:] == tag[2:]


def test_a_name_alone_does_not_say_what_it_names() -> None:
    seen: dict[str, Counter[str]] = {name: Counter() for name in NAMES}
    for words, tags in generate_tagged(2000, seed=0):
        for word, tag in zip(words, tags):
            if word in seen:
                seen[word][tag] += 1
    assert all({"B-PER", "B-LOC", "B-ORG"} <= set(counts) for counts in seen.values())
