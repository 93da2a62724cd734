"""What a call costs before any work: import time in fresh processes, and tiny problems."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array
from .reference import centred_unit_norm
from .tables import EXCESS
from .timing import Contestant, Race, peer

pytestmark = pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")

N, D = 50, 16


@pytest.mark.sizes(
    "rivals", full=[("scipy.linalg", "netrep.metrics", "torch")], quick=[("scipy.linalg",)]
)
def test_import(race: Race, rivals: tuple[str, ...]) -> None:
    """By the clock on the wall: NumPy's idle BLAS threads spin, and take more processor time the
    longer a process lives."""

    def fresh(module: str, code: str = "", goal: float | None = None) -> Contestant:
        code = code or f"import {module}"
        process = partial(subprocess.run, [sys.executable, "-c", code], check=True)
        return Contestant(name=code, module=module, build=lambda _: process, goal=goal, how=code)

    race(
        "import in a fresh process",
        [
            fresh("likewise", "import numpy, likewise"),
            fresh("numpy", goal=0.015),
            # What is imported when it is first used.
            fresh("likewise", "import numpy, likewise; likewise.cka"),
            *map(fresh, rivals),
        ],
        unit="process",
        error=lambda _: 0.0,  # it did not fail
        tolerance=0.0,
        comparison=EXCESS,
        clock="wall",
    )


def tiny(race: Race, what: str, contestants: list[Contestant], **options: Any) -> None:
    race(f"one tiny {what}", contestants, unit="call", **options)


def pair() -> Array:
    return np.random.default_rng(0).standard_normal((2, N, D))


def test_tiny_procrustes(race: Race) -> None:
    x, y = pair()
    x0, y0 = centred_unit_norm([x, y])
    expected = np.linalg.norm(x0.T @ y0, "nuc")
    centred = {"how": "given centred unit-norm items"}
    whole = {"how": "centring and scaling too"}

    @peer("torch", "torch svdvals", goal=3.0, **whole)
    def torch_whole(torch: Any) -> Callable[[], float]:
        raw = [torch.from_numpy(item) for item in (x, y)]

        def run() -> float:
            a, b = (item - item.mean(dim=0) for item in raw)
            scale = torch.linalg.matrix_norm(a) * torch.linalg.matrix_norm(b)
            return (torch.linalg.svdvals(a.T @ b).sum() / scale).item()

        return run

    @peer("torch", "torch svdvals", goal=3.0, **centred)
    def torch_svdvals(torch: Any) -> Callable[[], float]:
        a, b = torch.from_numpy(x0), torch.from_numpy(y0)
        return lambda: torch.linalg.svdvals(a.T @ b).sum().item()

    @peer("numpy", "numpy svdvals", goal=3.0, **whole)
    def numpy_whole(numpy: Any) -> Callable[[], float]:
        def run() -> float:
            a, b = (item - item.mean(axis=0) for item in (x, y))
            scale = numpy.linalg.norm(a) * numpy.linalg.norm(b)
            return numpy.linalg.svdvals(a.T @ b).sum() / scale

        return run

    @peer("numpy", "numpy svdvals", goal=3.0, **centred)
    def numpy_svdvals(numpy: Any) -> Callable[[], float]:
        return lambda: numpy.linalg.svdvals(x0.T @ y0).sum()

    @peer("scipy.linalg", "scipy orthogonal_procrustes", answer=lambda found: found[1], **centred)
    def scipy(linalg: Any) -> Callable[[], Any]:
        return partial(linalg.orthogonal_procrustes, x0, y0)

    @peer("netrep.metrics", "netrep LinearMetric", answer=np.cos, **whole)
    def netrep(metrics: Any) -> Callable[[], Any]:
        return partial(metrics.LinearMetric(alpha=1.0).fit_score, x, y)

    ours = Contestant(
        name="likewise procrustes",
        build=lambda lw: partial(lw.procrustes, x, y, score="similarity"),
        **whole,
    )
    peers = (torch_svdvals, numpy_svdvals, torch_whole, numpy_whole, scipy, netrep)
    tiny(
        race,
        f"Procrustes similarity, float64: n = {N}, d = {D}",
        [ours, *(enter() for enter in peers)],
        error=lambda found: abs(float(found) - expected),
        tolerance=1e-9,
    )


def test_tiny_assignment(race: Race) -> None:
    from scipy.optimize import linear_sum_assignment

    cost = np.random.default_rng(0).standard_normal((D, D))
    expected = cost[linear_sum_assignment(cost)].sum()

    def solver(name: str, module: str, position: int, **fields: Any) -> Contestant:
        *_, function = name.split()
        return Contestant(
            name=name,
            module=module,
            build=lambda imported: partial(getattr(imported, function), cost),
            answer=lambda found: found[position],
            **fields,
        )

    tiny(
        race,
        f"assignment, float64: d = {D}",
        [
            solver("likewise linear_sum_assignment", "likewise", 1),
            solver("scipy linear_sum_assignment", "scipy.optimize", 1, goal=1.0),
            solver("lapcpp lapjv", "lapcpp", 2),
            solver("lapx lapjvx", "lap", 2),
        ],
        error=lambda columns: abs(float(cost[np.arange(D), columns].sum()) - expected),
        tolerance=1e-12,
    )


def test_tiny_cka(race: Race) -> None:
    x, y = pair()

    def by_definition() -> float:
        a, b = (item - item.mean(axis=0) for item in (x, y))
        norm = np.linalg.norm
        return norm(a.T @ b) ** 2 / (norm(a.T @ a) * norm(b.T @ b))

    @peer("ckatorch", "ckatorch cka_base")
    def ckatorch(ckatorch: Any) -> Callable[[], Any]:
        import torch

        return partial(ckatorch.cka_base, torch.from_numpy(x), torch.from_numpy(y))

    expected = by_definition()
    tiny(
        race,
        f"CKA, linear, biased, float64: n = {N}, d = {D}",
        [
            Contestant(name="likewise cka", build=lambda lw: partial(lw.cka, x, y)),
            Contestant(name="own rewrite in NumPy", module="numpy", build=lambda _: by_definition),
            ckatorch(),
        ],
        error=lambda found: abs(float(found) - expected),
        tolerance=1e-12,
    )
