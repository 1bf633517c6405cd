"""Writes a model with exits as one ONNX file, in which rows leave early once an exit is certain enough.

The top level of the graph holds the layers up to the first exit; those above are in an `If` that runs if any row
remains, and so on from exit to exit. The remaining rows are gathered for the next part, and their answers are scattered
back to their positions, so any ONNX runtime can run it. Each part is exported, and quantized, separately.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from models.backbones.attention import padding_bias
from models.backbones.bert import Bert, Encoder
from models.backbones.hooks import ALL, State
from models.heads.exits import Exits
from models.heads.linear import LinearHead
from models.onnx.inputs import example_inputs

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

MEMORY = "memory"  # the name of the state that one exit passes to the next, (B, 2)
MASK = "attention_mask"
AXES = {"axis_0": 0, "axis_1": 1}  # constants shared by all parts


def exits_in(model: LinearHead) -> Exits:
    """The exits of a model that is known to have some."""
    return cast(Exits, model.exits)


class Segment(nn.Module):
    """The layers from one exit to the next, or from the last exit to the answer."""

    def __init__(self, model: LinearHead, place: int) -> None:
        """place: number of the exit at its end, from 0; the last segment ends with the model's own last layer."""
        super().__init__()
        exits = exits_in(model)
        ends = (0, *exits.layers, model.bert.state_shape()[1])
        self.model, self.place = model, place
        self.layers = range(ends[place], ends[place + 1])
        self.is_last = place == len(exits.layers)
        self.inputs = self._inputs()  # names of its inputs

    @property
    def bert(self) -> Bert:
        """The encoder below the head."""
        return cast(Bert, self.model.bert)

    def _inputs(self) -> list[str]:
        if self.place == 0:
            return list(example_inputs(self.bert, 2, 2))
        return ["hidden", MASK, *([MEMORY] if exits_in(self.model).rule == "patience" else [])]

    @property
    def outputs(self) -> list[str]:
        """The names of its outputs."""
        if self.is_last:
            return ["logits"]
        return [
            "logits",
            "is_sure",
            "hidden_out",
            *([f"{MEMORY}_out"] if exits_in(self.model).rule == "patience" else []),
        ]

    def example(self, rows: int, length: int) -> dict[str, Tensor]:
        """Example inputs for tracing, by name; one row is padded."""
        kinds = example_inputs(self.bert, rows, length)
        kinds |= {"hidden": torch.randn(rows, length, self.bert.state_shape()[0]), MEMORY: torch.zeros(rows, 2)}
        return {name: kinds[name] for name in self.inputs}

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Map `inputs` to `outputs`; hidden (B, T, H), attention_mask (B, T), memory (B, 2)."""
        given = dict(zip(self.inputs, inputs))
        hidden, mask = given.get("hidden"), given[MASK]
        if hidden is None:
            hidden = self.bert.embeddings(inputs[0], given.get("token_type_ids"))
        bias = padding_bias(mask, hidden.dtype)
        only = self.bert.pooler.wanted if self.is_last else ALL
        encoder, exits = cast(Encoder, self.bert.encoder), exits_in(self.model)
        for number in self.layers:
            hidden = encoder.layer[number](hidden, bias, only if encoder.layer[number] is encoder.layer[-1] else ALL)
        if self.is_last:
            return (self.model.score(self.bert.pooler.read_out(hidden[None], mask)),)
        vectors = exits.vectors(State(hidden, bias, mask))
        logits = exits.answer(self.place, vectors)
        certainty, memory = exits.certainty(vectors, logits, given.get(MEMORY))
        found = (self.model.unstandardise(logits), certainty >= exits.thresholds[self.place], hidden)
        return found if memory is None else (*found, memory)


def write_exits(model: LinearHead, path: Path, write: Callable[[Segment, Path], None]) -> None:
    """Write a model with exits as one graph, from ids to logits (B, C); write: writes one part to a file."""
    parts = [Segment(model, place) for place in range(len(exits_in(model).layers) + 1)]
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{place}.onnx" for place in range(len(parts))]
        for part, file in zip(parts, files):
            write(part, file)
        join(parts, files, path)


def join(parts: Sequence[Segment], files: Sequence[Path], path: Path) -> None:
    """Join the parts in `files` into one graph, from ids to logits, and write it."""
    import onnx

    models = [onnx.load(file) for file in files]
    whole, graph = models[0], models[0].graph
    own = {name: f"0/{name}" for name in parts[0].outputs}
    _rename(graph, own)
    names = own | {MASK: MASK}
    graph.initializer.extend([
        onnx.helper.make_tensor(name, onnx.TensorProto.INT64, [1], [value]) for name, value in AXES.items()
    ])  # fmt: skip
    nodes, answer = _onward(parts, [one.graph for one in models], 0, names)
    graph.node.extend([*nodes, onnx.helper.make_node("Identity", [answer], ["logits"])])
    del graph.output[1:]
    graph.output[0].name = "logits"
    graph.ClearField("value_info")
    for other in models[1:]:
        known = {imported.domain for imported in whole.opset_import}
        whole.opset_import.extend(imported for imported in other.opset_import if imported.domain not in known)
    onnx.save(whole, path)


def _onward(
    parts: Sequence[Segment], graphs: Sequence[GraphProto], place: int, names: dict[str, str]
) -> tuple[list[NodeProto], str]:
    """The nodes after a part with an exit, and the name of the answers for all of its rows.

    names: the names, in this scope, of the part's outputs and its mask.
    """
    import onnx

    make, following = onnx.helper.make_node, parts[place + 1]
    at = f"{place}>"
    nodes = [
        make("Not", [names["is_sure"]], [at + "open"]),
        make("NonZero", [at + "open"], [at + "where"]),
        make("Squeeze", [at + "where", "axis_0"], [at + "rest"]),
        make("Size", [at + "rest"], [at + "count"]),
        make("Cast", [at + "count"], [at + "is_any"], to=onnx.TensorProto.BOOL),
    ]
    given = {name: at + name for name in following.inputs}
    inside = [
        make("Gather", [names.get(f"{name}_out", names[MASK]), at + "rest"], [given[name]], axis=0)
        for name in following.inputs
    ]
    own = {name: f"{place + 1}/{name}" for name in following.outputs}
    graph = graphs[place + 1]
    _prefix(graph, f"{place + 1}/", given)
    inside += graph.node
    answer = own["logits"]
    if not following.is_last:
        more, answer = _onward(parts, graphs, place + 1, own | {MASK: given[MASK]})
        inside += more
    inside += [
        make("Unsqueeze", [at + "rest", "axis_1"], [at + "rows"]),
        make("ScatterND", [names["logits"], at + "rows", answer], [at + "joined"]),
    ]
    outputs = [onnx.helper.make_tensor_value_info(at + end, onnx.TensorProto.FLOAT, None) for end in ("joined", "all")]
    going_on = onnx.helper.make_graph(inside, at + "on", [], [outputs[0]], initializer=list(graph.initializer))
    staying = onnx.helper.make_graph([make("Identity", [names["logits"]], [at + "all"])], at + "end", [], [outputs[1]])
    branch = make("If", [at + "is_any"], [at + "answers"], then_branch=going_on, else_branch=staying)
    return [*nodes, branch], at + "answers"


def _prefix(graph: GraphProto, prefix: str, given: dict[str, str]) -> None:
    """Add a prefix to every name in a graph, except its inputs, which are renamed as in `given`."""
    inner = [*(value.name for value in graph.initializer), *(name for node in graph.node for name in node.output)]
    _rename(graph, {name: prefix + name for name in inner if name} | given)
    for node in graph.node:
        node.name = prefix + node.name


def _rename(graph: GraphProto, names: dict[str, str]) -> None:
    """Rename values in a graph's initializers and nodes; its declared inputs and outputs keep their names."""
    for value in graph.initializer:
        value.name = names.get(value.name, value.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
