from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from runner.best.plan.candidates import (
    CandidateFinder,
    at_most,
    passes_of,
    shown_bytes,
    texts_taught,
)
from runner.best.plan.estimate import Estimate
from runner.best.plan.portfolio import Kind, Variant
from runner.best.types import Budget, Candidate, Facts, LeftOut
from runner.errors import ConfigError

FACTS = Facts(rows=5000, classes=2, smallest_class=900, train_rows=4000)
SIZES = {64: 400_000, 32: 203_000, 16: 100_000}
ONE = (Variant(""),)
DSN = Kind(
    "dsn", "", 1, "embedding", ("model=dsn",), tuple(Variant(f"{w}", (f"model.hidden={w}",)) for w in SIZES), take=1,
    has_cut=True,
)  # fmt: skip


def estimate(words: Sequence[str], work: str, passes: float) -> Estimate:
    dims = next((int(word.partition("=")[2]) for word in words if word.startswith("model.hidden=")), 0)
    if dims == 7:
        raise ConfigError("seven is no width")
    size = SIZES.get(dims, 5_000_000)
    return Estimate(size, size, None if work == "dense" else 10.0 * dims, 12.0, (dims,), 0.001)


def find(*kinds: Kind, **budget: float) -> list[Candidate | LeftOut]:
    return CandidateFinder((), FACTS, Budget(**budget), estimate, lambda _: True).find(kinds)  # type: ignore[arg-type]


def test_the_first_variants_that_fit_are_tried_and_larger_ones_are_rows() -> None:
    too_large, taken = find(DSN, max_kb=200)
    assert too_large == LeftOut("dsn 64", "dsn", "needs 400 KB, cap 200 KB")
    assert isinstance(taken, Candidate) and (taken.name, taken.bytes, taken.has_cut, taken.fits) == (
        "dsn 32", 203_000, True, True,
    )  # fmt: skip
    assert taken.overrides == ("model=dsn", "model.hidden=32")


def test_few_rows_are_trained_on_for_longer_unless_the_command_says_how_long() -> None:
    kind, few = replace(DSN, epochs=(3, 600, 50), take=1), replace(FACTS, train_rows=800)
    expected = ("model=dsn", "model.hidden=64", "train.epochs=24")
    for facts, has_epochs, overrides in ((few, False, expected), (few, True, expected[:2]), (FACTS, False, None)):
        finder = CandidateFinder((), facts, Budget(), estimate, lambda _: True, has_epochs=has_epochs)
        (taken,) = finder.find((kind,))
        assert isinstance(taken, Candidate)
        assert taken.overrides == (overrides or (*expected[:2], "train.epochs=5"))


@pytest.mark.parametrize(
    ("tokens_p95", "max_length", "more"), [(300, 128, True), (100, 128, False), (300, 512, False), (300, 0, False)]
)
def test_a_kind_reads_more_of_long_texts_unless_the_command_says_how_much(
    tokens_p95: float, max_length: int, more: bool
) -> None:
    facts = replace(FACTS, tokens_p95=tokens_p95, max_length=max_length)
    finder = CandidateFinder((), facts, Budget(), estimate, lambda _: True)
    (taken,) = finder.find((replace(DSN, tokens=512),))
    assert isinstance(taken, Candidate)
    longer = ("dsn 64 512 tokens", ("model=dsn", "model.hidden=64", "data.max_length=512"))
    assert (taken.name, taken.overrides) == (longer if more else ("dsn 64", longer[1][:2]))


def test_of_several_vocabularies_the_first_that_fits_is_tried_alone() -> None:
    words = ("model.hidden={vocabulary}",)
    kind = replace(DSN, variants=(Variant("{vocabulary} words", words, vocabularies=(64, 32, 16)),), take=2)
    (taken,) = find(kind, max_kb=300)
    assert isinstance(taken, Candidate)
    assert (taken.name, taken.overrides) == ("dsn 32 words", ("model=dsn", "model.hidden=32"))
    assert find(kind, max_kb=50) == [LeftOut("dsn 16 words", "dsn", "needs 100 KB, cap 50 KB")]
    (unmet,) = find(replace(kind, variants=(replace(kind.variants[0], needs={"rows": 9000}),)))
    assert unmet == LeftOut("dsn 16 words", "dsn", "needs 9,000 rows, has 5,000")


