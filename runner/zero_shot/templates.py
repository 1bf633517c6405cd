"""Templates that make a label into a hypothesis, for each language two about topics and two about sentiment.

The wording of a template is part of a result's identity: accuracies differ by 5 to 10 points between two templates of
the same meaning.
"""

from __future__ import annotations

from collections.abc import Sequence

from data.inputs.language_case import language_of
from data.settings import DataSettings
from data.text_facts import script_shares
from data.tokenizer_fit import is_turkish
from runner.errors import ConfigError

PLACE = "{}"
TOPIC, SENTIMENT = "topic", "sentiment"
TEMPLATES: dict[str, dict[str, tuple[str, str]]] = {
    "en": {
        TOPIC: ("This text is about {}.", "The topic of this text is {}."),
        SENTIMENT: ("This review is {}.", "The opinion in this text is {}."),
    },
    "tr": {
        TOPIC: ("Bu metin {} ile ilgilidir.", "Bu metnin konusu {}."),
        SENTIMENT: ("Bu yorum {}.", "Bu metindeki görüş {}."),
    },
    "zh": {
        TOPIC: ("这段文字是关于{}的。", "这段文字的主题是{}。"),
        SENTIMENT: ("这条评论是{}的。", "这段文字表达的看法是{}的。"),
    },
}
OPINIONS = {
    "positive", "negative", "neutral", "pos", "neg", "good", "bad", "olumlu", "olumsuz", "nötr", "iyi", "kötü",
    "正面", "负面", "中性", "好", "坏", "积极", "消极",
}  # fmt: skip
CODES = {"zh": "zh", "zho": "zh", "cmn": "zh", "en": "en", "eng": "en"}
CHINESE = 0.3  # share of letters above which texts are Chinese


def check_templates(templates: Sequence[str]) -> None:
    """Raise ConfigError for a template that does not have exactly one place for a label."""
    for template in templates:
        if (found := template.count(PLACE)) != 1:
            problem = "has no {} for the label" if not found else f"has {found} places {{}}, but one is needed"
            raise ConfigError(f"template={template!r} {problem}. Try: template='This text is about {{}}.'")


def chosen_templates(given: Sequence[str], language: str, labels: Sequence[str]) -> tuple[str, ...]:
    """Return the templates that were given, else two of the language: those about sentiment if all labels are
    sentiments.
    """
    check_templates(given)
    if given:
        return tuple(dict.fromkeys(given))
    about = SENTIMENT if {label.lower() for label in labels} <= OPINIONS else TOPIC
    return TEMPLATES[language][about]


def language_of_texts(asked: str, data: DataSettings, texts: Sequence[str]) -> str:
    """Return the language of templates: as asked, else by the config of the data (tur_Latn), else by the texts.

    Raises ConfigError for one that has no templates.
    """
    if asked != "auto":
        if asked not in TEMPLATES:
            raise ConfigError(
                f"language={asked}: templates are for {', '.join(TEMPLATES)}. Try: template='<a sentence with {{}}>'"
            )
        return asked
    for code in (data.language, data.config, data.lower):
        if found := language_of(code) or CODES.get((code or "").replace("-", "_").partition("_")[0].lower()):
            return found
    if script_shares(texts).get("CJK", 0.0) > CHINESE:
        return "zh"
    return "tr" if is_turkish(texts) else "en"
