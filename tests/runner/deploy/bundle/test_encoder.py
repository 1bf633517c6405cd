"""The reader of graphs, with a graph that adds up its inputs; test_export.py has a trained one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import models, pre_tokenizers

from data.inputs.tokenizer import train_tokenizer, wrap_backend
from models.packed.vocabulary import wordpiece_vocabulary
from runner.deploy.bundle.calibration import hash_of
from runner.deploy.bundle.command import main
from runner.deploy.bundle.predict import Model, ModelFileError
from runner.deploy.exported import ExportedModel
from runner.deploy.graph_facts import graph_facts

TEXTS = ["good film", "", "a film " * 30]


def write_sums(path: Path) -> None:
    """Write a graph whose logits are the sums of ids, of the mask and of the segments."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    names = ("input_ids", "attention_mask", "token_type_ids")
    made = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.INT64, ["b", "t"]) for name in names]
    nodes = [onnx.helper.make_node("ReduceSum", [name, "axis"], [f"sum_{name}"]) for name in names]
    nodes.append(onnx.helper.make_node("Concat", [f"sum_{name}" for name in names], ["sums"], axis=1))
    nodes.append(onnx.helper.make_node("Cast", ["sums"], ["logits"], to=onnx.TensorProto.FLOAT))
    out = onnx.helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["b", 3])
    axis = onnx.helper.make_tensor("axis", onnx.TensorProto.INT64, [1], [1])
    graph = onnx.helper.make_graph(nodes, "sums", made, [out], [axis])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=9)
    onnx.save(model, path)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A graph that adds up its inputs, for pairs of at most 9 tokens."""
    write_sums(tmp_path / "model.onnx")
    train_tokenizer(["a good film"] * 3, 64).save(tmp_path)
    facts = {"kind": "onnx", "labels": ["a", "b", "c"], "max_length": 9, "texts": 2}
    (tmp_path / "model.json").write_text(json.dumps(facts))
    return tmp_path


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "model.json"])
def test_a_file_that_is_cut_short_is_one_line_of_the_command(
    bundle: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = (bundle / name).read_bytes()
    (bundle / name).write_bytes(content[: len(content) // 2])
    assert main(["a text", "another"], lambda: Model(bundle)) == 2
    problem = capsys.readouterr().err
    assert problem.count("\n") == 1 and f"{name} cannot be read (" in problem and "Get a fresh copy" in problem


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "model.json"])
def test_a_file_of_another_bundle_is_refused(bundle: Path, name: str) -> None:
    files = {path.name: {"sha256": hash_of(path)} for path in bundle.iterdir()}
    (bundle / "manifest.json").write_text(json.dumps({"files": files}))
    assert Model(bundle)("good", "film")
    (bundle / name).write_bytes((bundle / name).read_bytes() + b" ")  # still read by every library
    with pytest.raises(ValueError, match=f"{name} is damaged, or of another bundle"):
        Model(bundle)
    (bundle / "manifest.json").write_text("[]")
    with pytest.raises(ValueError, match=r"manifest\.json cannot be read"):
        Model(bundle)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_missing_file_is_named(bundle: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (bundle / name).unlink()
    assert main(["a text", "another"], lambda: Model(bundle)) == 2
    assert f"{name}: no such file" in capsys.readouterr().err


@pytest.mark.parametrize("in_python", [False, True])
def test_the_graph_gets_the_pieces_of_both_texts(bundle: Path, in_python: bool) -> None:
    tokenizer = train_tokenizer(["a good film"] * 3, 64)
    second = TEXTS[::-1]
    if in_python:
        vocabulary = wordpiece_vocabulary(json.loads(tokenizer.backend.to_str()))
        ends = {end: int(vocabulary.ids[vocabulary.settings[end]]) for end in ("first", "last")}
        facts = json.loads((bundle / "model.json").read_text()) | {"pieces": vocabulary.settings | ends}
        (bundle / "model.json").write_text(json.dumps(facts))
    model = Model(bundle)
    for text, pair, scores in zip(TEXTS, second, model.scores(TEXTS, second)):
        row = tokenizer.encode([text], [pair], 9)
        count = len(row.tokens)
        assert scores.tolist() == [row.tokens.sum(), count, count - int(row.segment_starts[0])]
    assert model.lengths(TEXTS, second).tolist() == [65, 3, 65] and model.max_length == 9
    lone, without = (["go\ud83dod"], ["\udfff a"]), (["good"], ["a"])
    assert model.scores(*lone).tolist() == model.scores(*without).tolist(), "half a character is no piece"
    assert model.lengths(*lone).tolist() == model.lengths(*without).tolist()
    assert model.scores(["a"], ["a"]).shape == (1, 3), "counting does not change how texts are cut"


@pytest.mark.parametrize("drops", [False, True])
def test_texts_without_special_tokens_are_read_as_in_training(bundle: Path, drops: bool) -> None:
    backend = Backend(models.WordLevel({"<unk>": 0, "a": 1, "b": 2, "c": 3}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = wrap_backend(backend, "bare", {}, {"drops_unknown": drops})
    tokenizer.save(bundle)
    exported = ExportedModel(bundle, "onnx", "0" * 10, "x", "classification", ("a", "b", "c"), ("text", "pair"), 5, "")
    facts = graph_facts(bundle, exported, "bundle")
    assert facts["empty"] == 4 and facts["dropped"] == (0 if drops else None) and "pieces" not in facts
    (bundle / "model.json").write_text(json.dumps(facts))
    texts, model = ["a x b", "", "c b a c b a", "x"], Model(bundle)
    for text in texts:
        for pair in texts:
            row = tokenizer.encode([text], [pair], 5)
            count = len(row.tokens)
            wanted = [row.tokens.sum(), count, count - int(row.segment_starts[0])]
            assert model.scores([text], [pair]).tolist() == [wanted], (text, pair)
    assert model.lengths(["a x b"], ["c"]).tolist() == [3 if drops else 4]
    assert model.scores(["a \ud83d"], ["b"]).tolist() == model.scores(["a \ufffd"], ["b"]).tolist()


def test_facts_that_do_not_fit_are_refused(bundle: Path) -> None:
    (bundle / "model.json").write_text('{"kind": "onnx", "labels": []}')
    with pytest.raises(ModelFileError, match="lacks what kind 'onnx' needs"):
        Model(bundle)
