"""A setting quoted for a shell or for Hydra has the value it was made from."""

from __future__ import annotations

import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from data.json_types import Json
from data.quoting import hydra_setting, hydra_value, listed, shell_setting, with_quotes
from data.settings import normalize_label_names

VALUES = (
    "plain", "with blank", "it's", 'a"b', "a,b", "$HOME", "back\\slash", "end\\", 'q\\"x', "${text}", "\\${a}", "null",
    "True", "1e3", "1.50", "007", "1_000", "nan", "12",
)  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_a_setting_survives_the_shell_and_hydra(value: str) -> None:
    (word,) = shlex.split(shell_setting("text", value))
    assert word == f"text={value}"
    (word,) = shlex.split(shell_setting("data.text", value))
    (parsed,) = OverridesParser.create().parse_overrides([word])
    assert str(OmegaConf.create({"text": parsed.value()})["text"]) == value


@pytest.mark.parametrize(
    "value",
    ["text", "/tmp/a/x-1.csv", "görüş", "评论", "/home/jürgen/reviews (1).csv", "message, full", "a=b", "null", "1e3",
     'say "hi"', "C:\\new\\", "${oc.env:HOME}", "it's", "[a]", "{b}", "~/x", "50%"],
)  # fmt: skip
def test_a_setting_is_read_as_the_text_it_was_made_from(value: str) -> None:
    parsed = OverridesParser.create().parse_override(hydra_setting("data.text", value))
    assert OmegaConf.create({"text": parsed.value()})["text"] == value


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 0.5, 1e-5, [], ["a", "null", "a,b"], {}, {"0": "no", "a b": "c d", "k:x,y": "{q}", "e": None}],
)
def test_a_setting_is_read_as_the_json_value_it_was_made_from(value: Json) -> None:
    parsed = OverridesParser.create().parse_override(hydra_setting("data.label_names", value)).value()
    assert OmegaConf.to_container(OmegaConf.create({"names": parsed})) == {"names": read_keys(value)}


def test_a_mapping_with_other_keys_than_ascii_is_a_text_that_names_of_labels_may_be() -> None:
    names = {"öfke": 'so "angry"', "a": "joy, {x}"}
    parsed = OverridesParser.create().parse_override(hydra_setting("data.label_names", names)).value()
    assert normalize_label_names(OmegaConf.create({"names": parsed}).names) == names


@pytest.mark.parametrize(("word", "expected"), [
    ("data.text=görüş", 'data.text="görüş"'),
    ("+data.path=kötü filmler.csv", '+data.path="kötü filmler.csv"'),
    ("data.text=हिन्दी", 'data.text="हिन्दी"'),
    ("data.path=~/a;b&c!.csv", 'data.path="~/a;b&c!.csv"'),
    ("data.label=`kind` <1>#^2", 'data.label="`kind` <1>#^2"'),
    ("data=görüşlerim", 'data="görüşlerim"'),
    ("data.positive=öfke,sevinç,a", 'data.positive="öfke","sevinç",a'),
    ("data.label_names=[öfke, sevinc]", 'data.label_names=["öfke", sevinc]'),
])  # fmt: skip
def test_characters_that_hydra_does_not_read_get_the_quotes_that_it_needs(word: str, expected: str) -> None:
    assert with_quotes(word) == expected == with_quotes(expected)
    OverridesParser.create().parse_override(expected)


@pytest.mark.parametrize("word", [
    "data.text=gorus", "model=dsn", "görüş", "--config-dir=görüş", 'data.text="görüş"', "data.text='görüş'", "ö=1",
    "data.label_names={öfke: a}", "data.text=${ö}", "data.text=glob(ö*)", "data.label_names=[[ö],a]", "data.text=[ö",
])  # fmt: skip
def test_other_words_stay_as_they_are(word: str) -> None:
    assert with_quotes(word) == word


def read_keys(value: Json) -> Json:
    """Hydra reads a key that is a number as one."""
    return (
        {int(key) if key.isdigit() else key: item for key, item in value.items()} if isinstance(value, dict) else value
    )


@pytest.mark.parametrize(
    ("value", "read"), [("1.5", 1.5), ("1000", 1000), ("null", None), ("C:\\new\\", "C:\\new\\"), ("it's", "it's")]
)
def test_numbers_and_null_stay_what_they_are_in_a_plain_value(value: str, read: object) -> None:
    assert OverridesParser.create().parse_override(f"hydra.sweeper.max_kb={hydra_value(value)}").value() == read


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["food", "sports"], "food, sports"),
        (["food", "sports, outdoor"], "'food', 'sports, outdoor'"),
        (["", "stars"], "'', 'stars'"),
        ([" food"], "' food'"),
        ([], ""),
    ],
)
def test_names_in_a_sentence_are_quoted_where_they_could_be_misread(names: list[str], shown: str) -> None:
    assert listed(names) == shown
