"""train.recipe=auto before any training: what a command leaves open of the list, and what it may not ask for."""

from __future__ import annotations

import pytest

from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.recipes import MOST, open_recipes, recipe_conflicts, with_recipe
from runner.config.resolve import resolve
from runner.record.identity import identity_settings
from runner.schema import Settings

AUTO = ["data=demo", "train.recipe=auto"]
TWO = "model.recipes=['train.epochs=1','train.epochs=2']"


def settings(*words: str) -> Settings:
    return resolve(compose([*words]), words=words)


def test_what_the_command_names_is_not_chosen() -> None:
    recipes = ["model.width=0.5 optimizer.lr=0.01", "model.width=0.5 optimizer.lr=0.02", "model.width=1"]
    assert open_recipes(recipes, ["data=demo", "model=dsn"]) == recipes
    assert open_recipes(recipes, ["optimizer.lr=0.01"]) == ["model.width=0.5", "model.width=1"], "equal ones once"
    assert open_recipes(recipes, ["model.recipe.lr=0.01"]) == ["model.width=0.5", "model.width=1"]
    assert open_recipes(recipes, ["++model.width=1"]) == ["optimizer.lr=0.01", "optimizer.lr=0.02"]
    assert open_recipes(recipes, ["model.width=1", "optimizer.lr=1"]) == []


@pytest.mark.parametrize("model", ["dsn", "dsn-64", "static", "ngram-vectors", "static-ngram"])
def test_every_entry_is_what_its_words_make_of_a_command(model: str) -> None:
    data = "data=demo-pairs" if model == "static-ngram" else "data=demo"
    found = settings(f"model={model}", data, "train.recipe=auto")
    preset = settings(f"model={model}", data)
    assert 1 < len(found.model.recipes) <= MOST and not preset.model.recipes
    assert with_recipe(preset, found.model.recipes[0]) == preset, "the first entry is the preset"
    recipe = found.model.recipes[-1]
    assert with_recipe(preset, recipe) == settings(f"model={model}", data, *recipe.split())


def test_the_list_and_what_is_fixed_count_for_the_identity_and_a_preset_has_none() -> None:
    plain, auto = settings("model=dsn", "data=demo"), settings("model=dsn", *AUTO)
    fixed = settings("model=dsn", *AUTO, f"optimizer.lr={plain.optimizer.lr}")
    keys = [identity_settings(one) for one in (plain, auto, fixed)]
    assert "model.recipes" not in keys[0] and "train.recipe" not in keys[0]
    assert keys[1]["train.recipe"] == "auto" and keys[1] != keys[2], "naming a rate fixes it, also the preset's"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["model=bert-tiny"], "model=bert-tiny has no settings to choose from"),
        (["model=ngram", TWO], "model=ngram is fitted in one pass. Try: train.recipe=preset"),
        (["model=frozen", TWO], "model.head=fitted fits only the last layer. Try: train.recipe=preset"),
        (["model=contrastive", TWO], "model.pairs=auto tunes the encoder on pairs. Try: train.recipe=preset"),
        (["model=dsn", "train.steps=5"], "chooses its epochs. Try: train.steps=null"),
        (["model=dsn", "optimizer=sgd"], "the rates in model.recipes are for adamw"),
        (["model=ngram-vectors", "optimizer=adamw"], "the rates in model.recipes are for row_sgd"),
        (["model=dsn", "model.recipes=['model.width=1']"], "has 1 settings, but 2 to 12 are compared"),
        (["model=dsn", "model.recipes=['model.width=1','data.max_rows=9']"], "data.max_rows=9 is not one of"),
        (
            ["model=dsn", "model.recipes=['model.width=1','model.width=-1']"],
            "model.width=-1.0: out of range",
        ),
        (
            ["model=dsn", "model.recipes=['model.width=1','model.width']"],
            "model.recipes: 'model.width' is not a setting, which is written key=value",
        ),
        (["model=dsn", "data=wnut17"], "leaves words out of a pooling, but this task answers for each token"),
        (["model=dsn", "compression=[distil]", "compression.distil.teacher=x"], "distil has its own training"),
    ],
)
def test_a_command_that_leaves_nothing_to_choose_is_refused_with_a_cure(words: list[str], said: str) -> None:
    problems = check_overrides([*AUTO, *words])
    assert any(said in problem for problem in problems), problems


def test_a_rate_in_the_command_may_be_of_any_optimizer() -> None:
    assert not check_overrides([*AUTO, "model=dsn", "optimizer=sgd", "optimizer.lr=0.1"])
    assert not check_overrides([*AUTO, "model=dsn", "data=wnut17", "model.token_dropout=0"])
    assert not recipe_conflicts(settings("model=bert-tiny", "data=demo"))
