"""RSA: dissimilarity matrices of all items and their comparison, all pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array, representations
from .reference import first_scores, some_of
from .timing import Contestant, Race, peer


@pytest.mark.sizes("workload", full=[(100, 1000, 128)], quick=[(4, 30, 8)])
def test_spearman(race: Race, workload: tuple[int, int, int]) -> None:
    from scipy.spatial import distance

    count, n, d = workload
    items = representations("unrelated", count, n, d, np.float64)
    few, how = some_of(items, 10, "items")
    units = count * (count + 1) // 2  # an item with itself included
    race(
        f"RSA, correlation distance, Spearman, all pairs, float64: {count} items, n = {n}, d = {d}",
        [
            Contestant(
                build=lambda lw: partial(lw.pairwise, items, "rsa"), answer=np.asarray, units=units
            ),
            scipy_once(items, units=units),
            # Its time is that of the RDMs and their ranks.
            rsatoolbox(few, units=units * len(few) / count, how=f"calc_rdm and compare of {how}"),
        ],
        unit="pair",
        error=first_scores(spearman(distance, items[:3])),
        tolerance=1e-9,
    )


def spearman(distance: Any, items: Sequence[Array]) -> Array:
    from scipy.stats import rankdata

    return np.corrcoef([rankdata(distance.pdist(item, "correlation")) for item in items])


@peer(
    "scipy.spatial.distance",
    "SciPy pdist, rankdata once per item (own rewrite)",
    how="and one product of all ranks",
)
def scipy_once(distance: Any, items: Sequence[Array]) -> Callable[[], Array]:
    return lambda: spearman(distance, items)


def rsatoolbox_scores(rsatoolbox: Any, items: Sequence[Array]) -> Callable[[], Array]:
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm, compare

    datasets = [Dataset(item) for item in items]

    def run() -> Array:
        rdms = calc_rdm(datasets, method="correlation")
        return np.asarray(compare(rdms, rdms, method="spearman"))

    return run


rsatoolbox = peer("rsatoolbox", "rsatoolbox", goal=20.0)(rsatoolbox_scores)
