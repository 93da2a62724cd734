"""Linear assignment against SciPy and its own certificates."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import likewise as lw

optimize = pytest.importorskip("scipy.optimize")

SHAPES = [(1, 1), (1, 7), (7, 1), (5, 5), (16, 16), (30, 45), (45, 30), (90, 64), (130, 130)]


def problem(kind, m, n, seed=0):
    rng = np.random.default_rng(seed)
    if kind == "uniform":
        return rng.random((m, n))
    if kind == "ties":
        return rng.integers(0, 4, (m, n)).astype(float)
    if kind == "correlations":
        z = rng.standard_normal((50, 8))
        x, y = z @ rng.standard_normal((8, m)), z @ rng.standard_normal((8, n))
        x += 0.3 * rng.standard_normal(x.shape)
        return -np.corrcoef(x, y, rowvar=False)[:m, m:]
    if kind == "large offsets":
        return 1e6 * rng.standard_normal((m, 1)) + 1e6 * rng.standard_normal(n) + rng.random((m, n))
    cost = rng.random((m, n))  # "forbidden": half the pairs, but never the diagonal
    cost[(rng.random((m, n)) < 0.5) & (np.arange(m)[:, None] % min(m, n) != np.arange(n))] = np.inf
    return cost


def check_optimal(cost, maximize=False):
    rows, cols = lw.linear_sum_assignment(cost, maximize)
    expected_rows, expected_cols = optimize.linear_sum_assignment(cost, maximize)
    assert rows.dtype == cols.dtype == np.int64
    assert (np.diff(rows) > 0).all()
    assert len(set(cols.tolist())) == len(cols) == min(cost.shape)
    total, expected = cost[rows, cols].sum(), cost[expected_rows, expected_cols].sum()
    assert total == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("kind", ["uniform", "ties", "correlations", "large offsets"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_costs_equal_scipys(shape, kind, maximize):
    check_optimal(problem(kind, *shape), maximize)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_forbidden_pairs(shape):
    cost = problem("forbidden", *shape)
    if np.isfinite(cost[np.arange(min(shape)), np.arange(min(shape))]).all():
        check_optimal(cost)
        check_optimal(-cost, maximize=True)


def test_all_small_integer_problems_by_enumeration():
    rng = np.random.default_rng(0)
    for _ in range(300):
        m, n = (int(k) for k in rng.integers(1, 5, 2))
        cost = rng.integers(-3, 4, (m, n)).astype(float)
        small, wide = (cost, n) if m <= n else (cost.T, m)
        best = min(
            sum(small[i, j] for i, j in enumerate(p))
            for p in itertools.permutations(range(wide), min(m, n))
        )
        rows, cols = lw.linear_sum_assignment(cost)
        assert cost[rows, cols].sum() == best


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    levels=st.sampled_from([1, 2, 3, 10, 10**6]),
    dtype=st.sampled_from([np.float64, np.float32]),
    maximize=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_certificates_hold(seed, shape, levels, dtype, maximize):
    cost = np.random.default_rng(seed).integers(0, levels, shape).astype(dtype)
    check_certificate(lw.assignment(cost, maximize=maximize), cost, maximize)
    check_optimal(cost.astype(np.float64), maximize)


def check_certificate(found, cost, maximize=False, tolerance=1e-12):
    cost = np.asarray(cost, np.float64)
    sign = -1 if maximize else 1
    scale = max(1.0, np.abs(cost[np.isfinite(cost)]).max())
    m, n = cost.shape
    slack = sign * (cost - found.u[:, None] - found.v)
    assert slack.min() >= -1e-14 * scale * 4
    if m > n:
        assert (sign * found.u <= 0).all()
    if n > m:
        assert (sign * found.v <= 0).all()
    assert found.cost == pytest.approx(cost[found.row_ind, found.col_ind].sum(), rel=1e-12)
    bound = found.u.sum() + found.v.sum()
    assert sign * (found.cost - bound) <= tolerance * scale * max(m, n)
    assert 0 <= found.gap <= tolerance * scale * max(m, n)


@pytest.mark.parametrize("kind", ["uniform", "correlations", "large offsets"])
@pytest.mark.parametrize("shape", [(60, 60), (40, 75), (75, 40)], ids=str)
@pytest.mark.parametrize("start", ["exact", "stale", "random", "huge", "zero"])
def test_warm_starts_never_change_the_optimum(shape, kind, start):
    cost = problem(kind, *shape)
    cold = lw.assignment(cost)
    rng = np.random.default_rng(5)
    if start == "exact":
        duals = cold.u, cold.v
    elif start == "stale":
        near = lw.assignment(cost + 0.01 * rng.standard_normal(shape))
        duals = near.u, near.v
    else:
        size = {"random": 1.0, "huge": 1e12, "zero": 0.0}[start]
        duals = size * rng.standard_normal(shape[0]), size * rng.standard_normal(shape[1])
    warm = lw.assignment(cost, duals=duals)
    assert warm.cost == pytest.approx(cold.cost, rel=1e-12)
    check_certificate(warm, cost)


def test_a_constant_matrix_gives_the_identity():
    for shape in ((5, 5), (3, 6), (200, 200)):
        rows, cols = lw.linear_sum_assignment(np.full(shape, 2.5))
        np.testing.assert_array_equal(rows, np.arange(shape[0]))
        np.testing.assert_array_equal(cols, np.arange(shape[0]))


def test_batches_equal_loops():
    costs = np.stack([problem("uniform", 20, 33, s) for s in range(6)]).reshape(2, 3, 20, 33)
    with lw.num_threads(2):
        rows, cols = lw.linear_sum_assignment(costs)
        certified = lw.assignment(costs)
    assert rows.shape == cols.shape == (2, 3, 20)
    for index in np.ndindex(2, 3):
        expected = optimize.linear_sum_assignment(costs[index])
        np.testing.assert_array_equal(cols[index], expected[1])
        assert certified.cost[index] == pytest.approx(costs[index][expected].sum())


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int32, np.uint8, bool, ">f8"])
def test_any_real_dtype(dtype):
    cost = np.random.default_rng(0).integers(0, 2, (12, 9)).astype(dtype)
    rows, cols = lw.linear_sum_assignment(cost)
    expected = optimize.linear_sum_assignment(cost.astype(np.float64))
    assert cost[rows, cols].sum() == cost[expected].sum()


def test_any_layout():
    cost = problem("uniform", 40, 60)
    expected = lw.linear_sum_assignment(cost)[1]
    wide = np.zeros((80, 180))
    wide[::2, ::3] = cost
    for view in (np.asfortranarray(cost), cost[::-1, ::-1][::-1, ::-1], wide[::2, ::3]):
        np.testing.assert_array_equal(lw.linear_sum_assignment(view)[1], expected)


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0), (3, 0, 2)], ids=str)
def test_empty_problems(shape):
    rows, cols = lw.linear_sum_assignment(np.empty(shape))
    assert rows.shape == cols.shape == (*shape[:-2], min(shape[-2:]))


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_invalid_entries_are_scipys_error(value):
    cost = np.ones((4, 5))
    cost[2, 3] = value
    for call in (lw.linear_sum_assignment, lw.assignment, optimize.linear_sum_assignment):
        with pytest.raises(ValueError, match="matrix contains invalid numeric entries"):
            call(cost)


def test_infeasible_is_scipys_error():
    cost = np.ones((4, 4))
    cost[:2, :3] = np.inf
    cost[2, :3] = np.inf
    for call in (lw.linear_sum_assignment, lw.assignment, optimize.linear_sum_assignment):
        with pytest.raises(ValueError, match="cost matrix is infeasible"):
            call(cost)


def test_duals_are_checked():
    cost = np.ones((3, 4))
    with pytest.raises(ValueError, match=r"duals u must have shape \(3,\), got \(2,\)"):
        lw.assignment(cost, duals=(np.zeros(2), np.zeros(4)))
    with pytest.raises(ValueError, match="v must be finite"):
        lw.assignment(cost, duals=(np.zeros(3), np.full(4, np.nan)))
    with pytest.raises(ValueError, match=r"cost must have shape \(\.\.\., m, n\)"):
        lw.linear_sum_assignment(np.ones(3))


@pytest.mark.parametrize("isa", ["baseline", "avx2", "avx512"])
def test_every_simd_variant_finds_the_optimum(isa, tmp_path):
    kinds = ("uniform", "ties", "correlations")
    costs = {k: problem(k, 70, 90) for k in kinds}
    np.savez(tmp_path / "costs.npz", **costs)
    code = (
        "import numpy as np, likewise as lw\n"
        "f = np.load('costs.npz')\n"
        "for k in f.files:\n"
        "    print(k, repr(float(lw.assignment(f[k]).cost)))\n"
        "    print(k, repr(float(lw.assignment(f[k].astype(np.float32)).cost)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
        env=os.environ | {"LIKEWISE_SIMD": isa}, check=False,
    )  # fmt: skip
    if "LIKEWISE_SIMD must be" in run.stderr:
        pytest.skip(f"this processor or build has no {isa}")
    assert run.returncode == 0, run.stderr
    found = [float(line.split()[1]) for line in run.stdout.splitlines()]
    for k, kind in enumerate(kinds):
        cost = costs[kind]
        best = cost[optimize.linear_sum_assignment(cost)].sum()
        assert found[2 * k] == pytest.approx(best, rel=1e-12)
        assert found[2 * k + 1] == pytest.approx(best, rel=1e-5)


def correlations(x, y):
    return np.corrcoef(x, y, rowvar=False)[: x.shape[1], x.shape[1] :]


def representations(dx, dy, n=80, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 6))
    return (z @ rng.standard_normal((6, d)) + 0.5 * rng.standard_normal((n, d)) for d in (dx, dy))


@pytest.mark.parametrize("widths", [(9, 9), (6, 13), (13, 6), (1, 5)], ids=str)
def test_permutation_match_is_the_best_pairing_of_correlations(widths):
    x, y = representations(*widths)
    c = correlations(x, y)
    rows, cols = optimize.linear_sum_assignment(c, maximize=True)
    match = lw.permutation_match(x, y)
    assert match.score == pytest.approx(c[rows, cols].mean(), abs=1e-12)
    expected = np.full(widths[0], -1)
    expected[rows] = cols
    np.testing.assert_array_equal(match.assignment, expected)


@pytest.mark.parametrize("widths", [(9, 9), (6, 13), (13, 6)], ids=str)
def test_semi_match_takes_the_best_partner_of_each_unit(widths):
    x, y = representations(*widths)
    c = correlations(x, y)
    match = lw.semi_match(x, y)
    np.testing.assert_array_equal(match.assignment, c.argmax(axis=1))
    assert match.score == pytest.approx(c.max(axis=1).mean(), abs=1e-12)
    # Columns twice: the first of equal partners wins.
    twice = lw.semi_match(x, np.hstack([y, y]))
    np.testing.assert_array_equal(twice.assignment, match.assignment)


def test_planted_permutations_are_found():
    x, _ = representations(40, 1)
    p = np.random.default_rng(3).permutation(40)
    match = lw.permutation_match(x, 2 * x[:, p] + 5)
    assert match.score == pytest.approx(1, abs=1e-12)
    np.testing.assert_array_equal(p[match.assignment], np.arange(40))


def test_matches_of_batches_equal_loops():
    x = np.stack([next(representations(7, 5, seed=s)) for s in range(4)])
    y = next(representations(5, 5, seed=9))
    for function in (lw.permutation_match, lw.semi_match):
        match = function(x, y)
        for k in range(4):
            single = function(x[k], y)
            assert match.score[k] == pytest.approx(single.score, abs=1e-13)
            np.testing.assert_array_equal(match.assignment[k], single.assignment)


def test_constant_units_and_representations():
    x, y = representations(5, 6)
    x[:, 2] = 4
    with pytest.warns(lw.DegenerateWarning, match="1 constant unit "):
        match = lw.permutation_match(x, y)
    kept = lw.permutation_match(np.delete(x, 2, axis=1), y)
    assert match.score == pytest.approx(kept.score * 4 / 5)
    with pytest.warns(lw.DegenerateWarning, match="1 constant representation"):
        match = lw.permutation_match(np.ones((80, 3)), y)
    assert np.isnan(match.score)
    np.testing.assert_array_equal(match.assignment, [-1, -1, -1])
