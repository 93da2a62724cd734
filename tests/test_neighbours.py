"""Common nearest neighbours against whole masks; ties, degenerate samples, planted agreement."""

from __future__ import annotations

import numpy as np
import pytest
from reference import neighbours as slow

import likewise as lw

pytestmark = pytest.mark.device

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


def clusters(distance):
    def spread(x):
        return x + distance * (np.arange(len(x)) % 3 != 0)[:, None]

    return spread


def unit(column, scale):
    def grown(x):
        x = x.copy()
        x[:, column] *= scale
        return x

    return grown


HARD = {
    "far clusters": clusters(1e4),
    "clusters 1000 deviations apart": clusters(2e3),
    "one massive unit": unit(1, 1e4),
    "a large mean": lambda x: x + 1e5,
    "large means": lambda x: x + 10.0 ** np.arange(1, 1 + x.shape[1]).clip(max=5),
    "whole numbers": lambda x: np.round(x),
    "whole numbers and repeats": lambda x: np.round(x)[np.arange(len(x)) // 2],
    "nearly parallel": lambda x: 1 + 1e-5 * x,
    "equal distances": lambda x: np.eye(len(x)),
    "tiny": lambda x: x * 1e-30,
}


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", HARD)
def test_neighbours_are_those_of_exact_dissimilarities(kind, dtype, metric):
    # Numbers of float32 in both types: scores of both are those of one oracle. No two of its
    # dissimilarities lie between the two tolerances of ties.
    x, y = (HARD[kind](a).astype(np.float32) for a in pair(90, 5, 4, seed=7))
    options = {"k": 7, "metric": metric}
    rows = [slow.exact_neighbours(a.astype(np.float64), **options) for a in (x, y)]
    found = lw.mutual_knn(x.astype(dtype), y.astype(dtype), **options)
    assert found == pytest.approx(slow.shared(rows, 7), abs=1e-6)
    found = lw.jaccard_knn(x.astype(dtype), y.astype(dtype), **options)
    assert found == pytest.approx(slow.shared(rows, 7, of_union=True), abs=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_clusters_that_float64_barely_resolves(metric):
    x, y = (np.round(a * 16) / 16 for a in pair(90, 5, 4, seed=7))
    far = clusters(1e8 if metric == "euclidean" else 1e6)
    options = {"k": 7, "metric": metric}
    expected = slow.shared([slow.exact_neighbours(far(a), **options) for a in (x, y)], 7)
    assert lw.mutual_knn(far(x), far(y), **options) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_parallel_and_repeated_whole_numbers_tie_without_centring(metric):
    rng = np.random.default_rng(1)
    x, y = (rng.integers(1, 4, (80, 2)) * rng.integers(1, 6, (80, 1)) for _ in range(2))
    options = {"k": 6, "metric": metric, "center": False}
    expected = slow.shared([slow.exact_neighbours(a.astype(float), **options) for a in (x, y)], 6)
    for dtype in (np.float32, np.float64):
        found = lw.mutual_knn(x.astype(dtype), y.astype(dtype), **options)
        assert found == pytest.approx(expected, abs=1e-6)


def test_samples_without_direction_are_at_cosine_zero_from_all():
    x = np.zeros((9, 3))
    x[3:] = np.eye(3)[np.arange(6) % 3] * np.array([1, 1, 1, -1, -1, -1])[:, None]
    rows = np.zeros((9, 9), bool)
    for i, near in enumerate([[1, 2], [0, 2], [0, 1], *[[0, 1]] * 6]):
        rows[i, near] = True
    assert lw.mutual_knn(x, x, k=2) == 1
    y = np.random.default_rng(0).standard_normal((9, 4))
    expected = slow.shared([rows, slow.exact_neighbours(y, 2)], 2)
    assert lw.mutual_knn(x, y, k=2) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("kind", ["far clusters", "one massive unit", "a large mean"])
def test_alignment_is_the_same_in_both_types(kind):
    x, y = (HARD[kind](a).astype(np.float32) for a in pair(90, 5, 4, seed=7))
    both = lw.cknna(x.astype(np.float64), y.astype(np.float64), k=7)
    assert lw.cknna(x, y, k=7) == pytest.approx(both, abs=1e-6)


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_alignments_that_are_rounding_are_none(dtype):
    # Three equal samples of four, all neighbours of each other: unbiased HSIC with itself is 0.
    row = [-2.099451065, -1.773242354, -1.018068433, 0.02266058885, -1.816182852]
    other = [-1.038629651, -0.3344447315, -1.20217514, -0.7846751213, -1.11354363]
    x = np.array([row, row, other, row], np.float32)
    y = np.array([[2.0, 0, -2, -1], [1, -1, -1, 2], [-2, -1, -2, -2], [-1, -2, 2, -2]])
    with pytest.warns(lw.DegenerateWarning, match="no positive alignment"):
        assert np.isnan(lw.cknna(x.astype(dtype), y.astype(dtype), k=3))
