"""Optimal transport with uniform masses: soft matching of units of two widths; two threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array, transport_costs
from .reference import transport_error
from .timing import Contestant

Shape = tuple[int, int]

SHAPES: list[Shape] = [(64, 96), (256, 384), (512, 768), (1000, 1500), (512, 1024), (100, 101)]
COUNT = 4


@pytest.mark.sizes("shape", full=SHAPES, quick=[(12, 18)])
@pytest.mark.parametrize("kind", ["matched", "unrelated"])
def test_plan(race: Callable[..., None], shape: Shape, kind: str) -> None:
    costs = transport_costs(kind, COUNT, *shape, np.float64)
    narrow = costs.astype(np.float32)
    few = costs[: COUNT if shape[0] < 512 else 1]
    race(
        f"optimal transport, uniform masses, {kind}, float64: {COUNT} problems, "
        f"{shape[0]} x {shape[1]}",
        [
            ours(costs),
            ours(narrow, name="likewise, float32", tolerance=1e-6),
            pot(few, goal=6.0 if shape[1] % shape[0] == 0 else 4.0),
        ],
        unit="problem",
        error=transport_error(costs),
        tolerance=1e-12,
    )


@pytest.mark.sizes("shape", full=[(256, 384), (512, 768)], quick=[(12, 18)])
def test_two_threads(race: Callable[..., None], shape: Shape) -> None:
    costs = transport_costs("unrelated", 20, *shape, np.float64)
    race(
        f"optimal transport, two threads against one: 20 problems, {shape[0]} x {shape[1]}",
        [
            ours(costs, name="likewise, 2 threads", threads=2),
            ours(costs, name="likewise, 1 thread", goal=1.8),
        ],
        unit="problem",
        error=transport_error(costs),
        tolerance=1e-12,
        clock="wall",
    )


def ours(
    costs: Array,
    name: str = "likewise",
    threads: int = 1,
    goal: float | None = None,
    tolerance: float | None = None,
) -> Contestant:
    return Contestant(
        name=name,
        module="likewise",
        build=lambda lw: partial(lw.optimal_transport, costs),
        units=len(costs),
        threads=threads,
        goal=goal,
        tolerance=tolerance,
    )


def pot(costs: Array, goal: float) -> Contestant:
    def build(ot: Any) -> Callable[[], list[Array]]:
        dx, dy = costs.shape[1:]
        a, b = np.full(dx, 1 / dx), np.full(dy, 1 / dy)

        def run() -> list[Array]:
            return [ot.emd(a, b, cost, numItermax=10_000_000) for cost in costs]

        return run

    return Contestant(
        name="POT emd",
        module="ot",
        build=build,
        units=len(costs),
        goal=goal,
        how=f"loop over problems; {len(costs)} of {COUNT} problems, scaled",
    )
