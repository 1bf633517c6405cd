"""Models with fewer rows: the same logits as the whole checkpoint's on texts of kept tokens, in many families."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import AutoModel, BertConfig, BertForMaskedLM

from models.build import build
from models.checkpoints.cut import Cut
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from tests.models.checkpoints.test_save import write
from tests.models.families import config_of
from tests.models.helpers import SMALL, STOCK, small, stock

KEPT = np.array([0, 1, 2, 3, 4, 7, 11, 20, 21, 33, 50, 51, 52, 70, 89])
CUT = Cut(KEPT, positions=12, segments=1)


def built(cut: Cut | None, start: Path | None = None, **changes: Any) -> Any:
    torch.manual_seed(0)
    size = 90 if cut is None else len(cut.kept)
    settings = ModelSettings(**{"family": "auto", "readout": {"name": "mean"}} | changes)
    return build(settings, HeadSpec("text", 3), vocab_size=size, cut=cut, start=start)[0].eval()


def ids(rows: int = 4, length: int = 12) -> tuple[Tensor, Tensor]:
    """Texts in new ids, padded, and their mask."""
    generator = torch.Generator().manual_seed(0)
    mask = (torch.arange(length) < torch.tensor([12, 9, 5, 3])[:rows, None]).long()
    return torch.randint(2, len(KEPT), (rows, length), generator=generator) * mask, mask


@torch.no_grad()
def difference(cut: Any, whole: Any, pad: int) -> float:
    cut.classifier.load_state_dict(whole.classifier.state_dict())
    texts, mask = ids()
    texts = torch.where(mask.bool(), texts, pad)
    return float((cut(texts, mask) - whole(torch.from_numpy(KEPT)[texts], mask)).abs().max())


@pytest.mark.parametrize(
    ("family", "positions"),
    [
        ("Roberta", 14),
        ("MPNet", 14),
        ("DistilBert", 12),
        ("Electra", 12),
        ("Albert", 12),
        ("DebertaV2", 42),
        ("RobertaPreLayerNorm", 14),
        ("XLMRobertaXL", 14),
        ("Xmod", 14),
        ("Longformer", 14),
        ("Luke", 14),
        ("Data2VecText", 14),
        ("IBert", 14),
        ("Ernie", 12),
        ("MegatronBert", 12),
    ],
)
def test_an_encoder_of_transformers_answers_as_the_whole_checkpoint(
    family: str, positions: int, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    AutoModel.from_config(config_of(family)).save_pretrained(tmp_path / "whole")
    source = {"pretrained": str(tmp_path / "whole")}
    cut, whole = built(CUT, **source), built(None, **source)
    pad = config_of(family).pad_token_id
    assert difference(cut, whole, pad) <= 1e-6
    backbone = cut.bert.backbone.config
    assert (backbone.vocab_size, backbone.max_position_embeddings) == (len(KEPT), positions)
    write(cut, tmp_path / "saved")
    from models.checkpoints.open import load_model

    texts, mask = ids()
    assert torch.equal(load_model(tmp_path / "saved")(texts, mask), cut(texts, mask))


@pytest.mark.parametrize("readout", ["mean", "cls"])
def test_our_bert_answers_as_the_whole_checkpoint_and_loses_the_rows(readout: str, tmp_path: Path) -> None:
    stock().save_pretrained(tmp_path)
    source = {"pretrained": str(tmp_path), "readout": {"name": readout}}
    cut, whole = built(CUT, **source), built(None, **source)
    assert difference(cut, whole, 0) <= 1e-6
    rows = {name: len(table.weight) for name, table in cut.bert.embeddings.named_children() if "emb" in name}
    assert rows == {"word_embeddings": len(KEPT), "position_embeddings": 12, "token_type_embeddings": 1}
    sizes = [cut.architecture[key] for key in ("vocab_size", "max_position_embeddings", "type_vocab_size")]
    assert sizes == [len(KEPT), 12, 1]


def test_pairs_keep_both_segments(tmp_path: Path) -> None:
    stock().save_pretrained(tmp_path)
    cut = built(Cut(KEPT, positions=12), pretrained=str(tmp_path))
    assert cut.architecture["type_vocab_size"] == 2


def test_a_run_can_start_from_the_part_of_another_runs_encoder(tmp_path: Path) -> None:
    write(small(), tmp_path / "run")
    cut = built(CUT, tmp_path / "run", **SMALL | {"family": "bert"})
    whole = built(None, tmp_path / "run", **SMALL | {"family": "bert"})
    assert difference(cut, whole, 0) <= 1e-6


def test_a_bag_of_words_takes_the_vectors_of_the_kept_tokens(tmp_path: Path) -> None:
    stock().save_pretrained(tmp_path)
    start = {"family": "dsn", "hidden": 16, "init": "slice", "init_from": str(tmp_path), "tokenizer": str(tmp_path)}
    cut, whole = built(CUT, **start), built(None, **start)
    assert torch.equal(cut.bert.word_vectors().weight, whole.bert.word_vectors().weight[torch.from_numpy(KEPT)])


def test_a_token_without_a_row_is_refused(tmp_path: Path) -> None:
    stock().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"the tokenizer has 91 tokens, .* has word vectors for 90"):
        built(Cut(np.array([0, 90]), positions=12), pretrained=str(tmp_path))


@pytest.mark.parametrize("family", ["Roberta", "Longformer", "Data2VecText"])
def test_a_padding_id_that_positions_are_counted_from_must_stay(family: str, tmp_path: Path) -> None:
    AutoModel.from_config(config_of(family)).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"counts its positions.*Try: model\.vocabulary=full"):
        built(Cut(KEPT[1:], positions=12), pretrained=str(tmp_path))


@pytest.mark.parametrize("output", ["tied", "own"])
def test_the_head_for_masked_words_keeps_the_scores_of_the_kept_words(output: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = BertForMaskedLM(BertConfig(**STOCK, tie_word_embeddings=output == "tied")).eval()
    theirs.cls.predictions.bias.data.normal_()
    theirs.save_pretrained(tmp_path)
    settings, spec = ModelSettings(family="auto", pretrained=str(tmp_path)), HeadSpec("words", output=output)
    cut, whole = (build(settings, spec, vocab_size=size, cut=one)[0].eval() for size, one in ((15, CUT), (90, None)))
    texts, mask = ids()
    kept = torch.from_numpy(KEPT)
    torch.testing.assert_close(cut(texts, mask)[0], whole(kept[texts], mask)[0][:, kept])
