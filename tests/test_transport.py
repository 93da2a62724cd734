"""Optimal transport against linear programmes and certificates; soft matching of units."""

from __future__ import annotations

import numpy as np
import pytest
from reference import transport as slow
from reference.assignment import correlations
from variants import related

import likewise as lw

pytestmark = pytest.mark.device

# On a device given masses and parts of the mass go to the CPU, which tests/test_cuda.py hears.

SHAPES = [(1, 1), (1, 7), (5, 1), (6, 6), (4, 9), (9, 6), (13, 8), (12, 18), (33, 50), (64, 16)]
KINDS = {
    "normal": lambda rng, m, n: rng.standard_normal((m, n)),
    "ties": lambda rng, m, n: rng.integers(0, 3, (m, n)).astype(float),
    "constant": lambda rng, m, n: np.full((m, n), 2.5),
    "low rank": lambda rng, m, n: np.outer(rng.random(m), rng.random(n)),
    "far from zero": lambda rng, m, n: 1e6 + rng.standard_normal((m, n)),
}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def masses(rng, count):
    """Positive, with some zeros, sum 1."""
    mass = rng.random(count) * (rng.random(count) > 0.3)
    mass[0] += 0.1
    return mass / mass.sum()


def check(cost, found, a, b):
    """Feasible, and proven optimal by its own duals, to rounding."""
    scale = max(1, np.abs(cost[np.isfinite(cost)]).max())
    assert (found.plan >= 0).all()
    np.testing.assert_allclose(found.plan.sum(axis=1), a, rtol=0, atol=1e-14)
    np.testing.assert_allclose(found.plan.sum(axis=0), b, rtol=0, atol=1e-14)
    used = found.plan > 0
    total = (found.plan[used] * cost[used]).sum()
    assert (cost - found.u[:, None] - found.v >= -1e-12 * scale).all()
    assert abs(total - found.u @ a - found.v @ b) <= 1e-12 * scale
    assert 0 <= found.gap <= 1e-12 * scale
    return total


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("m", "n"), SHAPES)
def test_plans_are_optimal(kind, m, n, rng):
    cost = KINDS[kind](rng, m, n)
    found = lw.optimal_transport(cost, return_duals=True)
    total = check(cost, found, np.full(m, 1 / m), np.full(n, 1 / n))
    assert total == pytest.approx(slow.optimal_cost(cost), abs=1e-9 * np.abs(cost).max())
    np.testing.assert_array_equal(lw.optimal_transport(cost), found.plan)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("m", "n"), SHAPES)
def test_given_masses(kind, m, n, rng):
    cost = KINDS[kind](rng, m, n)
    a, b = masses(rng, m), masses(rng, n)
    total = check(cost, lw.optimal_transport(cost, a, b, return_duals=True), a, b)
    assert total == pytest.approx(slow.optimal_cost(cost, a, b), abs=1e-9 * np.abs(cost).max())


def test_large_problems_prove_themselves(rng):
    x, y = rng.standard_normal((300, 120)), rng.standard_normal((300, 180))
    cost = -correlations(x, y)
    # Rows of the last one need more columns than their lists of candidates hold.
    for c in (cost, cost.T, cost[:15], cost[:4]):
        uniform = (np.full(k, 1 / k) for k in c.shape)
        check(c, lw.optimal_transport(c, return_duals=True), *uniform)
    a, b = masses(rng, 120), masses(rng, 180)
    check(cost, lw.optimal_transport(cost, a, b, return_duals=True), a, b)


def test_unnormalised_masses_and_one_side_given(rng):
    cost = rng.standard_normal((5, 8))
    a = 7 * masses(rng, 5)
    found = lw.optimal_transport(cost, a, return_duals=True)
    check(cost, found, a, np.full(8, 7 / 8))
    b = 0.25 * masses(rng, 8)
    check(cost, lw.optimal_transport(cost, b=b, return_duals=True), np.full(5, 0.05), b)


def test_sums_that_differ_by_rounding_of_the_caller_are_equal(rng):
    cost = rng.standard_normal((5, 8))
    a, b = masses(rng, 5), masses(rng, 8)
    given = (b * (1 + 1e-8)).astype(np.float32)
    plan = lw.optimal_transport(cost, a, given)
    np.testing.assert_allclose(plan.sum(axis=1), a, rtol=0, atol=1e-15)
    wide = given.astype(np.float64)
    np.testing.assert_allclose(plan.sum(axis=0), wide / wide.sum(), rtol=0, atol=1e-15)


def test_equal_uniform_masses_are_an_assignment(rng):
    cost = rng.standard_normal((40, 40))
    rows, cols = lw.linear_sum_assignment(cost)
    expected = np.zeros((40, 40))
    expected[rows, cols] = 1 / 40
    np.testing.assert_allclose(lw.optimal_transport(cost), expected, rtol=0, atol=1e-16)


