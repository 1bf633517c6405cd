"""A convolution over the bands of stacked frames: the sums that it stands for, its first vector, bad shapes."""

from __future__ import annotations

import pytest
import torch

from models.embeddings.band_convolution import BandConvolution
from models.errors import ModelError

OPTIONS = {"stacked": 2, "maps": 3, "kernel": 3, "stride": 1, "pool": 2}
BANDS = 6


def made(**changes: int | bool) -> BandConvolution:
    torch.manual_seed(0)
    return BandConvolution(BANDS * 2, 5, 0, None, **{**OPTIONS, "first": False, **changes})  # type: ignore[arg-type]


def test_a_frame_becomes_the_largest_answers_of_patterns_over_its_bands_projected() -> None:
    embedding, frame = made(), torch.randn(BANDS, 2)  # the values of a band side by side
    padded = torch.cat([torch.zeros(1, 2), frame, torch.zeros(1, 2)])
    patterns, bias = embedding.convolution.weight, embedding.convolution.bias  # (maps, stacked, kernel), (maps,)
    assert bias is not None
    answers = torch.stack([
        torch.einsum("mck,kc->m", patterns, padded[band : band + 3]) for band in range(BANDS)
    ]) + bias  # fmt: skip
    largest = answers.relu().view(BANDS // 2, 2, 3).amax(1)
    expected = embedding.projection(largest.T.flatten())
    torch.testing.assert_close(embedding(frame.view(1, 1, -1))[0, 0], expected)


def test_the_first_frame_of_a_row_is_a_learned_vector_and_the_others_do_not_depend_on_their_row() -> None:
    embedding, inputs = made(first=True), torch.randn(2, 3, BANDS * 2)
    found = embedding(inputs)
    assert not found[:, 0].any() and found[:, 1:].all()
    end_to_end = embedding.at_places(inputs.flatten(0, 1), torch.tensor([0, 1, 2, 0, 1, 2]))
    torch.testing.assert_close(end_to_end.view(2, 3, 5), found)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stacked": 5}, "12 features cannot be split into 5"),
        ({"pool": 7}, "pool=7.*6 places"),
        ({"kernel": 20}, "kernel=20"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        made(**changes)
