"""RSA: dissimilarity matrices of all items and their comparison, all pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array, representations
from .timing import Contestant


@pytest.mark.sizes("workload", full=[(100, 1000, 128)], quick=[(4, 30, 8)])
def test_spearman(race: Callable[..., None], workload: tuple[int, int, int]) -> None:
    count, n, d = workload
    items = representations("unrelated", count, n, d, np.float64)
    race(
        f"RSA, correlation distance, Spearman, all pairs, float64: {count} items, n = {n}, d = {d}",
        [
            ours(items),
            scipy_once(items),
            rsatoolbox(items[: max(count // 10, 2)], count),
        ],
        unit="pair",
        error=spearman_error(items[:3]),
        tolerance=1e-9,
    )


def spearman_error(items: Sequence[Array]) -> Callable[[Array], float]:
    """Largest error of the scores of the first items against SciPy's."""
    from scipy.spatial.distance import pdist
    from scipy.stats import rankdata

    exact = np.corrcoef([rankdata(pdist(item, "correlation")) for item in items])

    def error(found: Array) -> float:
        size = min(len(found), len(exact))
        return float(np.abs(np.asarray(found)[:size, :size] - exact[:size, :size]).max())

    return error


def units(count: int) -> int:
    """Pairs of a symmetric comparison, an item with itself included."""
    return count * (count + 1) // 2


def ours(items: Sequence[Array]) -> Contestant:
    return Contestant(
        name="likewise",
        module="likewise",
        build=lambda lw: partial(lw.pairwise, items, "rsa"),
        answer=np.asarray,
        units=units(len(items)),
    )


def scipy_once(items: Sequence[Array]) -> Contestant:
    def build(distance: Any) -> Callable[[], Array]:
        from scipy.stats import rankdata

        def run() -> Array:
            return np.corrcoef([rankdata(distance.pdist(item, "correlation")) for item in items])

        return run

    return Contestant(
        name="SciPy pdist, rankdata once per item (own rewrite)",
        module="scipy.spatial.distance",
        build=build,
        units=units(len(items)),
        how="and one product of all ranks",
    )


def rsatoolbox(items: Sequence[Array], count: int) -> Contestant:
    def build(rsatoolbox: Any) -> Callable[[], Array]:
        from rsatoolbox.data import Dataset
        from rsatoolbox.rdm import calc_rdm, compare

        datasets = [Dataset(item) for item in items]

        def run() -> Array:
            rdms = calc_rdm(datasets, method="correlation")
            return np.asarray(compare(rdms, rdms, method="spearman"))

        return run

    return Contestant(
        name="rsatoolbox",
        module="rsatoolbox",
        build=build,
        units=units(count) * len(items) / count,  # its time is that of the RDMs and their ranks
        goal=20.0,
        how=f"calc_rdm and compare of the first {len(items)} items, scaled by their number",
    )
