"""Measures as differentiable torch operators.

``likewise::score`` and ``likewise::gradients`` are operators with a schema and a fake kernel, so
that ``torch.compile`` sees their shapes; the functions around them tell autograd and ``torch.func``
what their derivatives are and how they batch.
"""

from __future__ import annotations

import dataclasses
from ast import literal_eval
from functools import lru_cache
from typing import Any

import torch
from torch.autograd import Function

from likewise._gradients import require_differentiable
from likewise.errors import InputTypeError
from likewise.linalg import nuclear_norm, polar
from likewise.measure import Measure, measure

__all__ = ["tracked_nuclear_norm", "tracked_scores"]

_DEVICES = ("CPU", "CUDA")

for _schema in (
    "score(Tensor x, Tensor y, str measure, bool check_finite) -> Tensor",
    "gradients(Tensor x, Tensor y, str measure, bool for_x, bool for_y) -> (Tensor, Tensor)",
    "nuclear_norm(Tensor a, bool check_finite) -> Tensor",
    "polar_factor(Tensor a) -> Tensor",
):
    _name, _, _rest = _schema.partition("(")
    torch.library.define(f"likewise::{_name}", f"({_rest}")


def tracked_scores(measure_: Measure, x: Any, y: Any, check_finite: bool) -> torch.Tensor:
    """Scores of tensors, with their gradients."""
    require_differentiable(measure_)
    for name, value in (("x", x), ("y", y)):
        if not isinstance(value, torch.Tensor):
            raise InputTypeError(
                f"{measure_.name}: all arrays must come from one library, got a torch tensor and "
                f"{name} of type {type(value).__name__}; convert one of them first"
            )
    scores: torch.Tensor = _Score.apply(x, y, _text(measure_), check_finite)
    return scores


def tracked_nuclear_norm(a: torch.Tensor, check_finite: bool) -> torch.Tensor:
    """Nuclear norms, with their gradients."""
    norms: torch.Tensor = _NuclearNorm.apply(a, check_finite)
    return norms


def _text(measure_: Any) -> str:
    """The measure as an operator's argument: its name and options."""
    return f"{measure_.name} {dataclasses.asdict(measure_)!r}"


@lru_cache(maxsize=256)
def _measure(text: str) -> Any:
    name, _, options = text.partition(" ")
    return measure(name, **literal_eval(options))


@torch.library.impl("likewise::score", _DEVICES)
def _score(x: Any, y: Any, text: str, check_finite: bool) -> Any:
    return _measure(text)(x.detach(), y.detach(), check_finite=check_finite)


@torch.library.impl("likewise::gradients", _DEVICES)
def _gradients(x: Any, y: Any, text: str, for_x: bool, for_y: bool) -> Any:
    # What the score has looked at already is not looked at again.
    found = _measure(text).gradients(
        x.detach(), y.detach(), wanted=(for_x, for_y), check_finite=False
    )
    return tuple(x.new_empty(0) if gradient is None else gradient for gradient in found)


@torch.library.impl("likewise::nuclear_norm", _DEVICES)
def _nuclear_norm(a: Any, check_finite: bool) -> Any:
    return nuclear_norm(a.detach(), check_finite=check_finite)


@torch.library.impl("likewise::polar_factor", _DEVICES)
def _polar_factor(a: Any) -> Any:
    return polar(a.detach(), check_finite=False).u


def _dtype(*tensors: torch.Tensor) -> torch.dtype:
    """That of scores: half precision is widened, integers and mixtures become float64."""
    kinds = {
        torch.float32 if t.dtype in (torch.float16, torch.bfloat16) else t.dtype for t in tensors
    }
    return torch.float32 if kinds == {torch.float32} else torch.float64


def _batch(x: torch.Tensor, y: torch.Tensor) -> torch.Size:
    return torch.broadcast_shapes(x.shape[:-2], y.shape[:-2])


@torch.library.register_fake("likewise::score")
def _fake_score(x: Any, y: Any, text: str, check_finite: bool) -> Any:
    return x.new_empty(_batch(x, y), dtype=_dtype(x, y))


@torch.library.register_fake("likewise::gradients")
def _fake_gradients(x: Any, y: Any, text: str, for_x: bool, for_y: bool) -> Any:
    dtype, batch = _dtype(x, y), _batch(x, y)
    return tuple(
        x.new_empty((*batch, *side.shape[-2:]), dtype=dtype) if wanted else x.new_empty(0)
        for side, wanted in ((x, for_x), (y, for_y))
    )


@torch.library.register_fake("likewise::nuclear_norm")
def _fake_nuclear_norm(a: Any, check_finite: bool) -> Any:
    return a.new_empty(a.shape[:-2], dtype=_dtype(a))


@torch.library.register_fake("likewise::polar_factor")
def _fake_polar_factor(a: Any) -> Any:
    return a.new_empty(a.shape, dtype=_dtype(a))


class _Once(Function):
    """What is differentiable no further."""

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise RuntimeError("likewise: measures are differentiable once, not twice")


class _Gradients(_Once):
    @staticmethod
    def forward(x: Any, y: Any, text: str, for_x: bool, for_y: bool) -> Any:
        return torch.ops.likewise.gradients(x, y, text, for_x, for_y)

    @staticmethod
    def vmap(info: Any, in_dims: Any, x: Any, y: Any, *options: Any) -> Any:
        out = _Gradients.apply(*_batched(info, in_dims, x, y), *options)
        return out, tuple(0 if wanted else None for wanted in options[1:])


class _PolarFactor(_Once):
    @staticmethod
    def forward(a: Any) -> Any:
        return torch.ops.likewise.polar_factor(a)

    @staticmethod
    def vmap(info: Any, in_dims: Any, a: Any) -> Any:
        return _PolarFactor.apply(a.movedim(in_dims[0], 0)), 0


class _Score(Function):
    @staticmethod
    def forward(x: Any, y: Any, text: str, check_finite: bool) -> Any:
        return torch.ops.likewise.score(x, y, text, check_finite)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, y, ctx.text, _ = inputs
        ctx.save_for_backward(x, y)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        sides, wanted = ctx.saved_tensors, ctx.needs_input_grad[:2]
        gradients = _Gradients.apply(*sides, ctx.text, *wanted)
        by_x, by_y = (
            # Broadcasting repeated an input: its gradients add up.
            (grad[..., None, None] * gradient).sum_to_size(side.shape).to(side.dtype)
            if asked
            else None
            for side, gradient, asked in zip(sides, gradients, wanted, strict=True)
        )
        return by_x, by_y, None, None

    @staticmethod
    def vmap(info: Any, in_dims: Any, x: Any, y: Any, *options: Any) -> Any:
        return _Score.apply(*_batched(info, in_dims, x, y), *options), 0


class _NuclearNorm(Function):
    @staticmethod
    def forward(a: Any, check_finite: bool) -> Any:
        return torch.ops.likewise.nuclear_norm(a, check_finite)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (a,) = ctx.saved_tensors
        return (grad[..., None, None] * _PolarFactor.apply(a)).to(a.dtype), None

    @staticmethod
    def vmap(info: Any, in_dims: Any, a: Any, check_finite: bool) -> Any:
        return _NuclearNorm.apply(a.movedim(in_dims[0], 0), check_finite), 0


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
