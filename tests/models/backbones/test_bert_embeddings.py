"""Word, position and segment vectors."""

from __future__ import annotations

import torch
from torch import nn

from models.backbones.bert_embeddings import Embeddings, first_rows
from models.settings import ModelSettings

IDS = torch.tensor([[5, 6, 7], [8, 9, 0]])
SEGMENTS = torch.tensor([[0, 0, 1], [0, 1, 0]])


def made(**changes: object) -> Embeddings:
    torch.manual_seed(0)
    settings = ModelSettings(hidden=8, positions=16, **changes)  # type: ignore[arg-type]
    return Embeddings(settings, 20, 8, 0).eval()


def test_the_three_vectors_are_added_and_normalised() -> None:
    layer = made()
    positions = layer.position_embeddings.weight[:3]
    summed = layer.word_embeddings(IDS) + positions + layer.token_type_embeddings(SEGMENTS)
    torch.testing.assert_close(layer(IDS, SEGMENTS), layer.LayerNorm(summed))
    torch.testing.assert_close(layer(IDS), layer(IDS, torch.zeros_like(IDS)))


def test_without_a_norm_the_sum_stays_as_it_is() -> None:
    layer = made(norm="none")
    assert isinstance(layer.LayerNorm, nn.Identity)


def test_tokens_outside_of_rows_get_the_vectors_that_they_have_in_rows() -> None:
    layer = made()
    places = torch.arange(3).repeat(2)
    for segments in (None, SEGMENTS):
        flat = layer.embed_tokens(IDS.flatten(), places, None if segments is None else segments.flatten())
        torch.testing.assert_close(flat, layer(IDS, segments).flatten(0, 1))


def test_the_first_rows_of_a_table() -> None:
    table = nn.Embedding(5, 2)
    assert torch.equal(first_rows(table, 3), table.weight[:3])
