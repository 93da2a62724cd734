"""Targets that hardly train, and guides that do."""

from __future__ import annotations

import torch
from torch import nn

from likewise.studies.digits import CLASSES, SIDE
from likewise.studies.guidance.data import COPY_TOKENS, PARITY_TOKENS, PIXELS
from likewise.studies.guidance.settings import Row


def target_of(row: Row) -> nn.Module:
    """A target with new weights."""
    if row.task == "digits":
        return FullyConnected(row.depth, row.width, normalized=row.normalized)
    if row.task == "copying":
        return Recurrent(COPY_TOKENS, row.width, row.depth, COPY_TOKENS, pooled=False)
    return Transformer(PARITY_TOKENS, row.width, row.depth, 2, row.longest, pooled=True)


def guide_of(row: Row) -> nn.Module:
    """A guide with new weights."""
    width, depth = row.guide_width, row.guide_depth
    if row.task == "digits":
        return Convolutional(depth, width)
    if row.task == "copying":
        steps = 2 * row.longest + 1
        return Transformer(COPY_TOKENS, width, depth, COPY_TOKENS, steps, pooled=False)
    return Recurrent(PARITY_TOKENS, width, depth, 2, pooled=True)


class FullyConnected(nn.Sequential):
    """`depth` linear layers, all but the last rectified, with batch normalisation if `normalized`.

    Initial weights have variance 1 / inputs (LeCun et al. 1998), biases are 0. How well such
    networks train hangs on that: with torch's default, a third of the variance, Adam's steps are
    larger in proportion, and the normalised network of 20 layers overfits far less.
    """

    def __init__(self, depth: int, width: int, *, normalized: bool = True) -> None:
        layers: list[nn.Module] = []
        for layer in range(depth - 1):
            layers.append(nn.Linear(PIXELS if layer == 0 else width, width))
            if normalized:
                layers.append(nn.BatchNorm1d(width))
            layers.append(nn.ReLU())
        super().__init__(*layers, nn.Linear(width, CLASSES))
        for module in self:
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
                nn.init.zeros_(module.bias)


class Convolutional(nn.Module):
    """`depth` convolutions of 3 x 3, all but the first with a skip; then the mean and a readout."""

    def __init__(self, depth: int, channels: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, channels, 3, padding=1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(depth - 1))
        self.blocks = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1) for _ in range(depth - 1)
        )
        self.norm = nn.BatchNorm2d(channels)
        self.readout = nn.Linear(channels, CLASSES)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        x = self.stem(pixels.reshape(-1, 1, SIDE, SIDE))
        for norm, block in zip(self.norms, self.blocks, strict=True):
            x = x + block(torch.relu(norm(x)))
        return self.readout(torch.relu(self.norm(x)).mean((2, 3)))


class Recurrent(nn.Module):
    """Layers of tanh units, each normalised, over tokens (n, time); an output for every step.

    `pooled` reads the output of the last token alone, (n, outputs); 0 is padding.
    """

    def __init__(self, tokens: int, width: int, layers: int, outputs: int, *, pooled: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens, width, padding_idx=0)
        self.blocks = nn.ModuleList(nn.RNN(width, width, batch_first=True) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.readout = nn.Linear(width, outputs)
        self.pooled = pooled

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.embedding(tokens)
        for block, norm in zip(self.blocks, self.norms, strict=True):
            x = norm(block(x)[0])
        if self.pooled:
            last = (tokens != 0).sum(1) - 1
            x = x[torch.arange(len(x)), last]
        return self.readout(x)


class Transformer(nn.Module):
    """Encoder blocks with learned positions over tokens (n, time); 0 is padding.

    `pooled` gives one output for the mean over all tokens; otherwise there is an output for every
    step, which sees no later one.
    """

    def __init__(
        self,
        tokens: int,
        width: int,
        layers: int,
        outputs: int,
        longest: int,
        *,
        pooled: bool,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens, width, padding_idx=0)
        self.positions = nn.Parameter(0.02 * torch.randn(longest, width))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, 4, 2 * width, dropout=0.1, batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.readout = nn.Linear(width, outputs)
        self.pooled = pooled

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        time = tokens.shape[1]
        padding = tokens == 0
        later = None
        if not self.pooled:
            later = torch.ones(time, time, dtype=torch.bool, device=tokens.device).triu(1)
        x = self.embedding(tokens) + self.positions[:time]
        for block in self.blocks:
            x = block(x, src_mask=later, src_key_padding_mask=padding)
        x = self.norm(x)
        if self.pooled:
            present = (~padding).unsqueeze(2)
            x = (x * present).sum(1) / present.sum(1)
        return self.readout(x)
