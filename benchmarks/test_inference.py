"""Permutation tests: a score and its null distribution over shuffled stimuli."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array, representations
from .reference import first_scores
from .timing import Contestant, Race, peer

pytestmark = pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")

PEER_DRAWS = 20


@pytest.mark.sizes("workload", full=[(500, d) for d in (64, 128, 256, 512)], quick=[(40, 8)])
@pytest.mark.parametrize("measure", ["cka", "procrustes"])
def test_shuffles(race: Race, measure: str, workload: tuple[int, int]) -> None:
    n, d = workload
    x, y = representations("unrelated", 2, n, d, np.float64)
    race(
        f"permutation test, 1000 draws, {measure}, float64: n = {n}, d = {d}",
        [
            Contestant(
                name="likewise, permutation_test",
                build=lambda lw: partial(lw.permutation_test, x, y, measure, n=1000),
                answer=lambda found: found.null,
                units=1000,
            ),
            numpy_loop(measure, x, y),
        ],
        unit="draw",
        error=first_scores(null(measure, x, y, 3)),
        tolerance=1e-9,
    )


def null(measure: str, x: Array, y: Array, draws: int) -> list[float]:
    """Of the orders of ``random_state=0``, as it is usually written: everything anew each time."""
    rng = np.random.default_rng(0)
    return [score(measure, x, y[rng.permutation(len(x))]) for _ in range(draws)]


def score(measure: str, x: Array, y: Array) -> float:
    norm = np.linalg.norm
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    if measure == "cka":
        return float(norm(x.T @ y) ** 2 / (norm(x.T @ x) * norm(y.T @ y)))
    return float(np.arccos(norm(x.T @ y / (norm(x) * norm(y)), "nuc")))


@peer("numpy", "NumPy loop", units=PEER_DRAWS, goal=20.0, how=f"{PEER_DRAWS} of 1000 draws, scaled")
def numpy_loop(numpy: Any, measure: str, x: Array, y: Array) -> Callable[[], list[float]]:
    return partial(null, measure, x, y, PEER_DRAWS)
