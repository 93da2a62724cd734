"""Gradients of measures, and who asks for them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any, NamedTuple

from likewise import _cpu
from likewise._representations import empty_scores, give_scores, read_pair
from likewise.errors import InputTypeError

__all__ = ["Gradients", "is_tracked", "pair_gradients", "require_differentiable", "tracked"]


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


def pair_gradients(
    measure: Any,
    x: Any,
    y: Any,
    wanted: tuple[bool, bool],
    check_finite: bool,
    run: Callable[..., None],
    run_on_device: Callable[..., None],
) -> Gradients:
    """What ``run(pair, scores, by_x, by_y)`` fills, in the library of the inputs.

    ``run_on_device(pair, by_x, by_y)`` does so for arrays on a device, without waiting for it; the
    scores there are those of a call of the measure, which is a part of this one.
    """
    require_differentiable(measure)
    pair = read_pair(measure.name, x, y, check_finite=check_finite, min_samples=measure.min_samples)
    library = pair.library
    sides = [
        library.empty(side.shape, side.dtype) if asked else None
        for side, asked in zip((pair.x, pair.y), wanted, strict=True)
    ]
    if library.engine is _cpu:
        scores = empty_scores(pair)
        run(pair, scores, *sides)
        score = give_scores(pair, scores)
    else:
        run_on_device(pair, *sides)
        with library.parts(last=True) if check_finite else nullcontext():
            score = measure(x, y, check_finite=False)
    by_x, by_y = (None if side is None else library.give(side) for side in sides)
    return Gradients(score, by_x, by_y)
