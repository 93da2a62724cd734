"""Scores above chance: a grid of layers in many orders of the stimuli."""

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

DRAWS, PEER_DRAWS = 200, 5


@pytest.mark.sizes("workload", full=[(2, 1000, 512)], quick=[(2, 40, 8)])
def test_grid_above_chance(race: Race, workload: tuple[int, int, int]) -> None:
    layers, n, d = workload
    items = representations("unrelated", 2 * layers, n, d, np.float64)
    a, b = items[:layers], items[layers:]
    pairs = layers * layers
    race(
        f"calibration, {layers} x {layers} layers, {DRAWS} draws, CKA, float64: n = {n}, d = {d}",
        [
            Contestant(
                name="likewise, calibrate",
                build=lambda lw: partial(lw.calibrate, a, b, "cka", n=DRAWS),
                answer=lambda found: [found.aggregate.score, *found.aggregate.null],
                units=DRAWS * pairs,
            ),
            calibrated_similarity(a, b, units=(PEER_DRAWS + 1) * pairs),
        ],
        unit="score",
        error=first_scores(best_scores(a, b, 3)),
        tolerance=1e-5,  # the peer keeps scores in float32
    )


def best_scores(a: list[Array], b: list[Array], draws: int) -> list[float]:
    """The largest score of the grid as it is, and in the first orders of ``random_state=0``."""
    rng = np.random.default_rng(0)
    orders = [np.arange(len(a[0])), *(rng.permutation(len(a[0])) for _ in range(draws))]
    return [max(cka(x, y[order]) for x in a for y in b) for order in orders]


def cka(x: Array, y: Array) -> float:
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    norm = np.linalg.norm
    return float(norm(x.T @ y) ** 2 / (norm(x.T @ x) * norm(y.T @ y)))


@peer(
    "calibrated_similarity",
    "calibrated-similarity, linear CKA of its README",
    goal=20.0,
    how=f"{PEER_DRAWS} of {DRAWS} draws, scaled",
)
def calibrated_similarity(module: Any, a: list[Array], b: list[Array]) -> Callable[[], list[float]]:
    import torch

    def similarity(x: Any, y: Any) -> Any:
        x, y = x - x.mean(0), y - y.mean(0)
        k, m = x @ x.T, y @ y.T
        return (k * m).sum() / k.norm() / m.norm()

    sides = [[torch.from_numpy(item) for item in side] for side in (a, b)]

    def run() -> list[float]:
        rng, best = np.random.default_rng(0), []

        def largest(grid: Any) -> Any:
            best.append(float(grid.max()))
            return grid.max()

        module.calibrate_layers(
            *sides,
            similarity,
            agg=largest,
            K=PEER_DRAWS,
            perm_fn=lambda n, device: torch.from_numpy(rng.permutation(n)),
        )
        return best

    return run
