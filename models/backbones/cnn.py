"""A small convolutional network over audio frames, the usual model for sounds on microcontrollers.

Each block is a 3 x 3 convolution over time and frequency bands, a batch norm, ReLU and 2 x 2 max pooling. The last maps
are averaged over the bands, and the readout pools over time. Padding is set to zero before every convolution, the same
as beyond a row's end, so it never changes a logit. During training, batch norms use real frames only.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones.base import Backbone
from models.backbones.hooks import LayerHook, Wanted
from models.json_types import JsonObject
from models.parts import make_readout
from models.readouts.base import Readout
from models.settings import CNN, ModelSettings, full_part, short_part


class RealBatchNorm(nn.BatchNorm2d):
    """A batch norm whose statistics come from real frames only."""

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, C, T, F) to the same; mask: (B, T), 1 for real frames; None: no padding. Outputs for padding are
        unspecified.
        """
        if mask is None or not self.training:
            return super().forward(input)
        is_real = mask.bool()
        by_frame = input.transpose(1, 2)  # (B, T, C, F)
        normed = super().forward(by_frame[is_real].unsqueeze(2))  # (frames, C, 1, F)
        return torch.zeros_like(by_frame).index_put((is_real,), normed.squeeze(2)).transpose(1, 2)


class Block(nn.Module):
    """Convolution, norm, ReLU, and pooling to half as many frames and bands."""

    def __init__(self, channels: int, maps: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, maps, 3, padding=1)
        self.norm = RealBatchNorm(maps)

    def forward(self, maps: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """(B, C, T, F) and mask (B, T) to (B, D, ceil(T / 2), ceil(F / 2)) and (B, ceil(T / 2)); padding is zero."""
        maps = F.relu(self.norm(self.convolution(maps), mask))
        if mask is not None:
            maps, mask = maps * mask[:, None, :, None].to(maps.dtype), half_mask(mask)
        return halved(maps), mask


def halved(maps: Tensor) -> Tensor:
    """2 x 2 max pooling of (B, C, T, F) to half the frames and bands; odd sizes are padded with zeros."""
    return F.max_pool2d(F.pad(maps, (0, maps.shape[3] % 2, 0, maps.shape[2] % 2)), 2)


def half_mask(mask: Tensor) -> Tensor:
    """The mask (B, T) at half length, (B, ceil(T / 2)); in each row, real frames must come before padding."""
    return mask[:, ::2]


class Cnn(Backbone):
    """Blocks over frames, and a readout over the remaining time steps."""

    takes_segments = False

    def __init__(self, features: int, channels: Sequence[int], pooler: Readout) -> None:
        """features: width of a frame; channels: number of output maps of each block."""
        super().__init__()
        self.frame_width, self.width = features, channels[-1]
        self.blocks = nn.ModuleList(Block(*pair) for pair in zip((1, *channels), channels))
        self.pooler = pooler

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        hooks: Sequence[LayerHook] = (),
        only: Wanted | None = None,
    ) -> Tensor:
        """(B, T, F) frames and mask to (B, width of the readout); hooks are ignored, as there are no layers."""
        maps, mask = input_ids.unsqueeze(1), attention_mask
        if mask is not None:
            maps = maps * mask[:, None, :, None].to(maps.dtype)
        for block in self.blocks:
            maps, mask = block(maps, mask)
        return self.pooler.read_out([maps.mean(3).transpose(1, 2)], mask)

    def embedding_parts(self) -> list[nn.Module]:
        """Empty: there is nothing before the blocks."""
        return []

    def encoder_parts(self) -> list[nn.Module]:
        """The blocks."""
        return [self.blocks]

    def word_vectors(self) -> nn.Module:
        """The blocks, which read frames directly."""
        return self.blocks

    @torch.no_grad()
    def draw_weights(self, network: nn.Module, architecture: JsonObject) -> None:
        """Initialise convolutions for ReLU (He et al. 2015), and linear layers with torch's default."""
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
            elif isinstance(module, nn.Linear):
                module.reset_parameters()

    def state_shape(self) -> tuple[int, int]:
        """The width of the states, and 0 layers, because a readout cannot use states between blocks."""
        return self.width, 0


def build_cnn(settings: ModelSettings, features: int) -> tuple[Cnn, JsonObject]:
    """A CNN without a head for frames `features` wide, and its architecture; `draw_weights` must be called later."""
    channels = [settings.hidden // 4, settings.hidden // 2, settings.hidden]
    return rebuild_cnn({
        "num_hidden_layers": 0, "hidden_size": settings.hidden, "hidden_dropout_prob": settings.dropout,
        "readout": short_part(settings.readout), "vocab_size": features, CNN: {"channels": channels},
    })  # fmt: skip


def rebuild_cnn(architecture: JsonObject) -> tuple[Cnn, JsonObject]:
    """The backbone that a config.json describes, and its part of the architecture."""
    names = ("num_hidden_layers", "hidden_size", "hidden_dropout_prob", "readout", "vocab_size", CNN)
    own = {name: architecture[name] for name in names}
    readout = make_readout(full_part(own["readout"]), own["hidden_size"], 0)
    return Cnn(own["vocab_size"], own[CNN]["channels"], readout), own
