"""Measures as differentiable torch operators.

``likewise::score`` gives scores and, in the same pass, the gradients that will be asked for: an
operator with a schema and a fake kernel, so that ``torch.compile`` sees its shapes. The function
around it tells autograd and ``torch.func`` what the derivative is and how it batches.
"""

from __future__ import annotations

import dataclasses
from ast import literal_eval
from functools import lru_cache
from typing import Any

import torch
from torch.autograd import Function

from likewise._border.tracking import track
from likewise.errors import InputTypeError
from likewise.linalg import nuclear_norm, polar
from likewise.measure import Measure, measure

__all__ = ["tracked_nuclear_norm", "tracked_scores"]

_DEVICES = ("CPU", "CUDA")

for _schema in (
    "score(Tensor x, Tensor y, str measure, bool check_finite, bool for_x, bool for_y)"
    " -> (Tensor, Tensor, Tensor)",
    "nuclear_norm(Tensor a, bool check_finite) -> (Tensor, Tensor)",
):
    _name, _, _rest = _schema.partition("(")
    torch.library.define(f"likewise::{_name}", f"({_rest}")


@track
def tracked_scores(measure_: Measure, x: Any, y: Any, check_finite: bool) -> torch.Tensor:
    """Scores of tensors, with their gradients."""
    measure_.require_differentiable()
    for name, value in (("x", x), ("y", y)):
        if not isinstance(value, torch.Tensor):
            raise InputTypeError(
                f"{measure_.name}: all arrays must come from one library, got a torch tensor and "
                f"{name} of type {type(value).__name__}; convert one of them first"
            )
    for_x, for_y = map(_may_ask, (x, y))
    scores: torch.Tensor = _Score.apply(x, y, _text(measure_), check_finite, for_x, for_y)[0]
    return scores


def _may_ask(side: torch.Tensor) -> bool:
    """Whether its gradient may be asked for; in a transform tensors do not say by which level."""
    return side.requires_grad or (
        not torch.compiler.is_compiling() and torch._C._functorch.is_functorch_wrapped_tensor(side)
    )


@track
def tracked_nuclear_norm(a: torch.Tensor, check_finite: bool) -> torch.Tensor:
    """Nuclear norms, with their gradients."""
    norms: torch.Tensor = _NuclearNorm.apply(a, check_finite)[0]
    return norms


def _text(measure_: Any) -> str:
    """The measure as an operator's argument: its name and options."""
    return f"{measure_.name} {dataclasses.asdict(measure_)!r}"


@lru_cache(maxsize=256)
def _measure(text: str) -> Any:
    name, _, options = text.partition(" ")
    return measure(name, **literal_eval(options))


@torch.library.impl("likewise::score", _DEVICES)
def _score(x: Any, y: Any, text: str, check_finite: bool, for_x: bool, for_y: bool) -> Any:
    chosen, sides = _measure(text), (x.detach(), y.detach())
    if not (for_x or for_y):
        found = chosen(*sides, check_finite=check_finite), None, None
    else:
        found = chosen.gradients(*sides, wanted=(for_x, for_y), check_finite=check_finite)
    return tuple(x.new_empty(0) if part is None else part for part in found)


@torch.library.impl("likewise::nuclear_norm", _DEVICES)
def _nuclear_norm(a: Any, check_finite: bool) -> Any:
    norms = nuclear_norm(a.detach(), check_finite=check_finite)
    return norms, polar(a.detach(), check_finite=False).u


def _dtype(*tensors: torch.Tensor) -> torch.dtype:
    """That of scores: half precision is widened, integers and mixtures become float64."""
    kinds = {
        torch.float32 if t.dtype in (torch.float16, torch.bfloat16) else t.dtype for t in tensors
    }
    return torch.float32 if kinds == {torch.float32} else torch.float64


@torch.library.register_fake("likewise::score")
def _fake_score(x: Any, y: Any, text: str, check_finite: bool, for_x: bool, for_y: bool) -> Any:
    dtype, batch = _dtype(x, y), torch.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    gradients = [
        x.new_empty((*batch, *side.shape[-2:]), dtype=dtype) if wanted else x.new_empty(0)
        for side, wanted in ((x, for_x), (y, for_y))
    ]
    return x.new_empty(batch, dtype=dtype), *gradients


@torch.library.register_fake("likewise::nuclear_norm")
def _fake_nuclear_norm(a: Any, check_finite: bool) -> Any:
    dtype = _dtype(a)
    return a.new_empty(a.shape[:-2], dtype=dtype), a.new_empty(a.shape, dtype=dtype)


class _Once(Function):
    """A gradient that is itself a function of these inputs, but says nothing of how."""

    @staticmethod
    def forward(gradient: Any, x: Any, y: Any) -> Any:
        return gradient.view_as(gradient)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise RuntimeError("likewise: measures are differentiable once, not twice")

    @staticmethod
    def vmap(info: Any, in_dims: Any, gradient: Any, x: Any, y: Any) -> Any:
        return _Once.apply(gradient, x, y), in_dims[0]


class _Score(Function):
    @staticmethod
    def forward(x: Any, y: Any, text: str, check_finite: bool, for_x: bool, for_y: bool) -> Any:
        return torch.ops.likewise.score(x, y, text, check_finite, for_x, for_y)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(*inputs[:2], *output[1:])

    @staticmethod
    def backward(ctx: Any, grad: Any, *_: Any) -> Any:
        x, y, *gradients = ctx.saved_tensors
        by_x, by_y = (
            # Broadcasting repeated an input: its gradients add up.
            (grad[..., None, None] * _Once.apply(gradient, x, y))
            .sum_to_size(side.shape)
            .to(side.dtype)
            if asked
            else None
            for side, gradient, asked in zip((x, y), gradients, ctx.needs_input_grad, strict=False)
        )
        return by_x, by_y, None, None, None, None

    @staticmethod
    def vmap(info: Any, in_dims: Any, x: Any, y: Any, *options: Any) -> Any:
        found = _Score.apply(*_batched(info, in_dims, x, y), *options)
        return found, (0, *(0 if wanted else None for wanted in options[2:]))


class _NuclearNorm(Function):
    @staticmethod
    def forward(a: Any, check_finite: bool) -> Any:
        return torch.ops.likewise.nuclear_norm(a, check_finite)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(inputs[0], output[1])

    @staticmethod
    def backward(ctx: Any, grad: Any, _: Any) -> Any:
        a, factor = ctx.saved_tensors
        return (grad[..., None, None] * _Once.apply(factor, a, a)).to(a.dtype), None

    @staticmethod
    def vmap(info: Any, in_dims: Any, a: Any, check_finite: bool) -> Any:
        return _NuclearNorm.apply(a.movedim(in_dims[0], 0), check_finite), (0, 0)


def _batched(info: Any, in_dims: Any, *sides: Any) -> list[Any]:
    """The mapped axis in front of all batch axes of both sides, which are made equally many."""
    moved = [
        side[None] if dim is None else side.movedim(dim, 0)
        for side, dim in zip(sides, in_dims, strict=False)
    ]
    axes = max(side.ndim for side in moved)
    out = []
    for side in moved:
        for _ in range(axes - side.ndim):
            side = side.unsqueeze(1)
        out.append(side)
    # One side at least was mapped; the other is repeated, for results that have the axis.
    return [side.expand(info.batch_size, *side.shape[1:]) for side in out]
