"""Linear assignment: SciPy's contract, certificates, warm starts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from processes import output_of_variant
from reference import assignment as slow
from scipy.optimize import linear_sum_assignment

import likewise as lw

pytestmark = pytest.mark.device

INFEASIBLE = "cost matrix is infeasible"
INVALID = "matrix contains invalid numeric entries"


def correlated(rng, m, n):
    """Minus the correlations of units that share a few latents: long augmenting paths."""
    latents = rng.standard_normal((60, 8)) * np.arange(1, 9) ** -0.5
    x, y = (
        latents @ rng.standard_normal((8, d)) + 0.5 * rng.standard_normal((60, d)) for d in (m, n)
    )
    x, y = (a / np.linalg.norm(a - a.mean(0), axis=0) for a in (x, y))
    return -(x - x.mean(0)).T @ (y - y.mean(0))


def forbidden(rng, m, n):
    cost = rng.standard_normal((m, n))
    cost[rng.random((m, n)) < 0.7] = np.inf
    k = np.arange(min(m, n))
    cost[rng.permutation(m)[k], rng.permutation(n)[k]] = 3  # keeps it feasible
    return cost


KINDS = {
    "normal": lambda rng, m, n: rng.standard_normal((m, n)),
    "correlated": correlated,
    "ties": lambda rng, m, n: rng.integers(0, 4, (m, n)).astype(float),
    "one value but one": lambda rng, m, n: np.where(np.arange(m * n).reshape(m, n) == 3, 0.0, 1.0),
    "products": lambda rng, m, n: np.outer(np.arange(m), np.arange(n)) / 7,
    "plane": lambda rng, m, n: np.linalg.norm(
        rng.random((m, 1, 2)) - rng.random((1, n, 2)), axis=-1
    ),
    "forbidden": forbidden,
    "offset": lambda rng, m, n: 1e6 + rng.standard_normal((m, n)),
    "wide range": lambda rng, m, n: 10 ** rng.uniform(-6, 6, (m, n)),
}
SHAPES = [
    (1, 1),
    (1, 7),
    (5, 5),
    (9, 4),
    (16, 16),
    (31, 40),
    (33, 33),
    (40, 130),
    (130, 64),
    (64, 64),
    (65, 65),
    (128, 128),
    (230, 230),
]

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def assert_one_to_one(cost, row_ind, col_ind):
    pairs = min(cost.shape)
    assert row_ind.dtype == col_ind.dtype == np.int64
    assert row_ind.shape == col_ind.shape == (pairs,)
    assert np.all(np.diff(row_ind) > 0)
    assert len(set(col_ind.tolist())) == pairs


def assert_certified(cost, found, maximize=False):
    """Dual feasibility, complementary slackness and a small gap, all looked at in float64."""
    cost = cost.astype(np.float64)
    m, n = cost.shape
    sign = -1 if maximize else 1
    finite = np.abs(cost[np.isfinite(cost)])
    rounding = 1e-13 * (1 + finite.max(initial=0)) * (1 + min(m, n))
    slack = sign * (cost - found.u[:, None] - found.v)
    assert slack.min(initial=0) >= -rounding
    assert np.all(slack[found.row_ind, found.col_ind] <= rounding)
    assert 0 <= found.gap <= rounding
    assert found.cost == pytest.approx(cost[found.row_ind, found.col_ind].sum(), abs=rounding)
    assert found.u.sum() + found.v.sum() == pytest.approx(
        found.cost - sign * found.gap, abs=rounding
    )
    for duals, taken, longer in ((found.u, found.row_ind, m > n), (found.v, found.col_ind, n > m)):
        if longer:
            assert np.all(sign * duals <= 0)
            assert np.all(np.delete(duals, taken) == 0)


@every_kind
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_optimum_is_scipys_and_certified(kind, shape, maximize, dtype):
    rng = np.random.default_rng(0)
    cost = kind(rng, *shape).astype(dtype)
    if maximize:
        cost = -cost
    exact = cost.astype(np.float64)  # of the same numbers, whatever their type
    optimum = exact[linear_sum_assignment(exact, maximize)].sum()
    for found in (lw.linear_sum_assignment(cost, maximize), lw.assignment(cost, maximize=maximize)):
        row_ind, col_ind = found[:2]
        assert_one_to_one(cost, row_ind, col_ind)
        assert exact[row_ind, col_ind].sum() == pytest.approx(optimum, rel=1e-12, abs=1e-12)
    assert_certified(cost, found, maximize)


@given(
    cost=st.integers(0, 5).flatmap(
        lambda n: st.lists(
            st.lists(
                st.one_of(st.integers(-3, 3).map(float), st.just(np.inf)), min_size=n, max_size=n
            ),
            min_size=1,
            max_size=5,
        )
    ),
    maximize=st.booleans(),
)
@settings(deadline=None)
def test_against_all_pairings(cost, maximize):
    cost = np.array(cost, dtype=np.float64)
    if maximize:
        cost = -cost
    optimum = slow.best_cost(cost, maximize)
    if np.isinf(optimum):
        with pytest.raises(ValueError, match=INFEASIBLE):
            lw.linear_sum_assignment(cost, maximize)
    else:
        found = lw.assignment(cost, maximize=maximize)
        assert found.cost == optimum
        assert_certified(cost, found, maximize)


def test_unique_optimum_has_scipys_indices():
    rng = np.random.default_rng(1)
    for shape in SHAPES:
        cost = rng.standard_normal(shape)
        for mine, scipys in zip(
            lw.linear_sum_assignment(cost), linear_sum_assignment(cost), strict=True
        ):
            np.testing.assert_array_equal(mine, scipys)


@pytest.mark.parametrize("n", [600, 1000])
def test_planted_assignment_is_found(n):
    rng = np.random.default_rng(2)
    planted = rng.permutation(n)
    cost = rng.random((n, n)) + 1
    cost[np.arange(n), planted] = rng.random(n)
    cost += rng.standard_normal((n, 1)) + rng.standard_normal(n)  # moves no optimum
    np.testing.assert_array_equal(lw.linear_sum_assignment(cost)[1], planted)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize(
    "shape", [(1, 1), (3, 3), (33, 33), (100, 100), (130, 130), (3, 50), (50, 3), (40, 70)]
)
def test_constant_costs_give_the_identity(shape, dtype):
    for value in (0, 7):
        row_ind, col_ind = lw.linear_sum_assignment(np.full(shape, value, dtype))
        np.testing.assert_array_equal(row_ind, np.arange(min(shape)))
        np.testing.assert_array_equal(col_ind, np.arange(min(shape)))


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0)])
def test_empty_matrices(shape):
    for mine, scipys in zip(
        lw.linear_sum_assignment(np.empty(shape)),
        linear_sum_assignment(np.empty(shape)),
        strict=True,
    ):
        assert mine.shape == scipys.shape == (0,)
        assert mine.dtype == np.int64
    found = lw.assignment(np.empty(shape))
    assert (found.cost, found.gap, found.u.shape, found.v.shape) == (0, 0, shape[:1], shape[1:])
    assert not found.u.any()
    assert not found.v.any()


@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("n", [3, 40, 200])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_scipy_refuses(layout, maximize, n, dtype):
    rng = np.random.default_rng(5)
    forbids = -np.inf if maximize else np.inf
    cases = {
        "nan first": (INVALID, (0, 0), np.nan),
        "nan last": (INVALID, (-1, -1), np.nan),
        "nan in a row that has no pair": (INVALID, (n // 2, 1), np.nan),
        "infinite on the wrong side": (INVALID, (n // 3, n // 2), -forbids),
        "a row without pairs": (INFEASIBLE, (n // 2, slice(None)), forbids),
        "a column without pairs": (INFEASIBLE, (slice(None), n // 2), forbids),
        "two rows, one column": (INFEASIBLE, (slice(0, 2), slice(1, None)), forbids),
    }
    for name, (text, where, value) in cases.items():
        cost = rng.standard_normal((n, n)).astype(dtype, order=layout)
        if name == "nan in a row that has no pair":
            cost[n // 2] = forbids
        cost[where] = value
        start = (rng.standard_normal(n), rng.standard_normal(n))
        for solve in (
            lambda c: linear_sum_assignment(c, maximize),
            lambda c: lw.linear_sum_assignment(c, maximize),
            lambda c: lw.assignment(c, maximize=maximize),
            lambda c, s=start: lw.assignment(c, maximize=maximize, duals=s),
        ):
            with pytest.raises(ValueError, match=f"^{text}$"):
                solve(cost)


def test_forbidden_pairs_are_avoided():
    cost = np.array([[1.0, np.inf, np.inf], [0.0, 5.0, np.inf], [0.0, 0.0, 9.0]])
    np.testing.assert_array_equal(lw.linear_sum_assignment(cost)[1], [0, 1, 2])
    np.testing.assert_array_equal(lw.linear_sum_assignment(-cost, maximize=True)[1], [0, 1, 2])


def test_other_refusals():
    with pytest.raises(ValueError, match=r"linear_sum_assignment: cost must have shape .*\(3,\)"):
        lw.linear_sum_assignment(np.ones(3))
    with pytest.raises(lw.InputTypeError, match="complex"):
        lw.linear_sum_assignment(np.ones((2, 2), complex))
    for duals, text in (
        ((np.ones(2), np.ones(3)), r"duals u must have shape \(3,\), got \(2,\)"),
        ((np.ones(3), np.ones((2, 3))), r"duals v must have shape \(3,\), got \(2, 3\)"),
        ((np.ones(3), np.array([1, np.nan, 1])), "v must be finite"),
        ((np.full(3, np.inf), np.ones(3)), "u must be finite"),
    ):
        with pytest.raises(ValueError, match=text):
            lw.assignment(np.eye(3), duals=duals)


@pytest.mark.parametrize("shape", [(2, 3, 12, 12), (4, 9, 14), (4, 14, 9), (0, 3, 3), (2, 0, 3)])
def test_batch_is_a_loop(shape):
    rng = np.random.default_rng(6)
    cost = rng.standard_normal(shape)
    batch, pairs = shape[:-2], min(shape[-2:])
    start = (rng.standard_normal(shape[:-1]), rng.standard_normal(shape[-1]))
    for stack in (cost, np.moveaxis(np.ascontiguousarray(np.moveaxis(cost, 0, -1)), -1, 0)):
        with lw.num_threads(2):
            row_ind, col_ind = lw.linear_sum_assignment(stack)
            found = lw.assignment(stack, duals=start)
        assert row_ind.shape == col_ind.shape == found.row_ind.shape == (*batch, pairs)
        assert found.cost.shape == found.gap.shape == batch
        assert (found.u.shape, found.v.shape) == (shape[:-1], (*batch, shape[-1]))
        for item in np.ndindex(batch):
            np.testing.assert_array_equal(row_ind[item], linear_sum_assignment(cost[item])[0])
            np.testing.assert_array_equal(col_ind[item], linear_sum_assignment(cost[item])[1])
            one = lw.assignment(cost[item], duals=(start[0][item], start[1]))
            for mine, wanted in zip(found, one, strict=True):
                np.testing.assert_array_equal(mine[item], wanted)


def test_a_bad_item_of_a_batch_is_named():
    cost = np.zeros((5, 3, 3))
    cost[3, 0] = np.inf
    cost[4, 0, 0] = np.nan
    with pytest.raises(ValueError, match=rf"^{INFEASIBLE} \(item 3 of the batch\)$"):
        lw.linear_sum_assignment(cost)


def test_a_broadcast_batch_repeats_one_solution():
    cost = np.random.default_rng(7).standard_normal((30, 30))
    col_ind = lw.linear_sum_assignment(np.broadcast_to(cost, (4, 30, 30)))[1]
    assert (col_ind == linear_sum_assignment(cost)[1]).all()


@every_kind
@pytest.mark.parametrize("shape", [(50, 50), (40, 75), (75, 40), (12, 12), (3, 40), (140, 150)])
@pytest.mark.parametrize("maximize", [False, True])
def test_any_start_leads_to_the_optimum(kind, shape, maximize):
    rng = np.random.default_rng(8)
    cost = kind(rng, *shape)
    if maximize:
        cost = -cost
    near = cost + 0.01 * rng.standard_normal(shape)
    cold = lw.assignment(cost, maximize=maximize)
    stale = lw.assignment(near, maximize=maximize)
    m, n = shape
    starts = {
        "exact": (cold.u, cold.v),
        "stale": (stale.u, stale.v),
        "zeros": (np.zeros(m), np.zeros(n)),
        "one for all": (np.float32(3), 2),
        "random": (rng.standard_normal(m), rng.standard_normal(n)),
        "huge": (1e12 * rng.standard_normal(m), 1e12 * rng.standard_normal(n)),
        "of the other problem": (-cold.u, -cold.v),
        "one far off": (
            np.where(np.arange(m) == 1, 1e9, cold.u),
            np.where(np.arange(n) == 2, -1e9, cold.v),
        ),
    }
    for name, duals in starts.items():
        warm = lw.assignment(cost, maximize=maximize, duals=duals)
        assert_one_to_one(cost, warm.row_ind, warm.col_ind)
        assert warm.cost == pytest.approx(cold.cost, rel=1e-12, abs=1e-12), name
        assert_certified(cost, warm, maximize)


def test_a_chain_of_checkpoints():
    rng = np.random.default_rng(9)
    cost = correlated(rng, 150, 150).astype(np.float32)
    duals = None
    for _ in range(5):
        cost += np.float32(0.02) * rng.standard_normal(cost.shape, np.float32)
        found = lw.assignment(cost, duals=duals)
        optimum = cost.astype(float)[linear_sum_assignment(cost)].sum()
        assert found.cost == pytest.approx(optimum, rel=1e-12)
        assert_certified(cost, found)
        duals = found.u, found.v


@pytest.mark.parametrize("simd", ["baseline", "avx2", "avx512"])
def test_every_instruction_set_finds_the_optimum(simd, tmp_path):
    rng = np.random.default_rng(12)
    costs = {
        f"{name} {m} {n}": kind(rng, m, n)
        for name, kind in KINDS.items()
        for m, n in ((12, 12), (33, 50), (70, 70), (150, 131))
    }
    np.savez(tmp_path / "costs.npz", **costs)
    code = """
import sys
import numpy as np
import likewise as lw

for name, cost in np.load(sys.argv[1]).items():
    for dtype in (np.float32, np.float64):
        stale = lw.assignment((cost + 0.01).astype(dtype), duals=(0, 0))
        found = lw.assignment(cost.astype(dtype), duals=(stale.u, stale.v))
        cold = lw.linear_sum_assignment(cost.astype(dtype))
        print(name, *cold[1], cost[cold].sum(), found.cost, found.gap, sep=",")
"""
    lines = output_of_variant(simd, "-c", code, tmp_path / "costs.npz").splitlines()
    assert len(lines) == 2 * len(costs)
    for k, line in enumerate(lines):
        name, *columns, total, warm, gap = line.split(",")
        cost = costs[name]
        best = cost[linear_sum_assignment(cost)].sum()
        rel = 1e-12 if k % 2 else 1e-6  # of costs that were rounded to float32
        assert len(set(columns)) == min(cost.shape)
        assert float(total) == pytest.approx(best, rel=rel, abs=rel), name
        assert float(warm) == pytest.approx(best, rel=rel, abs=rel), name
        assert 0 <= float(gap) <= 1e-12 * max(1, np.abs(cost[np.isfinite(cost)]).max()) * len(cost)
