"""Assignment: batches of matching problems, the next checkpoint from warm duals, two threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from .data import Array, assignment_costs
from .reference import assignment_error
from .timing import Contestant

BATCHES = [
    ("unrelated", 20, 64),
    ("unrelated", 20, 256),
    ("unrelated", 20, 512),
    ("unrelated", 6, 1024),
    ("matched", 20, 64),
    ("matched", 20, 256),
    ("matched", 20, 512),
    ("matched", 6, 1024),
    ("ties", 20, 64),
    ("ties", 20, 512),
]
TINY_BATCHES = [("unrelated", 3, 16), ("matched", 3, 16), ("ties", 3, 16)]
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


@pytest.mark.sizes("workload", full=BATCHES, quick=TINY_BATCHES)
@DTYPES
def test_batch(race: Callable[..., None], workload: tuple[str, int, int], dtype: str) -> None:
    kind, count, d = workload
    costs = assignment_costs(kind, count, d, dtype)
    few = costs[: 10 if d <= 512 else 3]
    anything = 1.0 if d == 64 else None
    contestants = [
        ours(costs),
        lapcpp(costs, goal=goal_against_lapcpp(kind, d, dtype)),
        lapx(costs, "lapjvx_batch", goal=anything),
        lapx(costs, "lapjvs_batch", goal=anything),
        lapjv(few, count, goal=anything),
        scipy(few, count, goal=anything),
    ]
    if d <= 512:
        contestants.append(pot(few, count, goal=anything))
        contestants.append(torch_linear_assignment(few, count, goal=anything))
    race(
        f"assignment, {kind}, {dtype}: {count} problems, d = {d}",
        contestants,
        unit="problem",
        error=assignment_error(costs),
        tolerance=tolerance(dtype),
    )


@pytest.mark.sizes("count, d", full=[(20, 512)], quick=[(3, 16)])
@DTYPES
def test_next_checkpoint(race: Callable[..., None], count: int, d: int, dtype: str) -> None:
    first, *later = assignment_costs("checkpoints", count + 1, d, dtype)
    following = np.stack(later)

    def build(lw: Any) -> Callable[[], list[NDArray[np.integer]]]:
        start = lw.assignment(first)

        def run() -> list[NDArray[np.integer]]:
            columns = []
            u, v = start.u, start.v
            for cost in following:
                found = lw.assignment(cost, duals=(u, v))
                u, v = found.u, found.v
                columns.append(found.col_ind)
            return columns

        return run

    race(
        f"assignment, next checkpoint, {dtype}: {count} problems in a row, d = {d}",
        [
            Contestant(
                name="likewise, warm duals",
                module="likewise",
                build=build,
                units=count,
                how="each problem from the duals of the one before; certificate included",
            ),
            lapcpp(following, goal=10.0, name="lapcpp, cold"),
            ours(following, name="likewise, cold"),
            scipy(following[:10], count),
        ],
        unit="problem",
        error=assignment_error(following),
        tolerance=tolerance(dtype),
    )


@pytest.mark.sizes(
    "workload",
    full=[
        ("unrelated", 200, 64),
        ("unrelated", 100, 256),
        ("unrelated", 20, 512),
        ("unrelated", 6, 1024),
        ("matched", 100, 256),
        ("matched", 20, 512),
        ("matched", 6, 1024),
    ],
    quick=[("unrelated", 4, 16)],
)
@DTYPES
def test_two_threads(race: Callable[..., None], workload: tuple[str, int, int], dtype: str) -> None:
    kind, count, d = workload
    costs = assignment_costs(kind, count, d, dtype)
    race(
        f"assignment, two threads against one, {kind}, {dtype}: {count} problems, d = {d}",
        [
            ours(costs, name="likewise, 2 threads", threads=2),
            ours(costs, name="likewise, 1 thread", goal=1.8),
        ],
        unit="problem",
        error=assignment_error(costs),
        tolerance=tolerance(dtype),
        clock="wall",
    )


def goal_against_lapcpp(kind: str, d: int, dtype: str) -> float | None:
    if d < 256:
        return 1.0
    goals = {"matched": 5.0, "unrelated": 3.0 if dtype == "float32" else 2.0}
    return goals.get(kind)


def tolerance(dtype: str) -> float:
    return 1e-6 if dtype == "float32" else 1e-12


def ours(
    costs: Array, name: str = "likewise", threads: int = 1, goal: float | None = None
) -> Contestant:
    return Contestant(
        name=name,
        module="likewise",
        build=lambda lw: partial(lw.linear_sum_assignment, costs),
        answer=lambda found: found[1],
        units=len(costs),
        threads=threads,
        goal=goal,
    )


def lapcpp(costs: Array, goal: float | None, name: str = "lapcpp") -> Contestant:
    return Contestant(
        name=name,
        module="lapcpp",
        build=lambda lapcpp: partial(lapcpp.lapjv_batch, costs, n_threads=1),
        answer=lambda found: found[2],
        units=len(costs),
        goal=goal,
        how="batch",
    )


def lapx(costs: Array, solver: str, goal: float | None) -> Contestant:
    return Contestant(
        name=f"lapx {solver}",
        module="lap",
        build=lambda lap: partial(getattr(lap, solver), costs, n_threads=1),
        answer=lambda found: found[2],
        units=len(costs),
        goal=goal,
        how="batch",
    )


def one_by_one(few: Array, count: int) -> str:
    subset = "" if len(few) == count else f"; {len(few)} of {count} problems, scaled"
    return f"loop over problems{subset}"


def lapjv(few: Array, count: int, goal: float | None) -> Contestant:
    def build(lapjv: Any) -> Callable[[], list[Any]]:
        doubles = few.dtype == np.float64
        return lambda: [lapjv.lapjv(cost, force_doubles=doubles)[0] for cost in few]

    return Contestant(
        name="lapjv",
        module="lapjv",
        build=build,
        units=len(few),
        goal=goal,
        how=one_by_one(few, count),
    )


def scipy(few: Array, count: int, goal: float | None = None) -> Contestant:
    def build(optimize: Any) -> Callable[[], list[Any]]:
        solve = optimize.linear_sum_assignment
        return lambda: [solve(cost)[1] for cost in few]

    return Contestant(
        name="scipy linear_sum_assignment",
        module="scipy.optimize",
        build=build,
        units=len(few),
        goal=goal,
        how=one_by_one(few, count),
    )


def pot(few: Array, count: int, goal: float | None) -> Contestant:
    d = few.shape[1]
    marginal = np.full(d, 1 / d)
    shifted = [(cost - cost.min()).astype(np.float64) for cost in few]

    return Contestant(
        name="POT emd",
        module="ot",
        build=lambda ot: lambda: [ot.emd(marginal, marginal, cost) for cost in shifted],
        answer=lambda plans: [plan.argmax(axis=1) for plan in plans],
        units=len(few),
        goal=goal,
        how=f"in float64, costs made non-negative; {one_by_one(few, count)}",
    )


def torch_linear_assignment(few: Array, count: int, goal: float | None) -> Contestant:
    def build(peer: Any) -> Callable[[], Any]:
        import torch

        return partial(peer.batch_linear_assignment, torch.from_numpy(few))

    subset = "" if len(few) == count else f"; {len(few)} of {count} problems, scaled"
    return Contestant(
        name="torch-linear-assignment",
        module="torch_linear_assignment",
        build=build,
        answer=lambda matching: matching.numpy(),
        units=len(few),
        goal=goal,
        how=f"batch; on a CPU it calls SciPy{subset}",
    )