@pytest.mark.parametrize(
    ("tokens", "max_kb", "chosen"), [(40, 500, "64"), (40, 300, "task"), (90, 600, "task"), (20, 200, "32")]
)
def test_where_words_are_new_the_tokens_of_the_task_are_tried_only_if_no_larger_vocabulary_fits(
    tokens: int, max_kb: float, chosen: str
) -> None:
    words = ("model.hidden={vocabulary}",)
    kind = replace(DSN, variants=(Variant("{vocabulary} words", words, vocabularies=("task", 64, 32, 16)),))

    def counted(words: Sequence[str], work: str, passes: float) -> Estimate:
        found = tokens if "model.hidden=task" in words else int(words[-1].partition("=")[2])
        return Estimate(6000 * found, 6000 * found, None, 12.0, (found,))

    for new_words, expected in ((0.1, chosen), (0.01, "task" if 6 * tokens <= max_kb else chosen)):
        facts = replace(FACTS, new_words=new_words)
        (taken,) = CandidateFinder((), facts, Budget(max_kb=max_kb), counted, lambda _: True).find((kind,))
        assert isinstance(taken, Candidate) and taken.name == f"dsn {expected} words"


def test_a_size_that_is_partly_guessed_is_refused_only_where_the_least_that_it_may_be_is_over_the_cap() -> None:
    def guessed(words: Sequence[str], work: str, passes: float) -> Estimate:
        found = estimate(words, work, passes)
        return replace(found, least=found.bytes - 100_000)

    def first(cap: float) -> Candidate | LeftOut:
        finder = CandidateFinder((), FACTS, Budget(max_kb=cap), guessed, lambda _: True)
        return finder.find((replace(DSN, variants=DSN.variants[:1]),))[0]

    fitting = first(295)
    assert isinstance(fitting, Candidate) and fitting.bytes == 400_000, "its file decides"
    assert first(290) == LeftOut("dsn 64", "dsn", "needs 300 KB, cap 290 KB")


def test_a_model_whose_own_files_fit_and_whose_bundle_does_not_is_left_out_before_training() -> None:
    def counted(words: Sequence[str], work: str, passes: float) -> Estimate:
        return replace(estimate(words, work, passes), has_bundle=True)

    finder = CandidateFinder((), FACTS, Budget(max_kb=202.5), counted, lambda _: True)
    _, over, taken = finder.find((DSN,))
    assert over == LeftOut("dsn 32", "dsn", "its bundle needs 203,000 bytes, 500 more than the cap")
    assert isinstance(taken, Candidate) and taken.name == "dsn 16"


def test_a_time_near_the_cap_is_decided_by_the_trained_model() -> None:
    names = [(one.name, isinstance(one, Candidate)) for one in find(DSN, max_us=300)]
    assert names == [("dsn 64", False), ("dsn 32", True)]  # 640 us are over 1.25 x the cap, 320 us near it
    assert find(DSN, max_us=300)[0] == LeftOut("dsn 64", "dsn", "answers in 640 us, cap 300 us")


def test_a_kind_with_fast_answers_is_tried_below_the_time_of_its_twin_and_told_its_share() -> None:
    adaptive = Kind("length", "", 1, "embedding", ("model.hidden=32", "search.budget={share}"), ONE, fastest=0.5)
    (taken,) = find(adaptive, max_us=200)  # its twin takes 320 us
    assert isinstance(taken, Candidate) and taken.fits and taken.overrides[-1] == "search.budget=0.5"
    (roomy,) = find(adaptive, max_us=1000)
    assert isinstance(roomy, Candidate) and roomy.overrides[-1] == "search.budget=1"
    assert find(adaptive, max_us=100) == [LeftOut("length", "length", "answers in 160 us, cap 100 us")]
    assert isinstance(find(Kind("plain", "", 1, "embedding", ("model.hidden=32",), ONE), max_us=200)[0], LeftOut)


