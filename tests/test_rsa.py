"""RDMs and their comparison against SciPy; ties as their definitions say."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from reference import rsa as slow
from scipy.spatial.distance import pdist
from variants import related

import likewise as lw
from likewise._comparison import require_rankable

pytestmark = pytest.mark.device

DISSIMILARITIES = ["correlation", "cosine", "euclidean", "sqeuclidean"]
COMPARISONS = ["cosine", "corr", "spearman", "rho-a", "kendall", "tau-b", "tau-a"]
SECOND_MOMENTS = ["cosine_cov", "corr_cov", "bures"]

# rsatoolbox 0.3.2, `compare` of the squared distances of `whole_numbers()`.
RSATOOLBOX = {
    "cosine": 0.9039850446488901,
    "corr": 0.5218321402839684,
    "spearman": 0.5142857142857142,
    "rho-a": 0.5142857142857142,
    "kendall": 0.37142857142857144,
    "tau-a": 0.37142857142857144,
    "cosine_cov": 0.7981251656265916,
    "corr_cov": 0.5976657332549413,
    "bures": 0.8841161548498327,
    "bures_metric": 74.09548495011165,
    "neg_riem_dist": -2.943817358599506,
}


@pytest.mark.parametrize("dissimilarity", DISSIMILARITIES)
@pytest.mark.parametrize(("n", "d"), [(2, 3), (9, 4), (65, 30), (200, 7), (130, 300)])
def test_rdm_is_scipys(dissimilarity, n, d):
    x = related(n, d, 1)[0]
    expected = pdist(x, dissimilarity)
    np.testing.assert_allclose(
        lw.rdm(x, dissimilarity=dissimilarity), expected, rtol=1e-12, atol=1e-14
    )
    found = lw.rdm(x.astype(np.float32), dissimilarity=dissimilarity)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_mahalanobis_is_scipys():
    x = related(40, 6, 1)[0]
    noise = np.random.default_rng(1).standard_normal((60, 6)) * np.arange(1, 7)
    precision = np.linalg.inv(np.cov(noise.T))
    found = lw.rdm(x, dissimilarity="mahalanobis", precision=precision)
    np.testing.assert_allclose(found, pdist(x, "mahalanobis", VI=precision), rtol=1e-11)


def test_batches_of_rdms():
    x = np.stack([related(20, 4, 4, seed=seed)[0] for seed in range(6)]).reshape(2, 3, 20, 4)
    found = lw.rdm(x)
    assert found.shape == (2, 3, 190)
    np.testing.assert_array_equal(found[1, 2], lw.rdm(x[1, 2]))
    assert lw.rdm(np.empty((0, 5, 2))).shape == (0, 10)


def test_samples_without_variance_are_at_one_and_said():
    x = related(10, 4, 1)[0]
    x[2], x[5] = 3.0, 0.0
    with pytest.warns(lw.DegenerateWarning, match="2 samples without variance"):
        found = lw.rdm(x)
    assert found[0 * 9 + 1] == 1.0
    with pytest.warns(lw.DegenerateWarning, match="1 sample without length"):
        lw.rdm(x, dissimilarity="cosine")


@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize("dissimilarity", DISSIMILARITIES)
def test_comparisons_are_scipys(dissimilarity, comparison):
    for n, dx, dy in ((3, 4, 5), (40, 6, 9)):
        x, y = related(n, dx, dy)
        options = {"dissimilarity": dissimilarity, "comparison": comparison}
        assert lw.rsa(x, y, **options) == pytest.approx(slow.rsa(x, y, **options), abs=1e-11)


def whole_numbers():
    state = np.random.RandomState(0)
    return [state.randint(0, 10, (6, d)).astype(float) for d in (7, 8, 9)]


@pytest.mark.parametrize(("comparison", "expected"), RSATOOLBOX.items())
def test_comparisons_are_rsatoolboxs(comparison, expected):
    x, y, _ = whole_numbers()
    options = {"dissimilarity": "sqeuclidean", "comparison": comparison}
    # Its Bures measures take roots of rounding errors, the last one is a simplex search.
    tolerance = 1e-10 if comparison in (*COMPARISONS, "cosine_cov", "corr_cov") else 2e-6
    assert lw.rsa(x, y, **options) == pytest.approx(expected, abs=tolerance)
    measure = lw.measure("rsa", **options)
    assert measure.range[0] <= expected <= measure.range[1]
    assert measure.kind == ("distance" if comparison == "bures_metric" else "similarity")
    if measure.symmetric:
        assert lw.rsa(y, x, **options) == pytest.approx(expected, abs=tolerance)
    else:
        assert abs(lw.rsa(y, x, **options) - expected) > 1e-3


@pytest.mark.parametrize("comparison", [*SECOND_MOMENTS, "bures_metric"])
@pytest.mark.parametrize("dissimilarity", DISSIMILARITIES)
def test_comparisons_of_second_moments_are_their_definitions(dissimilarity, comparison):
    for n, dx, dy in ((4, 4, 5), (25, 6, 30)):
        x, y = related(n, dx, dy)
        options = {"dissimilarity": dissimilarity, "comparison": comparison}
        expected = slow.rsa(x, y, **options)
        assert lw.rsa(x, y, **options) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_comparisons_of_second_moments_are_other_measures():
    x, y = related(40, 6, 9)
    whitened = lw.rsa(x, y, dissimilarity="sqeuclidean", comparison="cosine_cov")
    assert whitened == pytest.approx(lw.cka(x, y), abs=1e-12)
    bures = lw.rsa(x, y, dissimilarity="sqeuclidean", comparison="bures")
    assert bures == pytest.approx(lw.procrustes(x, y, score="similarity"), abs=1e-7)
    metric = lw.rsa(x, y, dissimilarity="sqeuclidean", comparison="bures_metric")
    distance = lw.procrustes(x, y, scale=False, score="euclidean")
    assert metric == pytest.approx(distance**2, rel=1e-7)


@pytest.mark.parametrize("comparison", [c for c in RSATOOLBOX if c != "neg_riem_dist"])
def test_rdms_compare_as_representations_do(comparison):
    items = [related(12, d, d, seed=d)[0] for d in (3, 6, 6, 40)]
    rdms = np.stack([lw.rdm(item) for item in items])
    before = rdms.copy()
    grid = lw.compare_rdms(rdms, rdms[1:], comparison=comparison)
    expected = lw.cross(items, items[1:], "rsa", comparison=comparison)
    np.testing.assert_allclose(grid, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(rdms, before)
    one = lw.compare_rdms(rdms[0], rdms, comparison=comparison)
    np.testing.assert_allclose(one[1:], grid[0], rtol=0, atol=1e-12)
    assert lw.compare_rdms(rdms[0], rdms[1], comparison=comparison).shape == ()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("comparison", ["bures", "bures_metric"])
def test_bures_says_which_rdms_are_not_euclidean(comparison, dtype):
    rng = np.random.default_rng(0)
    rdms = rng.uniform(1, 9, (3, 28)).astype(dtype)
    rdms[2] = lw.rdm(rng.standard_normal((8, 3)).astype(dtype), dissimilarity="sqeuclidean")
    with pytest.warns(lw.DegenerateWarning, match="2 RDMs without squared Euclidean distances"):
        found = lw.compare_rdms(rdms[:2], rdms[2], comparison=comparison)
    moments = []
    for rdm in rdms:
        values, vectors = np.linalg.eigh(slow.second_moments(rdm.astype(np.float64)))
        moments.append(vectors * np.maximum(values, 0) @ vectors.T)
    traces = [np.trace(g) for g in moments]
    for k in range(2):
        products = np.linalg.eigvals(moments[k] @ moments[2]).real
        fidelity = np.sqrt(np.maximum(products, 0)).sum()
        expected = fidelity / np.sqrt(traces[k] * traces[2])
        if comparison == "bures_metric":
            expected = traces[k] + traces[2] - 2 * fidelity
        assert found[k] == pytest.approx(expected, rel=1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lw.compare_rdms(rdms[2], rdms[2], comparison=comparison)


def test_riemannian_distances_are_the_least_along_a_line():
    # The simplex ends within 1e-4 of the minimum and of its value, which is flat there.
    items = [related(8, d, d, seed=d)[0] for d in (5, 9, 12, 30)]
    rdms = [lw.rdm(item, dissimilarity="sqeuclidean") for item in items]
    expected = [[-slow.riemannian_distance(p, q) for q in rdms[1:]] for p in rdms]
    options = {"dissimilarity": "sqeuclidean", "comparison": "neg_riem_dist"}
    grid = lw.cross(items, items[1:], "rsa", **options)
    np.testing.assert_allclose(grid, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(np.diag(grid[1:]), 0, rtol=0, atol=1e-6)
    square = lw.pairwise(items[1:], "rsa", **options)
    np.testing.assert_allclose(square, grid[1:], rtol=0, atol=1e-8)
    batch = lw.rsa(np.stack([items[1], items[1] + 1]), items[3], **options)
    np.testing.assert_allclose(batch, grid[[1, 1], 2], rtol=0, atol=1e-8)
    compared = lw.compare_rdms(np.stack(rdms), np.stack(rdms[1:]), comparison="neg_riem_dist")
    np.testing.assert_allclose(compared, grid, rtol=0, atol=1e-8)


def test_a_constant_representation_has_no_riemannian_distance():
    y = related(6, 9, 9)[0]
    options = {"dissimilarity": "sqeuclidean", "comparison": "neg_riem_dist"}
    with pytest.warns(lw.DegenerateWarning, match="1 constant representation"):
        assert np.isnan(lw.rsa(np.ones((6, 4)), y, **options))
    with pytest.raises(ValueError, match=r"RDMs of full rank, .* below 5"):
        lw.rsa(y, np.ones((6, 4)), **options)
    with pytest.raises(ValueError, match="RDMs of full rank"):
        lw.pairwise([y, y[:, :4]], "rsa", **options)


def test_crossnobis_is_rsatoolboxs_times_the_units():
    state = np.random.RandomState(0)
    for d in (7, 8, 9):
        state.randint(0, 10, (6, d))
    repeats = state.randint(0, 10, (3, 5, 4)).astype(float)
    # rsatoolbox 0.3.2, method="crossnobis", times the 4 channels that it divides by.
    expected = np.array([-71, 30, -10, -19, 62, -2, -55, -2, -56, -49]) / 3
    found = lw.rdm(repeats, dissimilarity="crossnobis")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    batch = lw.rdm(np.stack([repeats, 2 * repeats]), dissimilarity="crossnobis")
    np.testing.assert_allclose(batch, np.stack([expected, 4 * expected]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("whitened", [False, True])
@pytest.mark.parametrize("scale", [2.0**-505, 2.0**508, 2.0**600])
def test_crossnobis_holds_at_every_scale(scale, whitened):
    """Beyond the type it is infinite with its sign."""
    rng = np.random.default_rng(4)
    repeats = rng.standard_normal((12, 5, 4))
    precision = {"precision": np.diag([1.0, 4, 9, 16])} if whitened else {}
    expected = lw.rdm(repeats, dissimilarity="crossnobis", **precision)
    assert expected.min() < 0 < expected.max()
    found = lw.rdm(repeats * scale, dissimilarity="crossnobis", **precision)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(found, expected * scale * scale, rtol=1e-12)


def test_crossnobis_has_no_bias_from_noise():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((6, 6))
    covariance = noise @ noise.T + np.eye(6)
    truth = rng.standard_normal((5, 6))
    precision = np.linalg.inv(covariance)
    data = truth + rng.multivariate_normal(np.zeros(6), covariance, (4000, 3, 5))
    found = lw.rdm(data, dissimilarity="crossnobis", precision=precision)
    exact = lw.rdm(truth, dissimilarity="mahalanobis", precision=precision) ** 2
    error = found.std(axis=0) / np.sqrt(4000)
    assert (np.abs(found.mean(axis=0) - exact) < 4 * error).all()
    assert (found < 0).any()
    biased = lw.rdm(data.mean(axis=1), dissimilarity="mahalanobis", precision=precision) ** 2
    assert (biased.mean(axis=0) > exact + 3).all()


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_pitfall_ties(comparison):
    # Squared distances of points of a small grid are whole numbers: most are tied.
    rng = np.random.default_rng(2)
    for n, side in ((12, 2), (40, 3), (25, 6)):
        x, y = rng.integers(0, side, (2, n, 2)).astype(float)
        options = {"dissimilarity": "sqeuclidean", "comparison": comparison}
        exact = [np.round(pdist(z, "sqeuclidean")) for z in (x, y)]
        expected = slow.compare(*exact, comparison)
        for dtype in (np.float64, np.float32):
            found = lw.rsa(x.astype(dtype), y.astype(dtype), **options)
            assert found == pytest.approx(expected, abs=1e-6 if dtype == np.float32 else 1e-11)


@pytest.mark.parametrize("comparison", ["spearman", "rho-a", "kendall", "tau-b", "tau-a"])
def test_ranks_of_too_many_entries_are_refused(comparison):
    require_rankable("rsa", comparison, 65536 * 65535 // 2)
    require_rankable("rsa", "corr", 65537 * 65536 // 2)
    message = rf"rsa: .* '{comparison}' ranks at most 2147483647 .* 65536 samples; got 2147516416"
    with pytest.raises(ValueError, match=message):
        require_rankable("rsa", comparison, 65537 * 65536 // 2)
    x = np.broadcast_to(np.zeros((1, 1)), (70000, 1))
    with pytest.raises(ValueError, match="ranks at most"):
        lw.rsa(x, x, comparison=comparison)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: lw.rdm(x, dissimilarity="cityblock"), "dissimilarity must be one of"),
        (lambda x: lw.rdm(x, precision=np.eye(4)), "precision goes with"),
        (lambda x: lw.rdm(x, dissimilarity="mahalanobis"), "needs a precision"),
        (lambda x: lw.rdm(x, dissimilarity="mahalanobis", precision=np.eye(3)), r"shape \(4, 4\)"),
        (
            lambda x: lw.rdm(x, dissimilarity="mahalanobis", precision=-np.eye(4)),
            "positive definite",
        ),
        (
            lambda x: lw.rdm(x, dissimilarity="mahalanobis", precision=np.triu(np.ones((4, 4)))),
            "symmetric",
        ),
        (lambda x: lw.rdm(x[:1]), "at least 2 samples"),
        (lambda x: lw.rsa(x, x, comparison="pearson"), "comparison must be one of"),
        (lambda x: lw.rsa(x, x, dissimilarity="mahalanobis"), "dissimilarity must be one of"),
        (lambda x: lw.rsa(x[:2], x[:2]), "at least 3 samples"),
        (lambda x: lw.rdm(x, dissimilarity="crossnobis"), "at least 2 repeats"),
        (lambda x: lw.compare_rdms(x[0, :2], x[1, :2]), "n \\(n - 1\\) / 2"),
        (lambda x: lw.compare_rdms(lw.rdm(x), lw.rdm(x[1:])), "got q of shape \\(36,\\)"),
        (lambda x: lw.compare_rdms(x, x, comparison="pearson"), "comparison must be one of"),
        (lambda x: lw.rsa(x, x, comparison="neg_riem_dist"), "RDMs of full rank"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(related(10, 4, 1)[0])
