"""Common nearest neighbours against whole masks; ties, degenerate samples, planted agreement."""

from __future__ import annotations

import numpy as np
import pytest
from reference import neighbours as slow

import likewise as lw

FUNCTIONS = ["mutual_knn", "jaccard_knn", "cknna"]


def pair(n, dx, dy, seed=0):
    rng = np.random.default_rng(seed)
    latents = rng.standard_normal((n, 5))
    return tuple(
        latents @ rng.standard_normal((5, d)) + 0.3 * rng.standard_normal((n, d)) + 2
        for d in (dx, dy)
    )


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(("n", "dx", "dy", "k"), [(12, 4, 3, 10), (60, 8, 20, 5), (250, 3, 3, 1),
                                                  (301, 12, 7, 40), (40, 90, 60, 39)])  # fmt: skip
def test_agrees_with_masks(function, n, dx, dy, k):
    x, y = pair(n, dx, dy)
    found, expected = getattr(lw, function), getattr(slow, function)
    for center in (True, False):
        options = {"k": k, "center": center}
        assert found(x, y, **options) == pytest.approx(expected(x, y, **options), abs=1e-12)


@pytest.mark.parametrize("function", ["mutual_knn", "jaccard_knn"])
def test_euclidean_neighbours(function):
    x, y = pair(130, 6, 9)
    found = getattr(lw, function)(x, y, k=7, metric="euclidean")
    assert found == pytest.approx(getattr(slow, function)(x, y, k=7, metric="euclidean"), abs=1e-13)


def test_of_equally_near_samples_the_first_is_taken():
    # Points of small grids: distances are exact, and most of them are shared by many samples.
    rng = np.random.default_rng(0)
    for k in (1, 3, 20):
        x, y = rng.integers(-2, 3, (2, 120, 2)).astype(float)
        options = {"k": k, "metric": "euclidean", "center": False}
        for function in ("mutual_knn", "jaccard_knn"):
            expected = getattr(slow, function)(x, y, **options)
            assert getattr(lw, function)(x, y, **options) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_planted_agreement(function):
    x, _ = pair(200, 10, 1)
    rotation = np.linalg.qr(np.random.default_rng(3).standard_normal((10, 10)))[0]
    call = getattr(lw, function)
    assert call(x, 5 * x @ rotation - 7) == pytest.approx(1, abs=1e-9)
    noise = np.random.default_rng(4).standard_normal((200, 10))
    assert abs(call(x, noise) - (0.05 if function == "mutual_knn" else 0.025)) < 0.03


@pytest.mark.parametrize("function", FUNCTIONS)
def test_all_pairs_equal_single_calls(function):
    items = [pair(50, d, d, seed=d)[0] for d in (2, 5, 5, 60)]
    single = [[getattr(lw, function)(x, y, k=6) for y in items] for x in items]
    np.testing.assert_allclose(lw.pairwise(items, function, k=6), single, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        lw.cross(items[:2], items, function, k=6), single[:2], rtol=0, atol=1e-12
    )
    stack = np.stack(items[1:3])
    batch = getattr(lw, function)(stack, items[0], k=6)
    np.testing.assert_allclose(batch, [single[1][0], single[2][0]], rtol=0, atol=1e-12)


def test_extreme_scales():
    x, y = pair(40, 5, 5)
    expected = lw.mutual_knn(x, y)
    for factor in (1e-300, 1e300):
        assert lw.mutual_knn(factor * x, y) == expected
        near = lw.mutual_knn(factor * x, y, metric="euclidean")
        assert near == lw.mutual_knn(x, y, metric="euclidean")


def test_no_positive_alignment_with_itself_is_nan_and_said():
    x = np.random.default_rng(906).standard_normal((4, 2))  # one of the few it happens to
    with pytest.warns(lw.DegenerateWarning, match="no positive alignment with itself"):
        assert np.isnan(lw.cknna(x, x, k=2, center=False))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k must be a positive integer, got 0"),
        ({"k": 2.5}, "k must be a positive integer, got 2.5"),
        ({"k": 20}, "at least 21 samples"),
        ({"metric": "manhattan"}, "metric must be 'cosine' or 'euclidean', got 'manhattan'"),
    ],
)
def test_bad_input_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        lw.mutual_knn(*pair(20, 3, 4), **options)