def test_the_time_of_a_compression_counts_beside_that_of_the_training() -> None:
    (plain,) = find(Kind("compact", "", 1, "dense", ("model.hidden=16",), ONE))
    (trained_twice,) = find(Kind("compact", "", 1, "dense", ("model.hidden=16",), ONE, stages=4))
    assert isinstance(plain, Candidate) and isinstance(trained_twice, Candidate)
    assert (plain.seconds, trained_twice.seconds) == (12.0, 24.0)


def test_a_candidate_that_compresses_the_training_of_another_takes_only_the_time_of_that() -> None:
    def known(words: Sequence[str], work: str, passes: float) -> Estimate:
        return replace(estimate(words, work, passes), bytes=9_000_000 // len(words), after_s=2.0, shape=tuple(words))

    small = Kind("tiny", "", 80, "dense", ("m=1",), (Variant("int8", ("compression=[int8]",)),), rates=(1e-3, 1e-2))
    large = Kind("large", "", 90, "dense", ("m=1",), ONE, rates=(1e-3,), has_cut=True)
    student = replace(small, name="student", words=("m=1", "compression.t={teacher}"), teacher="large")
    found = CandidateFinder((), FACTS, Budget(), known, lambda _: True).find((small, large, student))
    assert [(one.name, one.trained_by, one.seconds) for one in found if isinstance(one, Candidate)][:4] == [
        ("tiny int8 lr=0.001", "large lr=0.001", 2.0), ("tiny int8 lr=0.01", None, 12.0),
        ("large lr=0.001", None, 12.0), ("student int8 lr=0.001", None, 16.0),
    ]  # fmt: skip


def test_each_rate_is_a_candidate_and_equal_models_are_one() -> None:
    twice = Kind(
        "dsn", "", 1, "embedding", ("model=dsn", "model.hidden=16"), (Variant("a"), Variant("b")), 2, rates=(1e-3, 0.01)
    )
    first, second, same = find(twice)
    assert (first.name, second.name) == ("dsn a lr=0.001", "dsn a lr=0.01")
    assert isinstance(second, Candidate) and second.overrides[-1] == "optimizer.lr=0.01"
    assert same == LeftOut("dsn b", "dsn", "is the same model as dsn a on these data")


def test_models_of_one_shape_that_are_trained_in_other_ways_are_two() -> None:
    ways = (Variant("a", ("train.epochs=5",)), Variant("b", ("train.epochs=15",)), Variant("c", ("train.epochs=15",)))
    found = find(Kind("dsn", "", 1, "embedding", ("model=dsn", "model.hidden=16"), ways, take=3))
    assert [isinstance(one, Candidate) for one in found] == [True, True, False]


def test_a_ceiling_is_tried_above_the_cap_and_teaches() -> None:
    large = Kind("large", "", 2, "dense", ("model=bert-tiny",), (Variant(""),), is_ceiling=True)
    pupil = Kind("pupil", "", 3, "embedding", ("model=dsn", "model.hidden=16"), (Variant(""),), teacher="large")
    ceiling, taught = find(large, pupil, max_kb=200)
    assert isinstance(ceiling, Candidate) and not ceiling.fits
    assert isinstance(taught, Candidate) and taught.teacher == "large" and taught.fits
    twice = Kind("large", "", 2, "dense", ("model=bert-tiny",), (Variant("a"), Variant("b")), take=2, is_ceiling=True)
    one, other = find(twice, max_kb=200)
    assert isinstance(one, Candidate) and other == LeftOut("large b", "large", "needs 5,000 KB, cap 200 KB")
    assert find(pupil) == [LeftOut("pupil", "pupil", "its teacher, large, is not tried")]


def test_where_folds_select_a_model_is_tried_with_its_first_rate() -> None:
    large = Kind("large", "", 2, "dense", ("model=bert-tiny",), (Variant(""),), is_ceiling=True, rates=(5e-5, 1e-4))
    for has_folds, cap, expected in ((True, 200, 1), (False, 200, 2), (True, None, 1)):
        finder = CandidateFinder((), FACTS, Budget(max_kb=cap), estimate, lambda _: True, has_folds=has_folds)
        found = finder.find((large,))
        assert [one.name for one in found] == ["large lr=5e-05", "large lr=0.0001"][:expected]


def test_pairs_and_teachers_take_time_of_their_own() -> None:
    paired = Kind("paired", "", 1, "dense", in_pairs=True)
    assert (
        passes_of(paired, Variant(""), Facts(train_rows=200)) == 3 * 4 * 20
        and passes_of(paired, Variant(""), Facts(train_rows=2000)) == 3 * 4 * 5
    )
    assert passes_of(paired, Variant("", pairs=4), Facts(train_rows=200)) == 3 * 4 * 4
    assert passes_of(DSN, DSN.variants[0], FACTS) == 0
    assert texts_taught(Facts(train_rows=1000), on_fold=False) == 1000
    many = Facts(train_rows=1000, unlabelled_rows=90_000)
    assert (texts_taught(many, on_fold=False), texts_taught(many, on_fold=True)) == (51_000, 6_000)
    large = Kind("large", "", 1, "dense", ("model.hidden=64",), ONE)
    _, student = find(large, Kind("distilled", "", 2, "embedding", ("model.hidden=32",), ONE, teacher="large"))
    assert isinstance(student, Candidate) and student.seconds == 12.0 + FACTS.train_rows * 0.001
    others = Variant("a", ("model.hidden=16",)), Variant("b", ("model.hidden=8",))
    pupils = Kind("distilled", "", 2, "embedding", (), (*ONE, *others), take=3, teacher="large")
    _, first, *rest = find(large, pupils)
    assert isinstance(first, Candidate) and first.seconds == 12.0 + FACTS.train_rows * 0.001
    assert [one.seconds for one in rest if isinstance(one, Candidate)] == [12.0, 12.0], "its answers are stored"


def test_settings_of_pairs_make_two_models_of_one_shape() -> None:
    variants = (Variant("few", ("model.pairs=4",)), Variant("many"))
    found = find(Kind("paired", "", 1, "dense", ("model.hidden=64",), variants, take=2, in_pairs=True))
    assert [isinstance(one, Candidate) for one in found] == [True, True]


def test_a_candidate_that_cannot_be_built_is_a_row_with_the_message() -> None:
    wrong = Kind("wrong", "", 1, "embedding", ("model=dsn", "model.hidden=7"), (Variant(""),))
    assert find(wrong) == [LeftOut("wrong", "wrong", "seven is no width")]
    needy = Kind("needy", "", 1, "embedding", (), (Variant(""),), needs={"rows": 9000})
    assert find(needy) == [LeftOut("needy", "needy", "needs 9,000 rows, has 5,000")]


def test_no_more_candidates_are_compared_than_choosing_allows() -> None:
    found = at_most([Candidate(f"{n}", "kind") for n in range(4)], 3)
    assert found[-1] == LeftOut("3", "kind", "more than 3 candidates") and isinstance(found[2], Candidate)


def test_bytes_are_shown_in_thousands() -> None:
    assert [shown_bytes(count) for count in (1_400, 200_000, 1_000_000, 22_900_000)] == [
        "1.4 KB", "200 KB", "1,000 KB", "22.9 MB",
    ]  # fmt: skip


def test_two_models_as_one_take_the_bytes_of_both_and_need_a_large_one_that_is_too_slow() -> None:
    large = Kind("large", "", 2, "embedding", ("model.hidden=64",), ONE, is_ceiling=True)
    two = Kind("cascade", "", 3, "dense", teacher="large", small=("dsn",))
    *_, found = find(DSN, large, two, max_us=200)
    assert isinstance(found, Candidate) and (found.bytes, found.teacher, found.small) == (500_000, "large", ("dsn",))
    assert found.fits and found.overrides == ()
    *_, found = find(DSN, large, two, max_us=200, max_kb=450)
    assert found == LeftOut("cascade", "cascade", "needs 500 KB, cap 450 KB")
    *_, found = find(DSN, large, two, max_us=1000)
    assert found == LeftOut("cascade", "cascade", "large is fast enough by itself")
    *_, found = find(large, two, max_us=200)
    assert found == LeftOut("cascade", "cascade", "none of its small models is tried (dsn)")
