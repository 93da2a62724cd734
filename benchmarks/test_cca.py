"""CCA: the mean canonical correlation of all pairs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array, representations
from .timing import Contestant

pytestmark = pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")

Pairs = list[tuple[int, int]]


@pytest.mark.sizes("workload", full=[(30, 2000, 256), (30, 2000, 64)], quick=[(4, 80, 8)])
def test_all_pairs(race: Callable[..., None], workload: tuple[int, int, int]) -> None:
    count, n, d = workload
    items = representations("unrelated", count, n, d, np.float64)
    pairs = list(itertools.combinations(range(count), 2))
    few = pairs[: max(len(pairs) // 40, 2)]
    race(
        f"CCA, all pairs, float64: {count} items, n = {n}, d = {d}",
        [
            ours(items, pairs),
            numpy_loop(items, few, len(pairs), once=False),
            numpy_loop(items, pairs, len(pairs), once=True),
            netrep(items, few, len(pairs)),
        ],
        unit="pair",
        error=cca_error(items, pairs[:4]),
        tolerance=1e-10,
    )


def cca_error(items: Sequence[Array], pairs: Pairs) -> Callable[[Sequence[float]], float]:
    """Largest error of the first scores against orthonormal bases from singular vectors."""
    bases = [np.linalg.svd(item - item.mean(axis=0), full_matrices=False)[0] for item in items]
    exact = [np.linalg.norm(bases[i].T @ bases[j], "nuc") / items[0].shape[1] for i, j in pairs]

    def error(found: Sequence[float]) -> float:
        size = min(len(found), len(exact))
        return float(np.abs(np.asarray(found[:size]) - exact[:size]).max())

    return error


def ours(items: Sequence[Array], pairs: Pairs) -> Contestant:
    return Contestant(
        name="likewise",
        module="likewise",
        build=lambda lw: partial(lw.pairwise, items, "cca"),
        answer=lambda scores: [scores[pair] for pair in pairs],
        units=len(pairs),
    )


def numpy_loop(items: Sequence[Array], pairs: Pairs, all_pairs: int, once: bool) -> Contestant:
    """QR of each item once, or of both items of each pair, as the published code does it."""

    def build(numpy: Any) -> Callable[[], list[float]]:
        def basis(item: Array) -> Array:
            return numpy.linalg.qr(item - item.mean(axis=0))[0]

        def run() -> list[float]:
            bases = [basis(item) for item in items] if once else []
            scores = []
            for i, j in pairs:
                a, b = (bases[i], bases[j]) if once else (basis(items[i]), basis(items[j]))
                scores.append(numpy.linalg.svd(a.T @ b, compute_uv=False).mean())
            return scores

        return run

    return Contestant(
        name=f"NumPy QR + SVD, {'once per item' if once else 'for each pair'}",
        module="numpy",
        build=build,
        units=len(pairs),
        goal=None if once else 5.0,
        how=f"loop over {len(pairs)} of {all_pairs} pairs",
    )


def netrep(items: Sequence[Array], pairs: Pairs, all_pairs: int) -> Contestant:
    def build(metrics: Any) -> Callable[[], list[float]]:
        metric = metrics.LinearMetric(alpha=0.0, score_method="angular")

        def run() -> list[float]:
            return [float(np.cos(metric.fit_score(items[i], items[j]))) for i, j in pairs]

        return run

    return Contestant(
        name="netrep LinearMetric, alpha = 0",
        module="netrep.metrics",
        build=build,
        units=len(pairs),
        goal=5.0,
        how=f"fit and score of {len(pairs)} of {all_pairs} pairs, scaled",
    )
