"""Procrustes: all pairs, few samples in many units, one rotation, two threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array, representations
from .reference import Pairs, all_pairs, centred_unit_norm, procrustes_error, some_of
from .timing import Contestant, Race, peer, two_threads

pytestmark = pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")

ALL_PAIRS = [
    ("unrelated", 8, 2000, 64),
    ("unrelated", 6, 1000, 256),
    ("unrelated", 4, 1000, 512),
    ("unrelated", 3, 2000, 1024),
    ("near-identical", 6, 1000, 256),
    ("near-identical", 4, 1000, 512),
    ("near-identical", 3, 2000, 1024),
]
TINY_PAIRS = [("unrelated", 3, 60, 24), ("near-identical", 3, 60, 24)]
TWO_THREADS = [
    ("unrelated", 8, 2000, 64),
    ("unrelated", 6, 1000, 256),
    ("unrelated", 4, 1000, 512),
    ("unrelated", 4, 2000, 1024),
    ("near-identical", 4, 1000, 512),
    ("unrelated", 4, 500, 2048),
]


@pytest.mark.sizes("workload", full=ALL_PAIRS, quick=TINY_PAIRS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_all_pairs(race: Race, workload: tuple[str, int, int, int], dtype: str) -> None:
    kind, count, n, d = workload
    items = representations(kind, count, n, d, dtype)
    pairs = all_pairs(count)
    # Neighbours are compared by the default score, whose digits near identity have a price.
    score = "angular" if kind == "near-identical" else "similarity"
    contestants = [ours(items, pairs, score)]
    if dtype == "float64":
        few, how = some_of(pairs, 4)
        contestants += [
            torch_svdvals(items, pairs, units=len(pairs), goal=2.0 if d >= 256 else 1.5),
            numpy_nuclear_norm(items, pairs, units=len(pairs)),
            scipy_orthogonal_procrustes(
                items, few, units=len(few), goal=5.0, how=f"given centred unit-norm items; {how}"
            ),
            netrep(items, few, units=len(few), goal=8.0, how=f"fit and score of each pair; {how}"),
        ]
    else:
        name = "torch svdvals, widened to float64"
        contestants += [
            torch_svdvals(items, pairs, units=len(pairs), goal=2.0, tolerance=1e-6),
            torch_svdvals(items, pairs, True, units=len(pairs), name=name),
        ]
    race(
        f"Procrustes {score}, all pairs, {dtype}: {count} {kind} items, n = {n}, d = {d}",
        contestants,
        **common(items, pairs),
    )


@pytest.mark.sizes("n, d", full=[(500, 2048)], quick=[(20, 80)])
def test_fewer_samples_than_units(race: Race, n: int, d: int) -> None:
    items = representations("unrelated", 4, n, d, np.float64)
    pairs = all_pairs(len(items))
    race(
        f"Procrustes similarity, fewer samples than units, float64: 4 items, n = {n}, d = {d}",
        [
            ours(items, pairs),
            torch_svdvals(items[:2], pairs[:1], goal=40.0, how="1 of 6 pairs, scaled"),
        ],
        **common(items, pairs),
    )


@pytest.mark.sizes("n, d", full=[(1000, 256), (1000, 512)], quick=[(60, 24)])
@pytest.mark.parametrize("closeness", [1.0, 1e-4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_angles(race: Race, n: int, d: int, closeness: float, dtype: str) -> None:
    """What refining angles near identity costs beyond similarities."""
    first, *others = representations("near-identical", 4, n, d, np.float64)
    near = [first] + [first + closeness * (other - first) for other in others]
    items = [item.astype(dtype) for item in near]
    pairs = all_pairs(len(items))
    race(
        f"Procrustes angles against similarities, {dtype}: items {0.01 * closeness:g} apart, "
        f"n = {n}, d = {d}",
        [
            ours(items, pairs, name="likewise, similarities"),
            ours(items, pairs, "angular", name="likewise, angles"),
        ],
        **common(items, pairs) | {"tolerance": 1e-7},
    )


@pytest.mark.sizes("n, d", full=[(2000, 64), (2000, 256), (2000, 512)], quick=[(60, 24)])
def test_rotation(race: Race, n: int, d: int) -> None:
    a, b = representations("near-identical", 2, n, d, np.float64)
    optimum = np.linalg.norm(a.T @ b, "nuc")

    def error(rotation: Array) -> float:
        orthogonality = np.abs(rotation.T @ rotation - np.eye(d)).max()
        alignment = abs(np.vdot(a @ rotation, b) / optimum - 1)
        return max(float(orthogonality), float(alignment))

    @peer("scipy.linalg", "scipy orthogonal_procrustes", answer=lambda found: found[0])
    def scipy(linalg: Any) -> Callable[[], Any]:
        return partial(linalg.orthogonal_procrustes, a, b)

    @peer("torch", "torch svd, U V'", answer=lambda found: found.numpy())
    def torch_rotation(torch: Any) -> Callable[[], Any]:
        x, y = torch.from_numpy(a), torch.from_numpy(b)

        def run() -> Any:
            u, _, vh = torch.linalg.svd(x.T @ y)
            return u @ vh

        return run

    race(
        f"orthogonal_procrustes, rotation, float64: n = {n}, d = {d}",
        [
            Contestant(
                build=lambda lw: partial(lw.orthogonal_procrustes, a, b),
                answer=lambda found: np.asarray(found[0]),
            ),
            scipy(),
            torch_rotation(),
        ],
        unit="call",
        error=error,
        tolerance=1e-9,
    )


@pytest.mark.sizes("workload", full=TWO_THREADS, quick=TINY_PAIRS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_two_threads(race: Race, workload: tuple[str, int, int, int], dtype: str) -> None:
    kind, count, n, d = workload
    items = representations(kind, count, n, d, dtype)
    pairs = all_pairs(count)
    two_threads(
        race,
        f"Procrustes, two threads against one, {dtype}: {count} {kind} items, n = {n}, d = {d}",
        partial(ours, items, pairs),
        **common(items, pairs),
    )


def common(items: Sequence[Array], pairs: Pairs) -> dict[str, Any]:
    return {
        "unit": "pair",
        "error": procrustes_error(items, pairs),
        "tolerance": 1e-7 if items[0].dtype == np.float32 else 1e-9,
    }


def ours(
    items: Sequence[Array], pairs: Pairs, score: str = "similarity", **fields: Any
) -> Contestant:
    def similarities(scores: Array) -> Array:
        chosen = np.float64([scores[pair] for pair in pairs])
        return np.cos(chosen) if score == "angular" else chosen

    return Contestant(
        build=lambda lw: partial(lw.pairwise, items, "procrustes", score=score),
        answer=similarities,
        units=len(pairs),
        **fields,
    )


ONCE = "each item centred and scaled once, then a loop over pairs"


@peer("torch", "torch svdvals", how=ONCE)
def torch_svdvals(
    torch: Any, items: Sequence[Array], pairs: Pairs, widen: bool = False
) -> Callable[[], list[float]]:
    tensors = [torch.from_numpy(item) for item in items]

    def run() -> list[float]:
        unit = []
        for tensor in tensors:
            wide = tensor.double() if widen else tensor
            centred = wide - wide.mean(dim=0)
            # torch's own float32 norm of a large matrix is 1e-4 off
            unit.append(centred / torch.linalg.vector_norm(centred, dtype=torch.float64))
        return [torch.linalg.svdvals(unit[i].T @ unit[j]).sum().item() for i, j in pairs]

    return run


@peer("numpy", "numpy norm 'nuc'", how=ONCE)
def numpy_nuclear_norm(
    numpy: Any, items: Sequence[Array], pairs: Pairs
) -> Callable[[], list[float]]:
    def run() -> list[float]:
        unit = centred_unit_norm(items)
        return [numpy.linalg.norm(unit[i].T @ unit[j], "nuc") for i, j in pairs]

    return run


@peer("scipy.linalg", "scipy orthogonal_procrustes")
def scipy_orthogonal_procrustes(
    linalg: Any, items: Sequence[Array], pairs: Pairs
) -> Callable[[], list[float]]:
    unit = centred_unit_norm(items)
    return lambda: [linalg.orthogonal_procrustes(unit[i], unit[j])[1] for i, j in pairs]


@peer("netrep.metrics", "netrep LinearMetric", answer=np.cos)
def netrep(metrics: Any, items: Sequence[Array], pairs: Pairs) -> Callable[[], list[float]]:
    metric = metrics.LinearMetric(alpha=1.0, score_method="angular")
    return lambda: [metric.fit_score(items[i], items[j]) for i, j in pairs]
