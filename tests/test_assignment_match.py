"""Matching of units: permutation_match and semi_match."""

from __future__ import annotations

import numpy as np
import pytest
from reference import assignment

import likewise as lw

pytestmark = pytest.mark.device

FUNCTIONS = {
    "permutation_match": (lw.permutation_match, assignment.permutation_match),
    "semi_match": (lw.semi_match, assignment.semi_match),
}
every_function = pytest.mark.parametrize(
    ("function", "slow"), FUNCTIONS.values(), ids=list(FUNCTIONS)
)
TOLERANCE = {np.float32: 2e-6, np.float64: 1e-13}  # a few roundings of correlations


def units(rng, *shape):
    """Units around different means, of different sizes, that share one latent."""
    x = rng.standard_normal(shape) + rng.standard_normal((*shape[:-1], 1))
    return x * 10.0 ** rng.integers(-2, 3, shape[-1]) + 5 * rng.standard_normal(shape[-1])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@every_function
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("dx", "dy"), [(1, 1), (6, 6), (4, 9), (9, 4), (40, 35), (20, 600)])
def test_scores_are_the_oracles(function, slow, dtype, dx, dy, rng):
    x, y = units(rng, 50, dx).astype(dtype), units(rng, 50, dy).astype(dtype)
    found = function(x, y)
    assert found.score.dtype == dtype
    assert found.score == pytest.approx(slow(x, y), abs=TOLERANCE[dtype])
    assert found.assignment.shape == (dx,)
    assert found.assignment.dtype == np.int64
    assert lw.pairwise([x, y], function.__name__)[0, 1] == pytest.approx(
        found.score, abs=TOLERANCE[dtype]
    )
    similarity = assignment.correlations(x, y)
    matched = found.assignment >= 0
    assert similarity[matched, found.assignment[matched]].mean() == pytest.approx(
        found.score, abs=TOLERANCE[dtype]
    )


@pytest.mark.parametrize(("dx", "dy"), [(30, 30), (30, 50), (50, 30)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_planted_permutation_is_recovered(dx, dy, dtype, rng):
    narrow, wide = sorted((dx, dy))
    x = units(rng, 80, wide)
    order = rng.permutation(wide)
    y = (x[:, order] * rng.uniform(0.1, 9, wide) + rng.standard_normal(wide))[:, :narrow]
    if dx < dy:
        found = lw.permutation_match(y.astype(dtype), x.astype(dtype))
        np.testing.assert_array_equal(found.assignment, order[:narrow])
    else:
        found = lw.permutation_match(x.astype(dtype), y.astype(dtype))
        expected = np.full(wide, -1)
        expected[order[:narrow]] = np.arange(narrow)
        np.testing.assert_array_equal(found.assignment, expected)
    assert found.score == pytest.approx(1, abs=TOLERANCE[dtype])


def test_permutation_match_uses_every_unit_of_the_narrow_side(rng):
    found = lw.permutation_match(units(rng, 40, 20), units(rng, 40, 12)).assignment
    assert (found == -1).sum() == 8
    np.testing.assert_array_equal(np.sort(found[found >= 0]), np.arange(12))


def test_semi_match_is_a_plain_loop(rng):
    x, y = units(rng, 40, 15), units(rng, 40, 6)
    found = lw.semi_match(x, y)
    similarity = assignment.correlations(x, y)
    for i in range(15):
        best = 0
        for j in range(6):
            if similarity[i, j] > similarity[i, best]:
                best = j
        assert found.assignment[i] == best
    assert len(set(found.assignment)) < 15  # repeats


def test_semi_match_takes_the_first_of_equal_partners(rng):
    x = units(rng, 30, 3)
    y = np.column_stack([units(rng, 30, 1), x[:, 2], x[:, 1], x[:, 2], x[:, 1]])
    np.testing.assert_array_equal(lw.semi_match(x[:, 1:], y).assignment, [2, 1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_units_are_equal_partners_wherever_they_stand(rng, dtype):
    """Their products are rounded in another order at the edge of a block, or after scaling."""
    x = units(rng, 1000, 8)
    copies = x[:, rng.permutation(np.repeat(np.arange(8), 25))]
    y = np.column_stack([copies * rng.uniform(0.1, 9, 200), units(rng, 1000, 7)])
    first = [int(np.argmax((copies == unit[:, None]).all(axis=0))) for unit in x.T]
    x, y = x.astype(dtype), y.astype(dtype)
    assert lw.semi_match(x, y).assignment.tolist() == first
    batch = lw.semi_match(np.stack([x, x]), np.stack([y, y[:, ::-1]]))
    assert batch.assignment[0].tolist() == first
    assert lw.match_units(lw.unit_similarity(x, y)).greedy.tolist() == first
    assert lw.match_units(lw.unit_similarity(x, y) / 64).greedy.tolist() == first
    best = batch.score.mean(), lw.pairwise([x, y], "semi_match")[0, 1]
    np.testing.assert_allclose(best, 1, atol=2e-6 if dtype == np.float32 else 1e-12)


def test_semi_match_bounds_permutation_match(rng):
    x, y = units(rng, 40, 10), units(rng, 40, 14)
    assert lw.semi_match(x, y).score >= lw.permutation_match(x, y).score
    assert lw.semi_match(x, y).score != pytest.approx(lw.semi_match(y, x).score)


def test_similarity_must_be_known():
    for name, (function, _) in FUNCTIONS.items():
        with pytest.raises(ValueError, match=f"{name}: similarity must be 'correlation', got 'x'"):
            function(np.eye(3), np.eye(3), similarity="x")
