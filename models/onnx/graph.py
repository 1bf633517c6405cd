"""Exports a trained model as an ONNX file, for batches of any size and texts up to the model's maximum length.

    write_onnx(model, Path("model.onnx"))
    logits = OnnxModel(Path("model.onnx"), threads=1)(input_ids, attention_mask)

Computed embeddings (models/embeddings/hash.py) are written as a table. Weights quantized on a grid stay packed in the
file (models/onnx/packed.py); other quantized weights are decoded. Models over n-grams are refused, and so are layers
that multiply integers, because torch's integer product has no ONNX operator.
"""

from __future__ import annotations

import copy
import ctypes
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from models.backbones.bert import Encoder
from models.capabilities import Fitted
from models.compression.lengths.chosen import lengths_of
from models.compression.quantization.coded import CodedWeight, coded_weights
from models.embeddings.base import computed_vectors
from models.errors import ModelError
from models.heads.exits import exits_of
from models.heads.linear import LinearHead
from models.network import Network
from models.onnx.exits import MEMORY, write_exits
from models.onnx.inputs import INPUTS, example_inputs, given_inputs
from models.onnx.operators import replaced_where_needed
from models.onnx.packed import pack_file

OPSET = 20  # the first with a GELU operator; opset 23's attention rejects our masks in ONNX Runtime's CPU kernel
# The fused kernel for a residual sum and its layer norm is four times as slow as two separate ones (128 x 128, fp32).
SLOWER_FUSED = ["SkipLayerNormFusion"]
ROWS, LENGTH = 2, 16  # size of the batch for tracing; any sizes but 1 work


def write_onnx(model: Network, path: Path, finish: Callable[[Path], None] | None = None) -> None:
    """Write the graph of `model`, from INPUTS (B, T) int64 to logits (B, C) or (B, T, C); the model is not changed.

    For a model of sounds, the first input is `features` (B, T, F) float32. attention_mask: 1 for real tokens. Encoders
    without segments take no token_type_ids. finish: postprocesses the file, or with exits each part before they are
    joined.
    Raises ModelError, with torch's reason, for a model that cannot be written as a graph.
    """
    if isinstance(model.bert, Fitted) or (isinstance(model, LinearHead) and model.added is not None):
        raise ModelError("a model over n-grams cannot be written as an ONNX graph: it looks up hashes of words")
    if exits_of(model) is not None and lengths_of(model) is not None:
        raise ModelError(
            "a model with lengths and exits cannot be written as an ONNX graph: each part would need the tokens that "
            "the parts before it kept"
        )
    if any(layer.multiplies_integers for layer in coded_weights(model)):
        raise ModelError(
            "a model whose layers multiply integers (int8_dynamic, int8_static) cannot be written as an ONNX graph: "
            "torch's integer product has no ONNX operator; int8=true makes an int8 graph of the run before that stage"
        )
    if any(parameter.dtype == torch.bfloat16 for parameter in model.parameters()):
        raise ModelError("a model in bfloat16 cannot be written as an ONNX graph: its operators take no bfloat16")
    plain, longest = _plain(model), model.longest_input()
    length = min(LENGTH, longest or LENGTH)

    def write(module: nn.Module, given: dict[str, Tensor], outputs: list[str], file: Path) -> None:
        _export(module, given, outputs, file, longest)
        pack_file(file, model)
        if finish:
            finish(file)

    if exits_of(plain) is not None:
        network = cast(LinearHead, plain.model)
        write_exits(network, path, lambda part, file: write(part, part.example(ROWS, length), part.outputs, file))
        return
    write(plain, example_inputs(model.bert, ROWS, length), ["logits"], path)


def _export(module: nn.Module, given: dict[str, Tensor], outputs: list[str], path: Path, longest: int | None) -> None:
    """Write the graph of a module; given: example inputs (B, T, ...), by name and in order."""
    axes = {0: torch.export.Dim("batch", min=1), 1: torch.export.Dim("length", min=1, max=longest)}
    shapes = tuple({0: axes[0]} if name == MEMORY else axes for name in given)
    example = tuple(given.values())

    def program() -> torch.onnx.ONNXProgram:
        found = torch.onnx.export(
            traced(module, example, (shapes,)), example, dynamo=True, opset_version=OPSET,
            input_names=list(given), output_names=outputs, dynamic_shapes=(shapes,), verbose=False,
        )  # fmt: skip
        assert found is not None, "of dynamo=True"
        return found

    # The tracer caches operators' results by shape; with symbolic sizes, that costs more time than it saves.
    with _quiet(), torch.no_grad(), torch._dynamo.config.patch(fake_tensor_cache_enabled=False):
        try:
            written = _shortened(program)
            for node in written.model.graph.all_nodes():
                node.metadata_props.clear()  # debugging information: 250 KB in a graph with 26 KB of weights
            written.save(path, external_data=False)
        except torch.onnx.OnnxExporterError as error:
            raise ModelError(f"this model cannot be written as an ONNX graph: {_reason(error)}") from error


