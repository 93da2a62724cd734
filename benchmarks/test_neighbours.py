"""Mutual nearest neighbours of all pairs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array, representations
from .timing import Contestant

K = 10
Pairs = list[tuple[int, int]]


@pytest.mark.sizes("workload", full=[(6, 5000, 512)], quick=[(3, 60, 8)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_pairs(race: Callable[..., None], workload: tuple[int, int, int], dtype: str) -> None:
    count, n, d = workload
    items = [item - item.mean(axis=0) for item in representations("unrelated", count, n, d, dtype)]
    pairs = list(itertools.combinations(range(count), 2))
    race(
        f"mutual {K} nearest neighbours, all pairs, {dtype}: {count} items, n = {n}, d = {d}",
        [
            ours(items, pairs),
            torch_topk(items, pairs[:2], len(pairs), once=False),
            torch_topk(items, pairs, len(pairs), once=True),
        ],
        unit="pair",
        error=shared_error(items, pairs[:2]),
        tolerance=1e-4 if dtype == "float32" else 1e-12,  # nearly equal cosines may change places
    )


def shared_error(items: Sequence[Array], pairs: Pairs) -> Callable[[Sequence[float]], float]:
    """Largest error of the first scores against whole sorted rows in float64."""
    sets = []
    for item in items[: 1 + max(max(pair) for pair in pairs)]:
        unit = item.astype(np.float64)
        unit /= np.linalg.norm(unit, axis=1, keepdims=True)
        cosines = unit @ unit.T
        np.fill_diagonal(cosines, -np.inf)
        nearest = np.zeros(cosines.shape, bool)
        np.put_along_axis(nearest, np.argpartition(-cosines, K, axis=1)[:, :K], True, axis=1)
        sets.append(nearest)
    exact = [(sets[i] & sets[j]).sum() / (K * len(items[0])) for i, j in pairs]

    def error(found: Sequence[float]) -> float:
        size = min(len(found), len(exact))
        return float(np.abs(np.asarray(found[:size], np.float64) - exact[:size]).max())

    return error


def ours(items: Sequence[Array], pairs: Pairs) -> Contestant:
    return Contestant(
        name="likewise",
        module="likewise",
        build=lambda lw: partial(lw.pairwise, items, "mutual_knn", k=K),
        answer=lambda scores: [scores[pair] for pair in pairs],
        units=len(pairs),
    )


def torch_topk(items: Sequence[Array], pairs: Pairs, all_pairs: int, once: bool) -> Contestant:
    """Cosines by one product and `topk`, of each item once or of both items of each pair."""

    def build(torch: Any) -> Callable[[], list[float]]:
        tensors = [torch.from_numpy(item) for item in items]
        mask = torch.zeros(len(tensors[0]), len(tensors[0]), dtype=torch.bool)

        def nearest(tensor: Any) -> Any:
            unit = torch.nn.functional.normalize(tensor, dim=1)
            return (unit @ unit.T).fill_diagonal_(-2).topk(K, dim=1).indices

        def run() -> list[float]:
            found = [nearest(tensor) for tensor in tensors] if once else []
            scores = []
            for i, j in pairs:
                a, b = (found[i], found[j]) if once else (nearest(tensors[i]), nearest(tensors[j]))
                mask.scatter_(1, a, True)
                scores.append(mask.gather(1, b).sum().item() / b.numel())
                mask.scatter_(1, a, False)
            return scores

        return run

    return Contestant(
        name=f"torch topk loop, {'once per item' if once else 'for each pair'} (own rewrite)",
        module="torch",
        build=build,
        units=len(pairs),
        goal=None if once else 5.0,
        how=f"{len(pairs)} of {all_pairs} pairs",
    )
