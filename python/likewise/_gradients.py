"""Gradients of measures, and who asks for them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from likewise import _cpu
from likewise._representations import Pair, read_pair
from likewise.errors import InputTypeError

__all__ = ["is_tracked", "pair_gradients", "require_differentiable", "tracked"]


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


def pair_gradients(
    measure: Any,
    x: Any,
    y: Any,
    wanted: tuple[bool, bool],
    check_finite: bool,
    run: Callable[..., None],
    run_on_device: Callable[..., None],
) -> tuple[Any, Any]:
    """What ``run(pair, grad_x, grad_y)`` fills, in the library of the inputs; None: not wanted.

    ``run_on_device`` does so for arrays on a device, without waiting for it.
    """
    require_differentiable(measure)
    pair: Pair = read_pair(
        measure.name, x, y, check_finite=check_finite, min_samples=measure.min_samples
    )
    gradients = [
        pair.library.empty(side.shape, side.dtype) if asked else None
        for side, asked in zip((pair.x, pair.y), wanted, strict=True)
    ]
    if pair.library.engine is _cpu:
        run(pair, *gradients)
    else:
        run_on_device(pair, *gradients)
        pair.library.finish()
    given_x, given_y = (None if g is None else pair.library.give(g) for g in gradients)
    return given_x, given_y
