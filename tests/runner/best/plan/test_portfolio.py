from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from runner.best.plan import portfolio
from runner.best.plan.overrides import BATCH, each_vocabulary, filled_words, with_inputs, with_rates
from runner.best.plan.portfolio import Kind, Variant, portfolio_digest, read_kind, read_portfolio, unmet_need
from runner.best.types import Budget, Facts
from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError

FACTS = Facts(
    rows=1204, train_rows=1204, words_mean=10.0, tokens_p95=150.0, max_length=128, classes=3, smallest_class=2,
    new_words=0.02,
)  # fmt: skip
EVERYTHING, NOTHING = (lambda _source: True), (lambda _source: False)


def test_every_candidate_of_the_portfolio_is_a_valid_command() -> None:
    for kind, variant in all_variants(first=True):
        for _, words in with_rates(kind, variant):
            filled = filled_words(words, Budget(max_kb=300, unlabelled="more.csv"))
            own = with_inputs(filled, "some/teacher", "more.csv")
            data = "data=demo-pairs" if kind.needs.get("texts") == 2 else "data=demo"
            assert check_overrides([data, *own]) == [], (kind.name, variant.name)


def test_a_plan_is_bound_to_what_the_files_say_but_not_to_their_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ngram.yaml"
    text = portfolio.portfolio_files()["ngram"].read_text(encoding="utf-8")
    monkeypatch.setattr(portfolio, "portfolio_files", lambda: {"ngram": path})

    def digest_of(content: str) -> str:
        path.write_text(content, encoding="utf-8")
        portfolio._kinds.cache_clear()
        return portfolio_digest()

    first = digest_of(text)
    assert digest_of(f"# another comment\n{text}") == first
    assert digest_of(text.replace("passes: ", "passes: 1")) != first


def test_the_least_epochs_of_a_kind_are_those_of_its_recipe() -> None:
    checked = set[str]()
    for kind, variant in all_variants(first=True):
        if epochs := variant.epochs or kind.epochs:
            (_, words), *_ = with_rates(kind, variant)
            train = resolve(compose(["data=demo", *filled_words(words, Budget(max_kb=300))])).train
            assert (train.epochs, train.batch_size) == (epochs[0], BATCH), (kind.name, variant.name)
            checked.add(kind.name)
    assert {"tiny", "large", "static"} <= checked


def test_only_the_search_itself_decides_on_epochs_by_the_number_of_rows() -> None:
    for kind, variant in all_variants(first=True):
        for _, words in with_rates(kind, variant):
            command = ["data=demo", *with_inputs(filled_words(words, Budget(max_kb=300)), "some/teacher", None)]
            assert resolve(compose(command), words=command).train.recipe == "preset", (kind.name, variant.name)


def test_names_are_unique() -> None:
    names = [name for kind, variant in all_variants() for name, _ in with_rates(kind, variant)]
    assert len(names) == len(set(names))


def all_variants(*, first: bool = False) -> Iterator[tuple[Kind, Variant]]:
    """Every variant of the portfolio, with each of its vocabularies, or with the first alone."""
    for kind in read_portfolio():
        for variant in kind.variants:
            for _, one in islice(each_vocabulary(variant), 1 if first else None):
                yield kind, one


@pytest.mark.parametrize(
    ("needs", "reason"),
    [
        ({"rows": 1204}, ""),
        ({"rows": 5000}, "needs 5,000 rows, has 1,204"),
        ({"rows_below": 1204}, "for fewer than 1,204 rows, has 1,204"),
        ({"words_below": 5000}, "for fewer than 5,000 words, has 12,040"),
        ({"smallest_class": 4}, "needs 4 rows in each class, one has 2"),
        ({"kb": 200}, "needs 200 KB or more, cap 100 KB"),
        ({"text_words": 60}, "for texts of 60 words or more, half have 0 or fewer"),
        ({"reads_more": 256}, ""),
        ({"reads_more": 128}, "for texts longer than data.max_length, where that is below 128"),
        ({"us": True}, "for a cap on the time of an answer (max_us)"),
        ({"texts": 2}, "for pairs, has single texts"),
        ({"labels": "numbers"}, "only for numbers"),
        ({"new_words": 0.05}, "for texts with 5% new words, has 2.0%"),
        ({"spaces": False}, "for scripts without spaces, has one with"),
        ({"unlabelled": True}, "needs unlabelled=<a file of further texts>"),
        ({"weights": "some/encoder"}, "weights unavailable: some/encoder"),
        ({"any": [{"rows": 5000}, {"rows": 1000}]}, ""),
        ({"any": [{"rows": 5000}, {"kb": 200}]}, "needs 5,000 rows, has 1,204; needs 200 KB or more, cap 100 KB"),
    ],
)
def test_the_first_condition_that_is_not_met_is_the_reason(needs: dict[str, object], reason: str) -> None:
    assert unmet_need(needs, FACTS, Budget(max_kb=100), NOTHING) == reason


def test_numbers_have_no_smallest_class() -> None:
    numbers = replace(FACTS, classes=None, smallest_class=None)
    assert unmet_need({"smallest_class": 4}, numbers, Budget(), lambda _: True) == "only for classes"


def test_without_a_cap_every_size_is_enough() -> None:
    assert unmet_need({"kb": 10_000, "weights": "some/encoder"}, FACTS, Budget(), EVERYTHING) == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("description: [", "cannot be read"),
        ("descripton: a typo", "has keys other than"),
        ("description: d\nplace: 1\nwork: hard", "work: hard is not one of"),
        ("description: d\nplace: 1\nwork: dense\nneeds: {colour: red}", "needs: colour is not one of"),
        (
            "description: d\nplace: 1\nwork: dense\nepochs: [3, 600]",
            r"epochs: \[3, 600\] is not \[least, steps, most\]",
        ),
        ("description: d", "Copy conf/best/ngram.yaml"),
    ],
)
def test_a_file_that_means_nothing_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=f"{path}.*{message}"):
        read_kind("mine", path)


@pytest.mark.parametrize("key", ["teacher: theirs", "small: [mine, theirs]"])
def test_a_kind_that_names_another_without_a_file_is_refused(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"description: d\nplace: 1\nwork: dense\n{key}", encoding="utf-8")
    monkeypatch.setattr(portfolio, "portfolio_files", lambda: {"mine": path})
    with pytest.raises(ConfigError, match=r"mine\.yaml: (teacher|small): no kind is named theirs"):
        read_portfolio()


def test_a_kind_of_the_users_own_is_tried_beside_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "best").mkdir()
    content = (
        "description: ours, on tickets\nplace: 85\nwork: dense\nwords: model=auto model.pretrained=models/tickets\n"
    )
    (tmp_path / "best/tickets.yaml").write_text(content, encoding="utf-8")
    before, plain = read_portfolio(), portfolio_digest()
    monkeypatch.setenv("BERTIER_CONFIG_DIR", str(tmp_path))
    own = {kind.name: kind for kind in read_portfolio()}
    assert own.keys() == {kind.name for kind in before} | {"tickets"} and portfolio_digest() != plain
    assert own["tickets"].words == ("model=auto", "model.pretrained=models/tickets")
