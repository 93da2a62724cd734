"""CCA: the mean canonical correlation of all pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array, representations
from .reference import Pairs, all_pairs, first_scores, orthonormal, some_of
from .timing import Contestant, Race, peer

pytestmark = pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")


@pytest.mark.sizes("workload", full=[(30, 2000, 256), (30, 2000, 64)], quick=[(4, 80, 8)])
def test_all_pairs(race: Race, workload: tuple[int, int, int]) -> None:
    count, n, d = workload
    items = representations("unrelated", count, n, d, np.float64)
    pairs = all_pairs(count)
    few, how = some_of(pairs, 40)
    bases = [orthonormal(item) for item in items]
    exact = [np.linalg.norm(bases[i].T @ bases[j], "nuc") / d for i, j in pairs[:4]]
    race(
        f"CCA, all pairs, float64: {count} items, n = {n}, d = {d}",
        [
            Contestant(
                build=lambda lw: partial(lw.pairwise, items, "cca"),
                answer=lambda scores: [scores[pair] for pair in pairs],
                units=len(pairs),
            ),
            numpy_each(items, few, units=len(few), how=how),
            numpy_once(items, pairs, units=len(pairs)),
            netrep(items, few, units=len(few), how=f"fit and score of {how}"),
        ],
        unit="pair",
        error=first_scores(exact),
        tolerance=1e-10,
    )


def mean_correlation(numpy: Any, a: Array, b: Array) -> float:
    return numpy.linalg.svd(a.T @ b, compute_uv=False).mean()


def basis(numpy: Any, item: Array) -> Array:
    return numpy.linalg.qr(item - item.mean(axis=0))[0]


@peer("numpy", "NumPy QR + SVD, once per item")
def numpy_once(numpy: Any, items: Sequence[Array], pairs: Pairs) -> Callable[[], list[float]]:
    def run() -> list[float]:
        bases = [basis(numpy, item) for item in items]
        return [mean_correlation(numpy, bases[i], bases[j]) for i, j in pairs]

    return run


@peer("numpy", "NumPy QR + SVD, for each pair", goal=5.0)
def numpy_each(numpy: Any, items: Sequence[Array], pairs: Pairs) -> Callable[[], list[float]]:
    """Both items of each pair, as the published code does it."""
    return lambda: [
        mean_correlation(numpy, basis(numpy, items[i]), basis(numpy, items[j])) for i, j in pairs
    ]


@peer("netrep.metrics", "netrep LinearMetric, alpha = 0", goal=5.0)
def netrep(metrics: Any, items: Sequence[Array], pairs: Pairs) -> Callable[[], list[float]]:
    metric = metrics.LinearMetric(alpha=0.0, score_method="angular")
    return lambda: [float(np.cos(metric.fit_score(items[i], items[j]))) for i, j in pairs]
