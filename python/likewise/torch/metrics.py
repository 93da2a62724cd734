"""Streamed measures as torchmetrics metrics: exact over batches, and over ranks.

Their states are sums over samples, measured from the mean of the rank's own first batch: ranks that
saw different samples of the same two representations merge to the score of all samples, not to a
mean of scores. Needs ``torchmetrics``.
"""

from __future__ import annotations

import dataclasses
import math
from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torchmetrics import Metric

from likewise.measure import measure
from likewise.scale import Accumulator
from likewise.scale import MinibatchCKA as _MinibatchCKA

__all__ = [
    "CCA",
    "CKA",
    "HSIC",
    "PWCCA",
    "SVCCA",
    "LinearPredictivity",
    "MinibatchCKA",
    "Procrustes",
    "ShapeDistance",
]


class _Streamed(Metric):
    sums: torch.Tensor
    full_state_update: bool = False
    is_differentiable: bool = False

    def __init__(self, units_x: int, units_y: int, **options: Any) -> None:
        own = {name: options.pop(name) for name in tuple(options) if name in self._options()}
        super().__init__(**options)
        for name, value in (("units_x", units_x), ("units_y", units_y)):
            if value < 1:
                raise ValueError(f"{type(self).__name__}: {name} must be positive, got {value}")
        self._units, self._own = (units_x, units_y), own
        self._shapes = self._empty()._shapes([[units_x], [units_y]])
        size = 1 + sum(map(math.prod, self._shapes.values()))
        self.add_state("sums", torch.zeros(size, dtype=torch.float64), self._merged)

    @classmethod
    @abstractmethod
    def _options(cls) -> set[str]:
        """Names of the measure's options; all others are torchmetrics'."""

    @abstractmethod
    def _empty(self) -> Any:
        """A stream of the measure that has seen nothing."""

    def _stream(self, sums: torch.Tensor) -> Any:
        """The stream whose number of samples and arrays these are, one behind the other."""
        stream, samples = self._empty(), int(sums[0])
        if not samples:
            return stream
        arrays, start = {}, 1
        for name, shape in self._shapes.items():
            arrays[name] = sums[start : start + math.prod(shape)].reshape(shape)
            start += math.prod(shape)
        nothing = [sums.new_empty(0, width) for width in self._units]
        stream._resume(nothing[:1], nothing[1:], arrays, samples)
        return stream

    def _packed(self, stream: Any, samples: int) -> torch.Tensor:
        arrays = [torch.as_tensor(stream._sums[name]).reshape(-1) for name in self._shapes]
        return torch.cat([arrays[0].new_tensor([samples]), *arrays])

    def _merged(self, states: torch.Tensor) -> torch.Tensor:
        """The state of all samples, of those of several ranks or of what was seen before."""
        whole, samples = self._empty(), int(states[:, 0].sum())
        for sums in states:
            whole.merge(self._stream(sums))
        return self._packed(whole, samples) if samples else states[0]

    def update(self, x: torch.Tensor, y: torch.Tensor) -> None:
        """Add samples ``x (n, units_x)`` and ``y (n, units_y)``; rows are the same stimuli."""
        for name, side, width in zip("xy", (x, y), self._units, strict=True):
            if side.ndim != 2 or side.shape[1] != width:
                raise ValueError(
                    f"{type(self).__name__}: {name} must have shape (n, {width}), got "
                    f"{tuple(side.shape)}"
                )
        stream = self._stream(self.sums)
        stream.update(*([side.detach().to(self.sums.device)] for side in (x, y)))
        if len(x):
            self.sums = self._packed(stream, int(self.sums[0]) + len(x))

    def compute(self) -> torch.Tensor:
        """The score of all samples, float64."""
        score: torch.Tensor = self._stream(self.sums.cpu()).compute()[0, 0]
        return score.to(self.device)


class _Measured(_Streamed):
    name: ClassVar[str]

    @property
    def higher_is_better(self) -> bool:
        """Whether the score is a similarity."""
        return self._empty().measure.kind == "similarity"

    @classmethod
    def _options(cls) -> set[str]:
        fields: Any = dataclasses.fields(measure(cls.name))  # type: ignore[arg-type]
        return {field.name for field in fields}

    def _empty(self) -> Accumulator:
        return Accumulator(self.name, **self._own)


class CKA(_Measured):
    """:func:`likewise.cka` with the linear kernel of all samples: ``CKA(units_x, units_y,
    estimator="unbiased")``."""

    name = "cka"


class HSIC(_Measured):
    """:func:`likewise.hsic` with the linear kernel of all samples."""

    name = "hsic"


class Procrustes(_Measured):
    """:func:`likewise.procrustes` of all samples."""

    name = "procrustes"


class ShapeDistance(_Measured):
    """:func:`likewise.shape_distance` of all samples."""

    name = "shape_distance"


class CCA(_Measured):
    """:func:`likewise.cca` of all samples."""

    name = "cca"


class SVCCA(_Measured):
    """:func:`likewise.svcca` of all samples."""

    name = "svcca"


class PWCCA(_Measured):
    """:func:`likewise.pwcca` of all samples."""

    name = "pwcca"


class LinearPredictivity(_Measured):
    """:func:`likewise.linear_predictivity` of all samples, which go to the folds in turn."""

    name = "linear_predictivity"
    full_state_update = True  # folds depend on how many samples came before


class MinibatchCKA(_Streamed):
    """:class:`likewise.scale.MinibatchCKA`: CKA from the mean of batches' unbiased HSIC."""

    higher_is_better = True

    @classmethod
    def _options(cls) -> set[str]:
        return {"kernel", "bandwidth", "degree", "coef0", "gamma"}

    def _empty(self) -> _MinibatchCKA:
        return _MinibatchCKA(**self._own)


def __dir__() -> list[str]:
    return sorted(__all__)
