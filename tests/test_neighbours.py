"""Common nearest neighbours against whole masks; ties, degenerate samples, planted agreement."""

from __future__ import annotations

import numpy as np
import pytest
from reference import neighbours as slow
from variants import related

import likewise as lw

pytestmark = pytest.mark.device

FUNCTIONS = ["mutual_knn", "jaccard_knn", "cknna"]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(("n", "dx", "dy", "k"), [(12, 4, 3, 10), (60, 8, 20, 5), (250, 3, 3, 1),
                                                  (301, 12, 7, 40), (40, 90, 60, 39)])  # fmt: skip
def test_agrees_with_masks(function, n, dx, dy, k):
    x, y = related(n, dx, dy)
    found, expected = getattr(lw, function), getattr(slow, function)
    for center in (True, False):
        options = {"k": k, "center": center}
        assert found(x, y, **options) == pytest.approx(expected(x, y, **options), abs=1e-12)


@pytest.mark.parametrize("function", ["mutual_knn", "jaccard_knn"])
def test_euclidean_neighbours(function):
    x, y = related(130, 6, 9)
    found = getattr(lw, function)(x, y, k=7, metric="euclidean")
    assert found == pytest.approx(getattr(slow, function)(x, y, k=7, metric="euclidean"), abs=1e-13)


def test_of_equally_near_samples_the_first_is_taken():
    # Points of small grids: distances are exact, and most of them are shared by many samples.
    rng = np.random.default_rng(0)
    points = [rng.integers(-2, 3, (2, 120, 2)).astype(float) for _ in range(2)]
    for k, (x, y) in ((1, points[0]), (20, points[1]), (3, (np.eye(120), points[0][0]))):
        options = {"k": k, "metric": "euclidean", "center": False}
        for function in ("mutual_knn", "jaccard_knn"):
            expected = getattr(slow, function)(x, y, **options)
            assert getattr(lw, function)(x, y, **options) == pytest.approx(expected, abs=1e-14)


def clusters(distance):
    def spread(x):
        return x + distance * (np.arange(len(x)) % 3 != 0)[:, None]

    return spread


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_clusters_that_float64_barely_resolves(metric):
    x, y = (np.round(a * 16) / 16 for a in related(90, 5, 4, seed=7))
    far = clusters(1e8 if metric == "euclidean" else 1e6)
    options = {"k": 7, "metric": metric}
    expected = slow.shared([slow.nearest(far(a), **options) for a in (x, y)], 7)
    assert lw.mutual_knn(far(x), far(y), **options) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_parallel_and_repeated_whole_numbers_tie_without_centring(metric):
    rng = np.random.default_rng(1)
    x, y = (rng.integers(1, 4, (80, 2)) * rng.integers(1, 6, (80, 1)) for _ in range(2))
    options = {"k": 6, "metric": metric, "center": False}
    expected = slow.shared([slow.nearest(a.astype(float), **options) for a in (x, y)], 6)
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
    expected = slow.shared([rows, slow.nearest(y, 2)], 2)
    assert lw.mutual_knn(x, y, k=2) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_planted_agreement(function):
    x, _ = related(200, 10, 1)
    rotation = np.linalg.qr(np.random.default_rng(3).standard_normal((10, 10)))[0]
    call = getattr(lw, function)
    assert call(x, 5 * x @ rotation - 7) == pytest.approx(1, abs=1e-9)
    noise = np.random.default_rng(4).standard_normal((200, 10))
    assert abs(call(x, noise) - (0.05 if function == "mutual_knn" else 0.025)) < 0.03


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
        lw.mutual_knn(*related(20, 3, 4), **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_alignments_that_are_rounding_are_none(dtype):
    # Three equal samples of four, all neighbours of each other: unbiased HSIC with itself is 0.
    row = [-2.099451065, -1.773242354, -1.018068433, 0.02266058885, -1.816182852]
    other = [-1.038629651, -0.3344447315, -1.20217514, -0.7846751213, -1.11354363]
    x = np.array([row, row, other, row], np.float32)
    y = np.array([[2.0, 0, -2, -1], [1, -1, -1, 2], [-2, -1, -2, -2], [-1, -2, 2, -2]])
    with pytest.warns(lw.DegenerateWarning, match="no positive alignment"):
        assert np.isnan(lw.cknna(x.astype(dtype), y.astype(dtype), k=3))
