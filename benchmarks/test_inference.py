"""Permutation tests: a score and its null distribution over shuffled stimuli."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array, representations
from .timing import Contestant

pytestmark = pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")

PEER_DRAWS = 20


@pytest.mark.sizes("workload", full=[(500, d) for d in (64, 128, 256, 512)], quick=[(40, 8)])
@pytest.mark.parametrize("measure", ["cka", "procrustes"])
def test_shuffles(race: Callable[..., None], measure: str, workload: tuple[int, int]) -> None:
    n, d = workload
    x, y = representations("unrelated", 2, n, d, np.float64)
    race(
        f"permutation test, 1000 draws, {measure}, float64: n = {n}, d = {d}",
        [ours(measure, x, y), numpy_loop(measure, x, y)],
        unit="draw",
        error=null_error(measure, x, y),
        tolerance=1e-9,
    )


def orders(n: int, draws: int) -> list[Array]:
    """Those of ``random_state=0``."""
    rng = np.random.default_rng(0)
    return [rng.permutation(n) for _ in range(draws)]


def score(measure: str, x: Array, y: Array) -> float:
    """As it is usually written: everything anew for each draw."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    if measure == "cka":
        return float(
            np.linalg.norm(x.T @ y) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))
        )
    x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
    return float(np.arccos(np.linalg.norm(x.T @ y, "nuc")))


def null_error(measure: str, x: Array, y: Array) -> Callable[[Array], float]:
    exact = np.array([score(measure, x, y[order]) for order in orders(len(x), 3)])

    def error(null: Array) -> float:
        return float(np.abs(np.asarray(null)[:3] - exact).max())

    return error


def ours(measure: str, x: Array, y: Array) -> Contestant:
    return Contestant(
        name="likewise, permutation_test",
        module="likewise",
        build=lambda lw: partial(lw.permutation_test, x, y, measure, n=1000),
        answer=lambda found: found.null,
        units=1000,
    )


def numpy_loop(measure: str, x: Array, y: Array) -> Contestant:
    def build(numpy: Any) -> Callable[[], list[float]]:
        def run() -> list[float]:
            return [score(measure, x, y[order]) for order in orders(len(x), PEER_DRAWS)]

        return run

    return Contestant(
        name="NumPy loop",
        module="numpy",
        build=build,
        units=PEER_DRAWS,
        goal=20.0,
        how=f"{PEER_DRAWS} of 1000 draws, scaled",
    )