def _shortened(program: Callable[[], torch.onnx.ONNXProgram]) -> torch.onnx.ONNXProgram:
    """The program without torch's second trace, or with it if the export fails otherwise (other torch versions)."""
    with replaced_where_needed() as shortened:
        try:
            return program()
        except torch.onnx.OnnxExporterError:
            if not shortened:
                raise
    return program()


def traced(
    plain: nn.Module, example: tuple[Tensor, ...], shapes: tuple[tuple[dict[int, torch.export.Dim], ...]]
) -> nn.Module | torch.export.ExportedProgram:
    """The input of the exporter: the model itself, or, if layers drop tokens, its exported program.

    The tracer cannot prove that the number of tokens never grows, so it leaves that check to run time.
    """
    if not any(isinstance(part, Encoder) and part.lengths is not None for part in plain.modules()):
        return plain
    try:
        return torch.export.export(
            plain, example, dynamic_shapes=shapes, strict=False, prefer_deferred_runtime_asserts_over_guards=True
        )
    except (RuntimeError, ValueError, TypeError) as error:
        raise torch.onnx.OnnxExporterError(str(error)) from error


class _Graph(nn.Module):
    """The model with its inputs in a fixed order."""

    def __init__(self, model: Network) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: Tensor) -> Tensor:
        """Logits for the given INPUTS, in their order."""
        out: Tensor = self.model(**dict(zip(INPUTS, inputs)))
        return out


def _plain(model: Network) -> _Graph:
    """A copy on the CPU in evaluation mode, with plain tables and layers."""
    plain = copy.deepcopy(model).to("cpu").eval()
    embedding = computed_vectors(plain)
    if embedding is not None:
        embedding.mode = "cached"
        embedding.table(torch.device("cpu"))  # computed now, so that the graph contains the result
    names = {module: name for name, module in plain.named_modules()}
    for module in coded_weights(plain):
        if not module.multiplies_integers:
            plain.set_submodule(names[module], _decoded(module))
    return _Graph(plain)


def _decoded(module: CodedWeight) -> nn.Module:
    """The plain layer that computes the same as a quantized layer."""
    weight = module.decoded_weight().detach().float()
    if module.is_table:
        return nn.Embedding.from_pretrained(weight)
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=module.bias is not None)
    with torch.no_grad():
        linear.weight.copy_(weight)
        if module.bias is not None:
            linear.bias.copy_(module.bias)
    return linear


def _reason(error: BaseException) -> str:
    """The root cause in one line; the exporter's own message is a page of advice for developers."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return f"{type(cause).__name__}: {' '.join(str(cause).split())[:200]}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress warnings and log messages, and trace matrix products in full fp32 precision."""
    precision, level = torch.get_float32_matmul_precision(), logging.root.manager.disable
    torch.set_float32_matmul_precision("highest")
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
        torch.set_float32_matmul_precision(precision)


def give_back_memory() -> None:
    """Release the memory that unpacking weights took; glibc would keep it (MiniLM in int8: 280 MB instead of 33)."""
    with suppress(AttributeError, OSError, TypeError):  # systems without glibc
        ctypes.CDLL(None).malloc_trim(0)


class OnnxModel(nn.Module):
    """An ONNX file with the interface of its original network, so that the same code can score and time it."""

    def __init__(self, path: Path, threads: int) -> None:
        """Raises ModelError for a file that cannot be read."""
        import onnxruntime

        super().__init__()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        try:
            self.session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOWER_FUSED
            )
        except Exception as error:  # the library's errors have no other class in common
            raise ModelError(f"{path}: cannot be read ({_reason(error)}). Try: export the run again") from error
        give_back_memory()
        self.names = [entry.name for entry in self.session.get_inputs()]

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        places: Tensor | None = None,
    ) -> Tensor:
        """Map inputs (B, T) int64, or frames (B, T, F), to logits (B, C), or (B, T, C) for a model of tokens.

        None: no padding, or no second text. places: (N,) positions in the flattened (B, T), to return only their
        logits, (N, C).
        """
        given = given_inputs(input_ids, attention_mask, token_type_ids)
        feed = {name: given[name].numpy() for name in self.names}
        logits = torch.from_numpy(self.session.run(None, feed)[0])
        return logits if places is None else logits.flatten(0, 1)[places]
