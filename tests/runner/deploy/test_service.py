"""A request is either a question or one line that says what is wrong with it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("fastapi")

from starlette.exceptions import HTTPException

from data.inputs.request import Field
from runner.deploy.cascade import CascadePredictor
from runner.deploy.exported import find_model
from runner.deploy.predictors import open_predictor
from runner.deploy.service import Limits, answer_questions, parse_question
from runner.deploy.service_models import Question
from tests.conftest import REPO
from tests.runner.deploy.page.node import NEEDS_NODE
from tests.runner.deploy.runs import write_run

TEXT, SECOND = Field("text", "text", "A text"), Field("text_pair", "text", "The second text")
WORDS = Field("text", "words", "A text, or its words")


def test_a_request_is_parsed() -> None:
    question = parse_question(
        b'{"texts": ["a", "b"], "pairs": ["c", "d"], "truncate": true}', Limits(texts=2), [TEXT, SECOND]
    )
    assert (question.texts, question.pairs, question.truncate) == (["a", "b"], ["c", "d"], True)


@pytest.mark.parametrize(
    ("body", "is_pair", "status", "reason"),
    [
        (b"{", False, 400, "not JSON"),
        (b'{"texts": []}', False, 422, "texts must be a list of at least one. Expected {"),
        (b'{"text": ["a"]}', False, 422, 'Expected {"texts": ["..."]}'),
        (b'{"texts": ["a", "b", "c"]}', False, 413, "at most 2"),
        (b'{"texts": ["a"], "pairs": ["b"]}', False, 422, "texts without pairs"),
        (b'{"texts": ["a", "b"], "pairs": ["c"]}', True, 422, "as many pairs as texts. Expected {"),
        (b'{"text": ["a"]}', True, 422, 'Expected {"texts": ["..."], "pairs": ["..."]}'),
    ],
)
def test_a_malformed_request_is_refused_in_one_line(body: bytes, is_pair: bool, status: int, reason: str) -> None:
    with pytest.raises(HTTPException) as refused:
        parse_question(body, Limits(texts=2), [TEXT, SECOND] if is_pair else [TEXT])
    assert refused.value.status_code == status and reason in refused.value.detail and "\n" not in refused.value.detail


def test_words_stand_for_a_text_only_where_the_model_reads_words() -> None:
    body = b'{"texts": ["a b", ["c", "d"]]}'
    assert parse_question(body, Limits(texts=2), [WORDS]).texts == ["a b", ["c", "d"]]
    with pytest.raises(HTTPException, match=r"texts\[1\] must be a string"):
        parse_question(body, Limits(texts=2), [TEXT])


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ('["a", 1]', "texts[1] must be a string or a list"),
        ('[["a", 1]]', "texts[0][1] must be a string"),
        ('["a", {"b": 1}, 2]', "texts[1] must be a string or a list"),
        ('"a"', "texts must be a list"),
    ],
)
def test_a_model_that_reads_words_names_what_is_none(texts: str, reason: str) -> None:
    with pytest.raises(HTTPException) as refused:
        parse_question(f'{{"texts": {texts}}}'.encode(), Limits(), [WORDS])
    assert refused.value.detail == f'{reason}. Expected {{"texts": ["..."]}}'


def test_few_texts_are_explained_at_once() -> None:
    limits = Limits(texts=9, explained=2)
    assert parse_question(b'{"texts": ["a", "b", "c"]}', limits, [TEXT]).explain is False
    with pytest.raises(HTTPException, match=r'3 texts with "explain", at most 2\. Split it up'):
        parse_question(b'{"texts": ["a", "b", "c"], "explain": true}', limits, [TEXT])


def test_of_a_cascade_the_text_and_the_limit_are_those_of_the_model_that_cut(tmp_path: Path) -> None:
    write_run(tmp_path, "5555", is_packed=True, family="dsn", readout={"name": "mean"}, more=("data.max_length=32",))
    write_run(tmp_path, "aaaa", more=("data.max_length=16",))
    small, large = (open_predictor(find_model(name, tmp_path, "auto")) for name in ("5555", "aaaa"))
    sure, unsure, long = "the " * 28, "a dull film " * 3, "acting " * 30
    assert [max(answer["probabilities"].values()) >= 0.54 for answer in small([sure, unsure, long])] == [1, 0, 1]
    both = CascadePredictor(large.exported, small, large, 0.54)
    questions = [Question(texts=[sure]), Question(texts=[sure, unsure]), Question(texts=[long])]
    read, cut_by_large, cut_by_small = answer_questions(both, questions, 8)
    assert isinstance(read, list) and read[0]["answered_by"] == "small"
    for refused, told in (
        (cut_by_large, "text 2 has 23 tokens, this model reads 16"),
        (cut_by_small, "text 1 has 92 tokens, this model reads 32"),
    ):
        assert isinstance(refused, HTTPException) and refused.detail.startswith(told)
    asked = both.ask([sure, unsure, long])
    both.answers(asked, 8)
    assert asked.longest == 32, "of the longest text that was cut"


EMPTY = """
const { readFileSync } = require("fs");
const made = () => ({ append(...parts) { this.shown = parts.join(""); }, replaceChildren() {}, addEventListener() {} });
const page = { getElementById: made, createElement: made };
const told = "; return found => { health = found; return show.text('', '', 'prediction').shown; }";
const code = readFileSync(process.argv[1], "utf8") + told;
const shown = new Function("document", "fetch", code)(page, () => Promise.reject(new Error()));
console.log(shown({ asks: [0, 1], answers: process.argv.slice(2).map(type => ({ type })) }));
"""


@NEEDS_NODE
@pytest.mark.parametrize(("types", "shown"), [(("text", "labels"), "no label"), (("text", "spans"), "no answer")])
def test_the_page_names_an_empty_answer_by_what_the_model_answers_with(types: tuple[str, ...], shown: str) -> None:
    words = ["node", "-e", EMPTY, str(REPO / "runner" / "deploy" / "service.js"), *types]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == f"{shown}\n"


@NEEDS_NODE
def test_the_page_shows_the_model_of_a_cascade_beside_its_answer_not_as_one() -> None:
    code = EMPTY.replace("show.text('', '', 'prediction').shown", "show.text('large', '', 'answered_by')")
    code = code.replace("console.log(shown(", "console.log(JSON.stringify(shown(").replace("})) }));", "})) })));")
    made = code.replace("append(...parts) {", "append(...parts) { this.name = this.className;")
    words = ["node", "-e", made, str(REPO / "runner" / "deploy" / "service.js"), "label", "shares", "text"]
    found = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    assert (found["name"], found["shown"]) == ("quiet", "answered by: large")


@NEEDS_NODE
def test_the_page_numbers_lines_as_they_stand_with_the_blank_ones() -> None:
    code = EMPTY.partition("console.log")[0].replace("show.text('', '', 'prediction').shown", "askLines")
    code += "shown({})(['a\\tb', '', ' ', 'c'], true).catch(error => console.log(error.message));"
    words = ["node", "-e", code, str(REPO / "runner" / "deploy" / "service.js")]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert said == "line 4 has 1 texts, not two with a tab between them\n"


OVERTAKEN = """
const { readFileSync } = require("fs");
const elements = new Map(), waiting = [];
const made = () => ({
  style: {}, addEventListener() {}, append(...parts) { this.shown = parts.join(""); },
  replaceChildren(...parts) { this.shown = parts.map(part => part.shown ?? "").join(""); } });
