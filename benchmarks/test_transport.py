"""Optimal transport with uniform masses: soft matching of units of two widths; two threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array, transport_costs
from .reference import some_of, transport_error
from .timing import Contestant, Race, peer, two_threads

SHAPES = [(64, 96), (256, 384), (512, 768), (1000, 1500), (512, 1024), (100, 101)]
COUNT = 4


@pytest.mark.sizes("shape", full=SHAPES, quick=[(12, 18)])
@pytest.mark.parametrize("kind", ["matched", "unrelated"])
def test_plan(race: Race, shape: tuple[int, int], kind: str) -> None:
    costs = transport_costs(kind, COUNT, *shape, np.float64)
    few, how = some_of(costs, 1 if shape[0] < 512 else COUNT, "problems")
    goal = 6.0 if shape[1] % shape[0] == 0 else 4.0
    race(
        f"optimal transport, uniform masses, {kind}, float64: {COUNT} problems, "
        f"{shape[0]} x {shape[1]}",
        [
            ours(costs),
            ours(costs.astype(np.float32), name="likewise, float32", tolerance=1e-6),
            pot(few, units=len(few), goal=goal, how=f"loop over problems; {how}"),
        ],
        unit="problem",
        error=transport_error(costs),
        tolerance=1e-12,
    )


@pytest.mark.sizes("shape", full=[(256, 384), (512, 768)], quick=[(12, 18)])
def test_two_threads(race: Race, shape: tuple[int, int]) -> None:
    costs = transport_costs("unrelated", 20, *shape, np.float64)
    two_threads(
        race,
        f"optimal transport, two threads against one: 20 problems, {shape[0]} x {shape[1]}",
        partial(ours, costs),
        unit="problem",
        error=transport_error(costs),
        tolerance=1e-12,
    )


def ours(costs: Array, **fields: Any) -> Contestant:
    return Contestant(
        build=lambda lw: partial(lw.optimal_transport, costs), units=len(costs), **fields
    )


@peer("ot", "POT emd")
def pot(ot: Any, costs: Array) -> Callable[[], list[Array]]:
    a, b = (np.full(size, 1 / size) for size in costs.shape[1:])
    return lambda: [ot.emd(a, b, cost, numItermax=10_000_000) for cost in costs]
