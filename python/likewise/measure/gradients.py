"""Gradients of measures, and who asks for them."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any, NamedTuple

from likewise import _cpu
from likewise._border.arrays import Array
from likewise._border.pairs import Pair, empty_scores, give_scores, read_pair
from likewise.errors import InputTypeError

__all__ = ["Differentiable", "Gradients", "is_tracked", "require_differentiable", "tracked"]


def is_tracked(*arrays: Any) -> bool:
    """Whether torch follows what is done to these: for gradients, in ``torch.func`` transforms, or
    to compile it."""
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor
    return any(
        isinstance(array, torch.Tensor)
        and (array.requires_grad or torch.compiler.is_compiling() or wrapped(array))
        for array in arrays
    )


def require_differentiable(measure: Any) -> None:
    """Raise ``InputTypeError`` for a measure without gradients."""
    if not getattr(measure, "differentiable", False):
        raise InputTypeError(
            f"{measure.name}: x or y requires grad and {measure} is not differentiable; call "
            ".detach() first"
        )


def tracked(call: Callable[..., Any]) -> Callable[..., Any]:
    """``__call__`` of a measure with gradients: tensors that torch tracks take its way."""

    @wraps(call)
    def scores(self: Any, x: Any, y: Any, *, check_finite: bool = True) -> Any:
        if is_tracked(x, y):
            from likewise.torch.autograd import tracked_scores

            return tracked_scores(self, x, y, check_finite)
        return call(self, x, y, check_finite=check_finite)

    return scores


class Gradients(NamedTuple):
    """Scores ``(...)`` and their gradients by ``x (..., n, dx)`` and ``y (..., n, dy)``, of the
    broadcast batch axes."""

    score: Any
    x: Any
    """None where it was not asked for."""
    y: Any


class Differentiable(ABC):
    """A measure with gradients, on CPUs and on devices. Its ``__call__`` is :func:`tracked`."""

    def gradients(
        self,
        x: Any,
        y: Any,
        *,
        wanted: tuple[bool, bool] = (True, True),
        check_finite: bool = True,
    ) -> Gradients:
        """Scores of batches with their gradients by x and by y, or by those that are wanted. NaN
        where the score is; elsewhere as the measure's function says."""
        measure: Any = self
        require_differentiable(measure)
        pair = read_pair(
            measure.name, x, y, check_finite=check_finite, min_samples=measure.min_samples
        )
        library = pair.library
        sides = [
            library.empty(side.shape, side.dtype) if asked else None
            for side, asked in zip((pair.x, pair.y), wanted, strict=True)
        ]
        if library.engine is _cpu:
            scores = empty_scores(pair)
            self._fill_gradients(pair, scores, *sides)
            score = give_scores(pair, scores)
        else:
            self._fill_gradients_on_device(pair, *sides)
            # A call of the measure, as a part of this one.
            with library.parts(last=True) if check_finite else nullcontext():
                score = measure(x, y, check_finite=False)
        by_x, by_y = (None if side is None else library.give(side) for side in sides)
        return Gradients(score, by_x, by_y)

    @abstractmethod
    def _fill_gradients(
        self, pair: Pair, scores: Array, by_x: Array | None, by_y: Array | None
    ) -> None:
        """Fill what there is, and warn as the measure does."""

    @abstractmethod
    def _fill_gradients_on_device(self, pair: Pair, by_x: Any, by_y: Any) -> None:
        """Fill what there is, without waiting for the device."""
