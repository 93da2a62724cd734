"""Mutual nearest neighbours of all pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array, representations
from .reference import Pairs, all_pairs, first_scores
from .timing import Contestant, Race, peer

K = 10


@pytest.mark.sizes("workload", full=[(6, 5000, 512)], quick=[(3, 60, 8)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_pairs(race: Race, workload: tuple[int, int, int], dtype: str) -> None:
    count, n, d = workload
    items = [item - item.mean(axis=0) for item in representations("unrelated", count, n, d, dtype)]
    pairs = all_pairs(count)
    few = pairs[:2]
    near = [nearest(item) for item in items[:3]]
    race(
        f"mutual {K} nearest neighbours, all pairs, {dtype}: {count} items, n = {n}, d = {d}",
        [
            Contestant(
                build=lambda lw: partial(lw.pairwise, items, "mutual_knn", k=K),
                answer=lambda scores: [scores[pair] for pair in pairs],
                units=len(pairs),
            ),
            torch_each(items, few, units=len(few), how=f"{len(few)} of {len(pairs)} pairs"),
            torch_once(items, pairs, units=len(pairs)),
        ],
        unit="pair",
        error=first_scores([(near[i] & near[j]).sum() / (K * n) for i, j in few]),
        tolerance=1e-4 if dtype == "float32" else 1e-12,  # nearly equal cosines may change places
    )


def nearest(item: Array) -> Array:
    """A mask, from whole sorted rows in float64."""
    unit = item.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    mask = np.zeros(cosines.shape, bool)
    np.put_along_axis(mask, np.argpartition(-cosines, K, axis=1)[:, :K], True, axis=1)
    return mask


def topk(torch: Any, tensor: Any) -> Any:
    unit = torch.nn.functional.normalize(tensor, dim=1)
    return (unit @ unit.T).fill_diagonal_(-2).topk(K, dim=1).indices


def shared(mask: Any, a: Any, b: Any) -> float:
    mask.scatter_(1, a, True)
    found = mask.gather(1, b).sum().item() / b.numel()
    mask.scatter_(1, a, False)
    return found


@peer("torch", "torch topk loop, for each pair (own rewrite)", goal=5.0)
def torch_each(torch: Any, items: Sequence[Array], pairs: Pairs) -> Callable[[], list[float]]:
    tensors = [torch.from_numpy(item) for item in items]
    mask = torch.zeros(len(items[0]), len(items[0]), dtype=torch.bool)
    return lambda: [
        shared(mask, topk(torch, tensors[i]), topk(torch, tensors[j])) for i, j in pairs
    ]


@peer("torch", "torch topk loop, once per item (own rewrite)")
def torch_once(torch: Any, items: Sequence[Array], pairs: Pairs) -> Callable[[], list[float]]:
    tensors = [torch.from_numpy(item) for item in items]
    mask = torch.zeros(len(items[0]), len(items[0]), dtype=torch.bool)

    def run() -> list[float]:
        found = [topk(torch, tensor) for tensor in tensors]
        return [shared(mask, found[i], found[j]) for i, j in pairs]

    return run
