"""Gradients: a score and its gradient by one side, as a step of training takes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array, representations
from .timing import Contestant, Race

pytestmark = pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")

CKA = [(256, 512), (256, 4096)]


@pytest.mark.sizes("n, d", full=CKA, quick=[(40, 12)])
def test_cka(race: Race, n: int, d: int) -> None:
    run(race, "CKA, linear", "cka", {}, cka_by_torch, n, d, np.float32, goal=1.0)


@pytest.mark.sizes("n, d", full=CKA[:1], quick=[(40, 12)])
def test_cka_unbiased(race: Race, n: int, d: int) -> None:
    options = {"estimator": "unbiased"}
    run(race, "CKA, linear, unbiased", "cka", options, unbiased_cka_by_torch, n, d, np.float32)


@pytest.mark.sizes("n, d", full=[(1000, 64), (1000, 256), (256, 1024)], quick=[(40, 12)])
def test_procrustes(race: Race, n: int, d: int) -> None:
    options = {"score": "similarity"}
    title = "Procrustes similarity"
    run(race, title, "procrustes", options, procrustes_by_torch, n, d, np.float64, goal=1.0)


def run(
    race: Race,
    title: str,
    function: str,
    options: dict[str, Any],
    by_torch: Callable[[Any, Any, Any], Any],
    n: int,
    d: int,
    dtype: type,
    goal: float | None = None,
) -> None:
    import torch

    x, y = representations("unrelated", 2, n, d, np.float64)
    y = 0.5 * x[:, ::-1] + y
    theirs = partial(by_torch, torch)
    exact = step(theirs, x, y, np.float64)()
    race(
        f"{title}, score and gradient by one side, {np.dtype(dtype)}: n = {n}, d = {d}",
        [
            Contestant(
                build=lambda lw: step(partial(getattr(lw, function), **options), x, y, dtype)
            ),
            Contestant(
                name="torch autograd (own rewrite)",
                module="torch",
                build=lambda _: step(theirs, x, y, dtype),
                goal=goal,
            ),
        ],
        unit="step",
        error=lambda found: float(np.abs(found - exact).max() / np.abs(exact).max()),
        tolerance=1e-4 if dtype is np.float32 else 1e-9,
    )


def step(score: Callable[[Any, Any], Any], x: Array, y: Array, dtype: type) -> Callable[[], Array]:
    import torch

    a, b = (torch.from_numpy(np.ascontiguousarray(side, dtype)) for side in (x, y))
    a.requires_grad_()

    def backward() -> Array:
        (found,) = torch.autograd.grad(score(a, b), a)
        return np.asarray(found.numpy())

    return backward


def cka_by_torch(torch: Any, x: Any, y: Any) -> Any:
    x, y = x - x.mean(0), y - y.mean(0)
    k, m = x @ x.T, y @ y.T
    return (k * m).sum() / (k.norm() * m.norm())


def unbiased_cka_by_torch(torch: Any, x: Any, y: Any) -> Any:
    k, m = (side @ side.T for side in (x - x.mean(0), y - y.mean(0)))
    n = len(x)
    k, m = (side - torch.diag(torch.diag(side)) for side in (k, m))

    def hsic(a: Any, b: Any) -> Any:
        sums = a.sum() * b.sum() / ((n - 1) * (n - 2))
        return (a * b).sum() + sums - 2 / (n - 2) * (a.sum(0) * b.sum(0)).sum()

    return hsic(k, m) / (hsic(k, k) * hsic(m, m)).sqrt()


def procrustes_by_torch(torch: Any, x: Any, y: Any) -> Any:
    x, y = x - x.mean(0), y - y.mean(0)
    return torch.linalg.svdvals(x.T @ y).sum() / (x.norm() * y.norm())
