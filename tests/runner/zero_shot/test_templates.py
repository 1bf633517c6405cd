"""Templates fit the language and the labels, and have one place for the word."""

from __future__ import annotations

import pytest

from data.settings import DataSettings
from runner.errors import ConfigError
from runner.zero_shot.templates import TEMPLATES, check_templates, chosen_templates, language_of_texts


@pytest.mark.parametrize(("template", "said"), [("about", "has no {}"), ("{} and {}", "has 2 places")])
def test_a_template_without_one_place_is_refused(template: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"{said}.*Try: template="):
        check_templates([template])


def test_every_language_has_two_good_templates_of_each_kind() -> None:
    for kinds in TEMPLATES.values():
        for templates in kinds.values():
            check_templates(templates)
            assert len(set(templates)) == 2


def test_labels_of_opinions_get_templates_of_opinions() -> None:
    assert chosen_templates([], "tr", ["olumsuz", "Olumlu"])[0] == "Bu yorum {}."
    assert chosen_templates([], "tr", ["spor", "sağlık"])[0] == "Bu metin {} ile ilgilidir."
    assert chosen_templates(["a {}", "a {}", "b {}"], "tr", ["x"]) == ("a {}", "b {}")


@pytest.mark.parametrize(
    ("settings", "texts", "language"),
    [
        ({"config": "tur_Latn"}, ["whatever"], "tr"),
        ({"config": "zho_Hans"}, [], "zh"),
        ({"config": "en"}, ["ışık"], "en"),
        ({"lower": "tr"}, [], "tr"),
        ({}, ["yazık, hiç şaşırmadım ve ışığı yaktım"], "tr"),
        ({}, ["这家酒店的服务很好"], "zh"),
        ({"config": "plain_text"}, ["a plain text"], "en"),
    ],
)
def test_the_language_is_that_of_the_config_or_of_the_texts(
    settings: dict[str, str], texts: list[str], language: str
) -> None:
    assert language_of_texts("auto", DataSettings(**settings), texts) == language


def test_another_language_needs_a_template() -> None:
    with pytest.raises(ConfigError, match="templates are for en, tr, zh"):
        language_of_texts("fr", DataSettings(), [])
