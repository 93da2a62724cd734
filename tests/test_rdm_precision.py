"""Dissimilarities to a small relative error, and ties of what is equal: on every path alike."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from reference import rsa as slow
from variants import HARD, paths

import likewise as lw

pytestmark = pytest.mark.device

ANGLES = ["correlation", "cosine"]
DISTANCES = ["euclidean", "sqeuclidean"]
RANKED = ["spearman", "rho-a", "kendall", "tau-a"]
COMPARISONS = [*RANKED, "cosine", "corr", "cosine_cov", "corr_cov", "bures"]
FLOATS = [np.float64, np.float32]


def normal(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def nearly_parallel(x):
    return x[:1] * np.linspace(1, 3, len(x))[:, None] + 1e-4 * normal(*x.shape, 1)


# What language models and repeated stimuli look like.
KINDS = {
    kind: HARD[kind]
    for kind in ("plain", "far clusters", "a large mean", "one massive unit", "nearly equal")
} | {"nearly parallel": nearly_parallel}


def hard(kind, dtype):
    return KINDS[kind](normal(20, 16)).astype(dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("data", KINDS)
@pytest.mark.parametrize("dissimilarity", ANGLES + DISTANCES)
def test_relative_errors_are_small(dissimilarity, data, dtype):
    x = hard(data, dtype)
    x[7] = x[2]
    found = lw.rdm(x, dissimilarity=dissimilarity)
    exact = slow.dissimilarities(x, dissimilarity)
    # A tenth of what ties; one rounding to float32.
    rtol = 1e-13 if dtype == np.float64 else 1e-7
    np.testing.assert_allclose(found, exact.astype(np.float64), rtol=rtol, atol=0)
    assert found[2 * (2 * 20 - 2 - 1) // 2 + 7 - 2 - 1] == 0


def test_small_spreads_have_correlations():
    x = 1 + 1e-14 * normal(20, 16)
    exact = slow.dissimilarities(x, "correlation").astype(np.float64)
    np.testing.assert_allclose(lw.rdm(x), exact, rtol=1e-13, atol=0)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("data", KINDS)
def test_mahalanobis_distances_keep_their_digits(data, dtype):
    x = hard(data, dtype)
    x[17] = x[2]
    root = np.tril(0.2 * normal(16, 16, 4)) + np.eye(16)
    precision = root @ root.T
    found = lw.rdm(x, dissimilarity="mahalanobis", precision=precision)
    root = np.linalg.cholesky(precision).astype(np.longdouble)
    exact = [np.sqrt(((a - b) @ root) @ ((a - b) @ root)) for a, b in pairs_of(np.longdouble(x))]
    # Units cancel in a difference that was whitened: times the condition, some 100, and 1e3.
    rtol = 1e-10 if dtype == np.float64 else 1e-7
    np.testing.assert_allclose(found, np.float64(exact), rtol=rtol, atol=0)
    assert found[2 * (2 * 20 - 2 - 1) // 2 + 17 - 2 - 1] == 0


# Representations in which dissimilarities are equal mathematically, with these.
def two_units():
    x = normal(40, 2)
    x[:20] = x[20:] * 3 - 7  # parallel after centring
    rising = x[:, 1] > x[:, 0]
    return x, "correlation", [2.0 * (a != b) for a, b in pairs_of(rising)]


def one_unit():
    x = normal(40, 1)
    return x, "cosine", [2.0 * (a != b) for a, b in pairs_of(x[:, 0] > 0)]


def repeated():
    x = np.repeat(normal(10, 6), 4, axis=0)
    return x, "correlation", round_equal(slow.dissimilarities(x, "correlation"))


def repeated_far_away():
    x = np.repeat(normal(10, 6), 4, axis=0) + 1e4
    return x, "cosine", round_equal(slow.dissimilarities(x, "cosine"))


def whole_numbers_far_away():
    x = np.random.default_rng(3).integers(0, 2, (30, 3)) + 4096.0
    return x, "cosine", round_equal(slow.dissimilarities(x, "cosine"))


def multiples():
    x = np.random.default_rng(3).integers(0, 3, (30, 4)).astype(float)
    x[:, 0] += 1
    x[::2] *= 5
    return x, "cosine", round_equal(slow.dissimilarities(x, "cosine"))


def grid_points():
    x = np.random.default_rng(3).integers(0, 3, (30, 3)).astype(float)
    return 0.1 * x, "euclidean", round_equal(slow.dissimilarities(x, "euclidean"))


def pairs_of(values):
    return [(a, b) for i, a in enumerate(values) for b in values[i + 1 :]]


def round_equal(exact):
    """What differs by the rounding of extended precision alone becomes equal."""
    exact = np.where(exact < 1e-20, 0, exact)
    digits = np.floor(np.log10(np.where(exact > 0, exact, 1))).astype(int)
    return [float(np.round(value, 12 - d)) for value, d in zip(exact, digits, strict=True)]


TIED = [
    two_units,
    one_unit,
    repeated,
    repeated_far_away,
    whole_numbers_far_away,
    multiples,
    grid_points,
]


@pytest.mark.parametrize("comparison", RANKED)
@pytest.mark.parametrize("make", TIED)
def test_equal_dissimilarities_tie_on_every_path(make, comparison):
    x, dissimilarity, exact = make()
    y = normal(len(x), 5, 9)
    expected = slow.compare(exact, slow.dissimilarities(y, dissimilarity), comparison)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", lw.DeviceWarning)
        measure = lw.measure("rsa", dissimilarity=dissimilarity, comparison=comparison)
        for path, score in paths(measure, x, y).items():
            assert score == pytest.approx(expected, abs=1e-12), path
        rdms = [lw.rdm(side, dissimilarity=dissimilarity) for side in (x, y)]
        assert lw.compare_rdms(*rdms, comparison=comparison) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("comparison", ["cosine", "corr", "cosine_cov", "corr_cov"])
@pytest.mark.parametrize("data", KINDS)
@pytest.mark.parametrize("dissimilarity", ANGLES + DISTANCES)
def test_float32_gradients_are_those_of_the_same_numbers(dissimilarity, data, comparison):
    x, y = hard(data, np.float32), normal(20, 5, 9).astype(np.float32)
    measure = lw.measure("rsa", dissimilarity=dissimilarity, comparison=comparison)
    found, expected = measure.gradients(x, y), measure.gradients(np.float64(x), np.float64(y))
    assert found[0] == pytest.approx(expected[0], abs=1e-7)
    for one, other in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6 * np.abs(other).max())


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize("dissimilarity", ANGLES)
@pytest.mark.parametrize("data", KINDS)
def test_units_have_no_order(data, dissimilarity, comparison, dtype):
    x = hard(data, dtype)
    permuted = x[:, np.random.default_rng(2).permutation(x.shape[1])]
    score = lw.rsa(x, permuted, dissimilarity=dissimilarity, comparison=comparison)
    assert score == pytest.approx(1, abs=1e-7 if comparison == "bures" else 1e-11)


@pytest.mark.parametrize("comparison", ["spearman", "kendall", "tau-b", "corr", "corr_cov"])
@pytest.mark.parametrize("dissimilarity", ANGLES + DISTANCES)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [6, 17, 30])
def test_rdms_of_equal_entries_are_nan_and_said_once(n, dtype, dissimilarity, comparison):
    x, y = (0.1 * np.eye(n)).astype(dtype), normal(n, 5).astype(dtype)
    options = {"dissimilarity": dissimilarity, "comparison": comparison}
    flat = np.full(n * (n - 1) // 2, 0.1, dtype)
    calls = [
        lambda: lw.rsa(x, y, **options),
        lambda: lw.cross([x], [y], "rsa", **options)[0, 0],
        lambda: lw.compare_rdms(flat, lw.rdm(y), comparison=comparison),
    ]
    for call in calls:
        with pytest.warns(lw.DegenerateWarning, match="1 RDM whose entries are all equal") as said:
            assert np.isnan(call())
        assert len([one for one in said if one.category is lw.DegenerateWarning]) == 1


@pytest.mark.parametrize("scale", [1e160, 1e-160, 1e300, 1e-300])
@pytest.mark.parametrize("comparison", COMPARISONS)
def test_rdms_compare_at_any_scale(comparison, scale):
    rdms = lw.rdm(np.stack([normal(8, 5, seed) for seed in range(3)]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = lw.compare_rdms(scale * rdms, rdms, comparison=comparison)
    expected = lw.compare_rdms(rdms, rdms, comparison=comparison)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7)


def test_distances_that_overflow_are_infinite():
    x = 1e160 * normal(5, 3)
    assert np.isinf(lw.rdm(x, dissimilarity="sqeuclidean")).all()
    exact = slow.dissimilarities(x, "euclidean").astype(np.float64)
    np.testing.assert_allclose(lw.rdm(x, dissimilarity="euclidean"), exact, rtol=1e-13)
