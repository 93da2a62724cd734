"""Procrustes: all pairs, few samples in many units, one rotation, two threads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array, representations
from .reference import Pairs, centred_unit_norm, procrustes_error
from .timing import Contestant

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
def test_all_pairs_float64(race: Callable[..., None], workload: tuple[str, int, int, int]) -> None:
    kind, count, n, d = workload
    items = representations(kind, count, n, d, np.float64)
    pairs = all_pairs(count)
    goal = 2.0 if d >= 256 else 1.5
    race(
        f"Procrustes {score_of(kind)}, all pairs, float64: {count} {kind} items, n = {n}, d = {d}",
        [
            ours(items, pairs, score=score_of(kind)),
            torch_svdvals(items, pairs, goal=goal),
            numpy_nuclear_norm(items, pairs),
            scipy_orthogonal_procrustes(items, pairs, goal=5.0),
            netrep(items, pairs, goal=8.0),
        ],
        unit="pair",
        error=procrustes_error(items, pairs),
        tolerance=1e-9,
    )


@pytest.mark.sizes("workload", full=ALL_PAIRS, quick=TINY_PAIRS)
def test_all_pairs_float32(race: Callable[..., None], workload: tuple[str, int, int, int]) -> None:
    kind, count, n, d = workload
    items = representations(kind, count, n, d, np.float32)
    pairs = all_pairs(count)
    race(
        f"Procrustes {score_of(kind)}, all pairs, float32: {count} {kind} items, n = {n}, d = {d}",
        [
            ours(items, pairs, score=score_of(kind)),
            torch_svdvals(items, pairs, goal=2.0, tolerance=1e-6),
            torch_svdvals(items, pairs, widen=True),
        ],
        unit="pair",
        error=procrustes_error(items, pairs),
        tolerance=1e-7,
    )


@pytest.mark.sizes("n, d", full=[(500, 2048)], quick=[(20, 80)])
def test_fewer_samples_than_units(race: Callable[..., None], n: int, d: int) -> None:
    items = representations("unrelated", 4, n, d, np.float64)
    pairs = all_pairs(len(items))
    race(
        f"Procrustes similarity, fewer samples than units, float64: 4 items, n = {n}, d = {d}",
        [
            ours(items, pairs),
            torch_svdvals(items, pairs[:1], goal=40.0, how="1 of 6 pairs, scaled"),
        ],
        unit="pair",
        error=procrustes_error(items, pairs),
        tolerance=1e-9,
    )


@pytest.mark.sizes("n, d", full=[(1000, 256), (1000, 512)], quick=[(60, 24)])
@pytest.mark.parametrize("closeness", [1.0, 1e-4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_angles(race: Callable[..., None], n: int, d: int, closeness: float, dtype: str) -> None:
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
            ours(items, pairs, name="likewise, angles", score="angular"),
        ],
        unit="pair",
        error=procrustes_error(items, pairs),
        tolerance=1e-7,
    )


@pytest.mark.sizes("n, d", full=[(2000, 64), (2000, 256), (2000, 512)], quick=[(60, 24)])
def test_rotation(race: Callable[..., None], n: int, d: int) -> None:
    a, b = representations("near-identical", 2, n, d, np.float64)
    optimum = np.linalg.norm(a.T @ b, "nuc")

    def error(rotation: Array) -> float:
        orthogonality = np.abs(rotation.T @ rotation - np.eye(d)).max()
        alignment = abs(np.vdot(a @ rotation, b) / optimum - 1)
        return max(float(orthogonality), float(alignment))

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
                name="likewise",
                module="likewise",
                build=lambda lw: partial(lw.orthogonal_procrustes, a, b),
                answer=lambda found: np.asarray(found[0]),
                units=1,
            ),
            Contestant(
                name="scipy orthogonal_procrustes",
                module="scipy.linalg",
                build=lambda linalg: partial(linalg.orthogonal_procrustes, a, b),
                answer=lambda found: found[0],
                units=1,
            ),
            Contestant(
                name="torch svd, U V'",
                module="torch",
                build=torch_rotation,
                answer=lambda found: found.numpy(),
                units=1,
            ),
        ],
        unit="call",
        error=error,
        tolerance=1e-9,
    )


@pytest.mark.sizes("workload", full=TWO_THREADS, quick=TINY_PAIRS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_two_threads(
    race: Callable[..., None], workload: tuple[str, int, int, int], dtype: str
) -> None:
    kind, count, n, d = workload
    items = representations(kind, count, n, d, dtype)
    pairs = all_pairs(count)
    race(
        f"Procrustes, two threads against one, {dtype}: {count} {kind} items, n = {n}, d = {d}",
        [
            ours(items, pairs, name="likewise, 2 threads", threads=2),
            ours(items, pairs, name="likewise, 1 thread", goal=1.8),
        ],
        unit="pair",
        error=procrustes_error(items, pairs),
        tolerance=1e-7 if dtype == "float32" else 1e-9,
        clock="wall",
    )


def all_pairs(count: int) -> Pairs:
    return list(itertools.combinations(range(count), 2))


def score_of(kind: str) -> str:
    """Neighbours are compared by the default score, whose digits near identity have a price."""
    return "angular" if kind == "near-identical" else "similarity"


def ours(
    items: Sequence[Array],
    pairs: Pairs,
    name: str = "likewise",
    score: str = "similarity",
    threads: int = 1,
    goal: float | None = None,
) -> Contestant:
    return Contestant(
        name=name,
        module="likewise",
        build=lambda lw: partial(lw.pairwise, items, "procrustes", score=score),
        answer=lambda scores: similarities(np.float64([scores[pair] for pair in pairs]), score),
        units=len(pairs),
        threads=threads,
        goal=goal,
    )


def similarities(scores: Array, score: str) -> Array:
    return np.cos(scores) if score == "angular" else scores


def torch_svdvals(
    items: Sequence[Array],
    pairs: Pairs,
    *,
    widen: bool = False,
    goal: float | None = None,
    tolerance: float | None = None,
    how: str = "each item centred and scaled once, then a loop over pairs",
) -> Contestant:
    def build(torch: Any) -> Callable[[], Any]:
        tensors = [torch.from_numpy(item) for item in items[: 1 + max(max(p) for p in pairs)]]

        def run() -> list[float]:
            unit = []
            for tensor in tensors:
                wide = tensor.double() if widen else tensor
                centred = wide - wide.mean(dim=0)
                # torch's own float32 norm of a large matrix is 1e-4 off
                unit.append(centred / torch.linalg.vector_norm(centred, dtype=torch.float64))
            return [torch.linalg.svdvals(unit[i].T @ unit[j]).sum().item() for i, j in pairs]

        return run

    return Contestant(
        name="torch svdvals, widened to float64" if widen else f"torch svdvals {items[0].dtype}",
        module="torch",
        build=build,
        units=len(pairs),
        goal=goal,
        tolerance=tolerance,
        how=how,
    )


def numpy_nuclear_norm(items: Sequence[Array], pairs: Pairs) -> Contestant:
    def build(numpy: Any) -> Callable[[], list[float]]:
        def run() -> list[float]:
            unit = centred_unit_norm(items)
            return [numpy.linalg.norm(unit[i].T @ unit[j], "nuc") for i, j in pairs]

        return run

    return Contestant(
        name="numpy norm 'nuc'",
        module="numpy",
        build=build,
        units=len(pairs),
        how="each item centred and scaled once, then a loop over pairs",
    )


def some(pairs: Pairs) -> tuple[Pairs, str]:
    """A quarter of the pairs, for slow peers, and the words that say so."""
    few = pairs[: max(1, len(pairs) // 4)]
    return few, f"{len(few)} of {len(pairs)} pairs, scaled"


def scipy_orthogonal_procrustes(
    items: Sequence[Array], pairs: Pairs, goal: float | None = None
) -> Contestant:
    few, subset = some(pairs)
    unit = centred_unit_norm(items)

    def build(linalg: Any) -> Callable[[], list[float]]:
        solve = linalg.orthogonal_procrustes
        return lambda: [solve(unit[i], unit[j])[1] for i, j in few]

    return Contestant(
        name="scipy orthogonal_procrustes",
        module="scipy.linalg",
        build=build,
        units=len(few),
        goal=goal,
        how=f"given centred unit-norm items; {subset}",
    )


def netrep(items: Sequence[Array], pairs: Pairs, goal: float | None = None) -> Contestant:
    few, subset = some(pairs)

    def build(metrics: Any) -> Callable[[], list[float]]:
        metric = metrics.LinearMetric(alpha=1.0, score_method="angular")
        return lambda: [metric.fit_score(items[i], items[j]) for i, j in few]

    return Contestant(
        name="netrep LinearMetric",
        module="netrep.metrics",
        build=build,
        answer=np.cos,
        units=len(few),
        goal=goal,
        how=f"fit and score of each pair; {subset}",
    )
