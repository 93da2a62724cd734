"""Assignment: batches of matching problems, the next checkpoint from warm duals, two threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array, assignment_costs
from .reference import assignment_error, some_of
from .timing import Contestant, Race, peer, two_threads

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
def test_batch(race: Race, workload: tuple[str, int, int], dtype: str) -> None:
    kind, count, d = workload
    costs = assignment_costs(kind, count, d, dtype)
    few, how = some_of(costs, 2, "problems")
    each = {"units": len(few), "how": f"loop over problems; {how}"}
    contestants = [
        ours(costs),
        lapcpp(costs, units=count, goal=goal_against_lapcpp(kind, d, dtype)),
        lapx(costs, "lapjvx_batch", units=count, name="lapx lapjvx_batch"),
        lapx(costs, "lapjvs_batch", units=count, name="lapx lapjvs_batch"),
        lapjv(few, **each),
        scipy(few, **each),
    ]
    if d <= 512:
        each["how"] = f"in float64, costs made non-negative; {each['how']}"
        contestants.append(pot(few, **each))
        each["how"] = f"batch; on a CPU it calls SciPy; {how}"
        contestants.append(torch_linear_assignment(few, **each))
    if d == 64:  # as fast as anything
        contestants[2:] = [replace(contestant, goal=1.0) for contestant in contestants[2:]]
    race(f"assignment, {kind}, {dtype}: {count} problems, d = {d}", contestants, **common(costs))


@pytest.mark.sizes("count, d", full=[(20, 512)], quick=[(3, 16)])
@DTYPES
def test_next_checkpoint(race: Race, count: int, d: int, dtype: str) -> None:
    first, *later = assignment_costs("checkpoints", count + 1, d, dtype)
    following = np.stack(later)

    def build(lw: Any) -> Callable[[], list[Any]]:
        start = lw.assignment(first)

        def run() -> list[Any]:
            columns = []
            u, v = start.u, start.v
            for cost in following:
                found = lw.assignment(cost, duals=(u, v))
                u, v = found.u, found.v
                columns.append(found.col_ind)
            return columns

        return run

    few, how = some_of(following, 2, "problems")
    race(
        f"assignment, next checkpoint, {dtype}: {count} problems in a row, d = {d}",
        [
            Contestant(
                name="likewise, warm duals",
                build=build,
                units=count,
                how="each problem from the duals of the one before; certificate included",
            ),
            lapcpp(following, units=count, goal=10.0, name="lapcpp, cold"),
            ours(following, name="likewise, cold"),
            scipy(few, units=len(few), how=f"loop over problems; {how}"),
        ],
        **common(following),
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
def test_two_threads(race: Race, workload: tuple[str, int, int], dtype: str) -> None:
    kind, count, d = workload
    costs = assignment_costs(kind, count, d, dtype)
    two_threads(
        race,
        f"assignment, two threads against one, {kind}, {dtype}: {count} problems, d = {d}",
        partial(ours, costs),
        **common(costs),
    )


def goal_against_lapcpp(kind: str, d: int, dtype: str) -> float | None:
    if d < 256:
        return 1.0
    goals = {"matched": 5.0, "unrelated": 3.0 if dtype == "float32" else 2.0}
    return goals.get(kind)


def common(costs: Array) -> dict[str, Any]:
    return {
        "unit": "problem",
        "error": assignment_error(costs),
        "tolerance": 1e-6 if costs.dtype == np.float32 else 1e-12,
    }


def ours(costs: Array, **fields: Any) -> Contestant:
    return Contestant(
        build=lambda lw: partial(lw.linear_sum_assignment, costs),
        answer=lambda found: found[1],
        units=len(costs),
        **fields,
    )


@peer("lapcpp", "lapcpp", how="batch", answer=lambda found: found[2])
def lapcpp(lapcpp: Any, costs: Array) -> Callable[[], Any]:
    return partial(lapcpp.lapjv_batch, costs, n_threads=1)


@peer("lap", "lapx", how="batch", answer=lambda found: found[2])
def lapx(lap: Any, costs: Array, solver: str) -> Callable[[], Any]:
    return partial(getattr(lap, solver), costs, n_threads=1)


@peer("lapjv", "lapjv")
def lapjv(lapjv: Any, costs: Array) -> Callable[[], list[Any]]:
    doubles = costs.dtype == np.float64
    return lambda: [lapjv.lapjv(cost, force_doubles=doubles)[0] for cost in costs]


@peer("scipy.optimize", "scipy linear_sum_assignment")
def scipy(optimize: Any, costs: Array) -> Callable[[], list[Any]]:
    return lambda: [optimize.linear_sum_assignment(cost)[1] for cost in costs]


@peer("ot", "POT emd", answer=lambda plans: [plan.argmax(axis=1) for plan in plans])
def pot(ot: Any, costs: Array) -> Callable[[], list[Any]]:
    marginal = np.full(costs.shape[1], 1 / costs.shape[1])
    shifted = [(cost - cost.min()).astype(np.float64) for cost in costs]
    return lambda: [ot.emd(marginal, marginal, cost) for cost in shifted]


@peer(
    "torch_linear_assignment", "torch-linear-assignment", answer=lambda matching: matching.numpy()
)
def torch_linear_assignment(module: Any, costs: Array) -> Callable[[], Any]:
    import torch

    return partial(module.batch_linear_assignment, torch.from_numpy(costs))
