"""What a call costs before any work: import time in fresh processes, and tiny problems."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from .tables import EXCESS
from .timing import Contestant

pytestmark = pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")

N, D = 50, 16


def no_error(_: Any) -> float:
    """The answer of an import is that it did not fail."""
    return 0.0


@pytest.mark.sizes(
    "rivals", full=[("scipy.linalg", "netrep.metrics", "torch")], quick=[("scipy.linalg",)]
)
def test_import(race: Callable[..., None], rivals: tuple[str, ...]) -> None:
    """By the clock on the wall: NumPy's idle BLAS threads spin, and take more processor time the
    longer a process lives."""

    def fresh(module: str, goal: float | None = None) -> Contestant:
        code = f"import {module}"
        process = partial(subprocess.run, [sys.executable, "-c", code], check=True)
        return Contestant(
            name=module, module=module, build=lambda _: process, units=1, goal=goal, how=code
        )

    race(
        "import in a fresh process",
        [fresh("likewise"), fresh("numpy", goal=0.020), *map(fresh, rivals)],
        unit="process",
        error=no_error,
        tolerance=0.0,
        comparison=EXCESS,
        clock="wall",
    )


def test_tiny_procrustes(race: Callable[..., None]) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, N, D))
    x0, y0 = (item - item.mean(axis=0) for item in (x, y))
    x0, y0 = (item / np.linalg.norm(item) for item in (x0, y0))
    expected = np.linalg.norm(x0.T @ y0, "nuc")

    def torch_whole(torch: Any) -> Callable[[], float]:
        raw = [torch.from_numpy(item) for item in (x, y)]

        def run() -> float:
            a, b = (item - item.mean(dim=0) for item in raw)
            scale = torch.linalg.matrix_norm(a) * torch.linalg.matrix_norm(b)
            return (torch.linalg.svdvals(a.T @ b).sum() / scale).item()

        return run

    def torch_svdvals(torch: Any) -> Callable[[], float]:
        a, b = torch.from_numpy(x0), torch.from_numpy(y0)
        return lambda: torch.linalg.svdvals(a.T @ b).sum().item()

    def numpy_whole(numpy: Any) -> Callable[[], float]:
        def run() -> float:
            a, b = (item - item.mean(axis=0) for item in (x, y))
            scale = numpy.linalg.norm(a) * numpy.linalg.norm(b)
            return numpy.linalg.svdvals(a.T @ b).sum() / scale

        return run

    def numpy_svdvals(numpy: Any) -> Callable[[], float]:
        return lambda: numpy.linalg.svdvals(x0.T @ y0).sum()

    def peer(name: str, module: str, build: Any, **options: Any) -> Contestant:
        return Contestant(name=name, module=module, build=build, units=1, **options)

    centred = "given centred unit-norm items"
    whole = "centring and scaling too"
    race(
        f"one tiny Procrustes similarity, float64: n = {N}, d = {D}",
        [
            peer(
                "likewise procrustes",
                "likewise",
                lambda lw: partial(lw.procrustes, x, y, score="similarity"),
                how=whole,
            ),
            peer("torch svdvals", "torch", torch_svdvals, goal=3.0, how=centred),
            peer("numpy svdvals", "numpy", numpy_svdvals, goal=3.0, how=centred),
            peer("torch svdvals", "torch", torch_whole, goal=3.0, how=whole),
            peer("numpy svdvals", "numpy", numpy_whole, goal=3.0, how=whole),
            peer(
                "scipy orthogonal_procrustes",
                "scipy.linalg",
                lambda linalg: partial(linalg.orthogonal_procrustes, x0, y0),
                answer=lambda found: found[1],
                how=centred,
            ),
            peer(
                "netrep LinearMetric",
                "netrep.metrics",
                lambda metrics: partial(metrics.LinearMetric(alpha=1.0).fit_score, x, y),
                answer=np.cos,
                how=whole,
            ),
        ],
        unit="call",
        error=lambda found: abs(float(found) - expected),
        tolerance=1e-9,
    )


def test_tiny_assignment(race: Callable[..., None]) -> None:
    cost = np.random.default_rng(0).standard_normal((D, D))
    rows = np.arange(D)

    def build_scipy(optimize: Any) -> Callable[[], Any]:
        return partial(optimize.linear_sum_assignment, cost)

    from scipy.optimize import linear_sum_assignment

    expected = cost[linear_sum_assignment(cost)].sum()

    def peer(name: str, module: str, build: Any, position: int, **options: Any) -> Contestant:
        def answer(found: Any) -> Any:
            return found[position]

        return Contestant(name=name, module=module, build=build, units=1, answer=answer, **options)

    race(
        f"one tiny assignment, float64: d = {D}",
        [
            peer(
                "likewise linear_sum_assignment",
                "likewise",
                lambda lw: partial(lw.linear_sum_assignment, cost),
                1,
            ),
            peer("scipy linear_sum_assignment", "scipy.optimize", build_scipy, 1, goal=1.0),
            peer("lapcpp", "lapcpp", lambda lapcpp: partial(lapcpp.lapjv, cost), 2),
            peer("lapx lapjvx", "lap", lambda lap: partial(lap.lapjvx, cost), 2),
        ],
        unit="call",
        error=lambda columns: abs(float(cost[rows, columns].sum()) - expected),
        tolerance=1e-12,
    )


def test_tiny_cka(race: Callable[..., None]) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, N, D))

    def by_definition(numpy: Any) -> Callable[[], float]:
        def run() -> float:
            a, b = (item - item.mean(axis=0) for item in (x, y))
            norm = numpy.linalg.norm
            return norm(a.T @ b) ** 2 / (norm(a.T @ a) * norm(b.T @ b))

        return run

    def build_ckatorch(ckatorch: Any) -> Callable[[], Any]:
        import torch

        return partial(ckatorch.cka_base, torch.from_numpy(x), torch.from_numpy(y))

    expected = by_definition(np)()
    race(
        f"one tiny CKA, linear, biased, float64: n = {N}, d = {D}",
        [
            Contestant(
                name="likewise cka",
                module="likewise",
                build=lambda lw: partial(lw.cka, x, y),
                units=1,
            ),
            Contestant(name="own rewrite in NumPy", module="numpy", build=by_definition, units=1),
            Contestant(name="ckatorch cka_base", module="ckatorch", build=build_ckatorch, units=1),
        ],
        unit="call",
        error=lambda found: abs(float(found) - expected),
        tolerance=1e-12,
    )