const at = id => elements.get(id) ?? elements.set(id, made()).get(id);
const fetched = (_, options) => options ? new Promise(resolve => waiting.push(text => resolve({
  ok: true, json: async () => ({ answers: [{ prediction: text }] }) }))) : Promise.reject(new Error());
const code = readFileSync(process.argv[1], "utf8") + "; return found => { health = found; return submit; }";
const page = { getElementById: at, createElement: made };
const submit = new Function("document", "fetch", "readsSounds", code)(page, fetched, () => false)({
  asks: [{}], answers: [{ name: "prediction", type: "label" }] });
const later = () => new Promise(resolve => setTimeout(resolve));
(async () => {
  at("text").value = "a"; submit();
  at("text").value = "b"; submit();
  await later(); waiting[1]("answer to b"); await later();
  const shown = at("answer").shown, disabled = at("ask").disabled;
  waiting[0]("answer to a"); await later();
  console.log(JSON.stringify([shown, disabled, at("answer").shown]));
})();
"""


@NEEDS_NODE
def test_the_page_shows_the_answer_to_the_last_question_where_an_earlier_one_comes_later() -> None:
    words = ["node", "-e", OVERTAKEN, str(REPO / "runner" / "deploy" / "service.js")]
    first, is_disabled, last = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    assert first == last and first.startswith("answer to b") and not is_disabled
