"""Streamed measures as torchmetrics metrics: exact over batches, and over ranks.

Their states are sums over samples: ranks that saw different samples of the same two representations
add up to the score of all samples, not to a mean of scores. Needs ``torchmetrics``.
"""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torchmetrics import Metric

from likewise.errors import quiet
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
    full_state_update: bool = False
    is_differentiable: bool = False

    def __init__(self, units_x: int, units_y: int, **options: Any) -> None:
        own = {name: options.pop(name) for name in tuple(options) if name in self._options()}
        super().__init__(**options)
        for name, value in (("units_x", units_x), ("units_y", units_y)):
            if value < 1:
                raise ValueError(f"{type(self).__name__}: {name} must be positive, got {value}")
        self._units, self._own = (units_x, units_y), own
        for name, array in self._stream().state.items():
            self.add_state(_attribute(name), torch.zeros(array.shape, dtype=torch.float64), "sum")
        self.add_state("samples", torch.tensor(0), "sum")

    @classmethod
    @abstractmethod
    def _options(cls) -> set[str]:
        """Names of the measure's options; all others are torchmetrics'."""

    @abstractmethod
    def _empty(self) -> Any:
        """A stream of the measure that has seen nothing."""

    def _stream(self) -> Any:
        """One that knows how wide the representations are."""
        stream = self._empty()
        zeros = [torch.zeros(4, width, dtype=torch.float64) for width in self._units]
        with quiet():  # about zeros
            stream.update(zeros[:1], zeros[1:])
        return stream

    def update(self, x: torch.Tensor, y: torch.Tensor) -> None:
        """Add samples ``x (n, units_x)`` and ``y (n, units_y)``; rows are the same stimuli."""
        for name, side, width in zip("xy", (x, y), self._units, strict=True):
            if side.ndim != 2 or side.shape[1] != width:
                raise ValueError(
                    f"{type(self).__name__}: {name} must have shape (n, {width}), got "
                    f"{tuple(side.shape)}"
                )
        stream = self._empty()
        stream._next = int(self.samples)  # folds take their samples in turn
        stream.update([x.detach()], [y.detach()])
        for name, total in stream._sums.items():
            state = getattr(self, _attribute(name))
            state += torch.as_tensor(total).to(state)
        self.samples += len(x)

    def compute(self) -> torch.Tensor:
        """The score of all samples, float64."""
        stream = self._stream()
        stream.state = {
            name: getattr(self, _attribute(name)).cpu().numpy() for name in stream.state
        }
        score: torch.Tensor = stream.compute()[0, 0]
        return score.to(self.device)


def _attribute(name: str) -> str:
    return "sum_" + name.replace("/", "_")


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