def test_infinity_forbids_a_pair(rng):
    cost = rng.standard_normal((6, 9))
    cost[rng.random((6, 9)) < 0.4] = np.inf
    cost[2] = np.where(np.isinf(cost[2]), 1.0, cost[2])
    cost[:, 4] = 0.5
    found = lw.optimal_transport(cost, return_duals=True)
    assert (found.plan[np.isinf(cost)] == 0).all()
    total = check(cost, found, np.full(6, 1 / 6), np.full(9, 1 / 9))
    assert total == pytest.approx(slow.optimal_cost(cost), abs=1e-12)


def test_batches_equal_loops(rng):
    cost = rng.standard_normal((2, 3, 8, 6)).astype(np.float32)
    a, b = masses(rng, 8), np.stack([masses(rng, 6) for _ in range(3)])
    found = lw.optimal_transport(cost, a, b, return_duals=True)
    assert found.plan.dtype == np.float32
    for i in range(2):
        for j in range(3):
            alone = lw.optimal_transport(cost[i, j], a, b[j], return_duals=True)
            for part, whole in zip(alone, found, strict=True):
                np.testing.assert_array_equal(part, whole[i, j])
    assert lw.optimal_transport(np.empty((0, 3, 4))).shape == (0, 3, 4)


@pytest.mark.parametrize(
    ("cost", "options", "message"),
    [
        (np.ones(3), {}, r"cost must have shape \(..., m, n\), got \(3,\)"),
        (np.ones((0, 3)), {}, "at least one row and one column"),
        ([[1.0, np.nan]], {}, "invalid numeric entries"),
        ([[1.0, -np.inf]], {}, "invalid numeric entries"),
        ([[np.inf, np.inf], [1.0, 2.0]], {}, "infeasible"),
        (np.full((2, 2, 2), [[np.inf, 1], [np.inf, 1]]), {}, "infeasible .item 0 of the batch"),
        (np.ones((2, 3)), {"a": np.ones(3)}, r"a must have shape \(2,\), got \(3,\)"),
        (
            np.ones((2, 3)),
            {"b": np.array([1.0, -1.0, 1.0])},
            "b must be at least 0 with a positive sum",
        ),
        (np.ones((2, 3)), {"a": np.zeros(2)}, "a must be at least 0 with a positive sum"),
        (np.ones((2, 3)), {"a": np.array([1.0, np.inf])}, "a must be finite"),
        (np.ones((2, 3)), {"a": np.ones(2), "b": np.ones(3)}, "equal sums, got 2.0 and 3.0"),
    ],
)
def test_bad_input_is_named(cost, options, message):
    with pytest.raises(ValueError, match=message):
        lw.optimal_transport(np.asarray(cost), **options)


# Soft matching


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"score": "distance"},
        {"mass": 0.4},
        {"mass": 0.95},
        {"score": "distance", "mass": 0.7},
    ],
)
@pytest.mark.parametrize(("dx", "dy"), [(7, 7), (5, 8), (12, 4), (1, 6)])
def test_soft_match_is_the_linear_programme(options, dx, dy, rng):
    x, y = related(60, dx, dy)
    x[:, 0] = 3
    if dx == 1:
        x[0] = 0
    y[:, -1] = -1
    with pytest.warns(lw.DegenerateWarning):
        score, plan = lw.soft_match(x, y, **options)
    assert score == pytest.approx(slow.soft_match(x, y, **options), abs=1e-9)
    mass = options.get("mass", 1)
    assert plan.sum() == pytest.approx(mass, abs=1e-14)
    assert (plan.sum(axis=1) <= 1 / dx + 1e-15).all()
    assert (plan.sum(axis=0) <= 1 / dy + 1e-15).all()


def test_equal_widths_are_the_best_permutation(rng):
    x, y = related(80, 20, 20)
    score, plan = lw.soft_match(x, y)
    best = lw.permutation_match(x, y)
    assert score == pytest.approx(best.score, abs=1e-14)
    np.testing.assert_array_equal(plan.argmax(axis=1), best.assignment)


def test_copies_of_units_are_at_distance_zero(rng):
    x = rng.standard_normal((50, 6))
    y = 3 * np.repeat(x, 4, axis=1)[:, rng.permutation(24)] - 5
    assert lw.soft_match(x, y).score == pytest.approx(1, abs=1e-14)
    assert lw.soft_match(x, y, score="distance").score < 1e-12


@pytest.mark.parametrize("score", ["similarity", "distance"])
@pytest.mark.parametrize(
    ("dtype", "mass"),
    [(np.float64, 1e-300), (np.float64, 1e-17), (np.float64, 0.1), (np.float32, 1e-37)],
)
def test_small_masses_are_sent_as_exactly_as_large_ones(dtype, mass, score, rng):
    """Below 1 / max(dx, dy) all of it goes between the best pair of units."""
    x = rng.standard_normal((40, 6)).astype(dtype)
    y = rng.standard_normal((40, 9)).astype(dtype)
    y[:, 4] = x[:, 2] + dtype(0.3) * y[:, 4]
    found, plan = lw.soft_match(x, y, mass=mass, score=score)
    assert [tuple(pair) for pair in np.argwhere(plan)] == [(2, 4)]
    assert plan[2, 4] == pytest.approx(dtype(mass), rel=1e-14 if dtype == np.float64 else 1e-6)
    best = np.corrcoef(x[:, 2].astype(float), y[:, 4].astype(float))[0, 1]
    expected = best if score == "similarity" else np.sqrt(mass * (2 - 2 * best))
    assert found == pytest.approx(expected, rel=1e-5 if dtype == np.float32 else 1e-12)
    grid = lw.pairwise([x, y], "soft_match", mass=mass, score=score)
    assert grid[0, 1] == pytest.approx(float(found), rel=1e-6)


@pytest.mark.parametrize(("dtype", "mass"), [(np.float32, 1e-40), (np.float64, 1e-310)])
def test_a_mass_that_the_plan_cannot_hold_is_refused(dtype, mass, rng):
    x, y = rng.standard_normal((2, 20, 4)).astype(dtype)
    with pytest.raises(ValueError, match=r"mass must be at least .*e-(38|308) for a plan in float"):
        lw.soft_match(x, y, mass=mass)


@pytest.mark.parametrize("scale", [1e-300, 1e-15, 1e300])
def test_masses_of_any_size_are_sent_exactly(scale, rng):
    cost, a, b = rng.random((5, 8)), masses(rng, 5), masses(rng, 8)
    plan = lw.optimal_transport(cost, a * scale, b * scale)
    np.testing.assert_allclose(plan.sum(axis=1), a * scale, rtol=1e-12, atol=1e-15 * scale)
    np.testing.assert_allclose(plan / scale, lw.optimal_transport(cost, a, b), atol=1e-15)


def test_a_part_of_the_mass_finds_the_part_in_common(rng):
    shared = rng.standard_normal((200, 5))
    x = np.hstack([shared, rng.standard_normal((200, 5))])
    y = np.hstack([rng.standard_normal((200, 5)), shared])
    score, plan = lw.soft_match(x, y, mass=0.5)
    assert score == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(plan[:5, 5:], np.eye(5) / 10, rtol=0, atol=1e-14)
    assert lw.soft_match(x, y).score < 0.7


def test_float32_is_solved_as_exactly(rng):
    x, y = (a.astype(np.float32) for a in related(100, 24, 36))
    score, plan = lw.soft_match(x, y)
    assert score.dtype == plan.dtype == np.float32
    assert score == pytest.approx(slow.soft_match(x, y), abs=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"score": "angular"}, "score must be 'similarity' or 'distance', got 'angular'"),
        ({"mass": 0}, r"mass must be in \(0, 1\], got 0"),
        ({"mass": 1.5}, r"mass must be in \(0, 1\], got 1.5"),
        ({"mass": np.nan}, "mass must be in"),
        ({"similarity": "cosine"}, "similarity must be 'correlation', got 'cosine'"),
    ],
)
def test_bad_options_are_named(options, message, rng):
    with pytest.raises(ValueError, match=message):
        lw.soft_match(*related(10, 3, 4), **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_columns_that_take_nothing_do_not_loosen_the_certificate(dtype):
    cost = np.array([[-2, 2], [-1, 0], [0, -2], [-1, 0]], dtype)
    masses = ([1, 4, 0, 5], [0, 10]), ([1, 4, 0, 5], [10, 0]), ([0, 0, 1, 0], [0.5, 0.5])
    for a, b in (map(np.array, given) for given in masses):
        for problem, supply, demand in ((cost, a, b), (cost.T, b, a)):
            found = lw.optimal_transport(problem, supply, demand, return_duals=True)
            assert found.gap == 0
            duals = found.u[:, None] + found.v
            assert (problem - duals >= 0).all()
            assert found.u @ supply + found.v @ demand == (found.plan * problem).sum()


def test_whole_masses_are_not_rounded():
    """What may go where must be exactly as much as there is."""
    cost = np.zeros((2, 7))
    cost[1, [2, 3, 5]] = np.inf
    plan = lw.optimal_transport(cost, None, np.array([0.0, 3, 3, 4, 2, 0, 2]))
    np.testing.assert_array_equal(plan[1], [0, 3, 0, 0, 2, 0, 2])
    np.testing.assert_array_equal(plan.sum(axis=0), [0, 3, 3, 4, 2, 0, 2])


def test_a_row_without_another_choice_does_not_loosen_the_certificate():
    """All columns that it may use are its own as a whole, at different costs."""
    inf = np.inf
    cost = np.array([[inf, -1, inf, 3], [-1, inf, 5, inf], [1, 1, -1, 0]])
    a, b = np.array([3.0, 3, 2]), np.array([1.0, 2, 2, 3])
    found = lw.optimal_transport(cost, a, b, return_duals=True)
    check(cost, found, a, b)
    assert found.gap <= 1e-14
    assert (found.plan * np.where(np.isfinite(cost), cost, 0)).sum() == slow.optimal_cost(
        cost, a, b
    )
