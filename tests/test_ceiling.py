"""Noise ceilings against what a model of the true responses reaches."""

from __future__ import annotations

import numpy as np
import pytest
from reference import regression as slow

import likewise as lw


def test_noise_ceiling_is_what_the_true_responses_reach():
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((40000, 4)) * [0, 0.3, 1, 3]
    repeats = truth + rng.standard_normal((6, 40000, 4))
    ceiling = lw.noise_ceiling(repeats)
    reached = slow.pearson(truth[:, 1:], repeats.mean(axis=0)[:, 1:])
    np.testing.assert_allclose(ceiling[1:], reached, rtol=0, atol=0.02)
    assert ceiling[0] < 0.2
    assert lw.noise_ceiling(np.stack([repeats, repeats + 1])).shape == (2, 4)
    constant = lw.noise_ceiling(np.full((3, 11, 2), [0.1, 1e8 + 0.1]))  # no rounding either
    np.testing.assert_array_equal(constant, 0)
    exact = lw.noise_ceiling(np.stack([truth, truth]))
    np.testing.assert_allclose(exact, [0, 1, 1, 1], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("dtype", "scale"),
    [(np.float64, 1e150), (np.float64, 1e300), (np.float64, 1e-300), (np.float32, 1e30)],
)
def test_noise_ceilings_hold_at_every_scale(dtype, scale):
    rng = np.random.default_rng(2)
    repeats = (rng.standard_normal((1, 30, 4)) + rng.standard_normal((5, 30, 4))).astype(dtype)
    repeats[..., 3] = 2
    expected = lw.noise_ceiling(repeats)
    assert expected[3] == 0
    found = lw.noise_ceiling((repeats * np.array([scale, 1, 1 / scale, scale])).astype(dtype))
    tolerance = 1e-12 if dtype == np.float64 else 1e-6
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("shape", [(20, 3), (1, 20, 3), (4, 1, 3)])
def test_repeats_and_stimuli_are_needed(shape):
    with pytest.raises(ValueError, match=r"shape \(\.\.\., r, n, d\) with r, n >= 2, got"):
        lw.noise_ceiling(np.ones(shape))


# rsatoolbox 0.3.2, `boot_noise_ceiling` of three RDMs of whole numbers.
RSATOOLBOX = {
    "cosine": (0.8810720255417511, 0.9472075252082682),
    "corr": (0.11073822292484457, 0.6082628269801689),
    "spearman": (0.20038434956267237, 0.6225412465745831),
    "rho-a": (0.19880952380952385, 0.6214285714285716),
    "tau-a": (0.14285714285714282, 0.49841269841269836),
    "cosine_cov": (0.7008243319386765, 0.867268956307146),
    "corr_cov": (0.23557574681191643, 0.6648848818026214),
}


@pytest.mark.parametrize(("comparison", "expected"), RSATOOLBOX.items())
def test_ceilings_of_rdms_are_rsatoolboxs(comparison, expected):
    state = np.random.RandomState(0)
    items = [state.randint(0, 10, (6, d)).astype(float) for d in (7, 8, 9)]
    rdms = np.stack([lw.rdm(item, dissimilarity="sqeuclidean") for item in items])
    found = lw.rsa_noise_ceiling(rdms, comparison=comparison)
    assert tuple(found) == pytest.approx(expected, abs=1e-10)
    assert found.lower <= found.upper


def test_ceilings_of_riemannian_distances_pool_rdms_as_they_are():
    items = (
        np.random.default_rng(1).standard_normal((3, 6, 12)) * np.array([1, 2, 3])[:, None, None]
    )
    rdms = lw.rdm(items, dissimilarity="sqeuclidean")
    found = lw.rsa_noise_ceiling(rdms, comparison="neg_riem_dist")
    others = (rdms.sum(axis=0) - rdms) / 2
    scores = lw.compare_rdms(others, rdms, comparison="neg_riem_dist")
    upper = lw.compare_rdms(rdms.mean(axis=0), rdms, comparison="neg_riem_dist")
    assert tuple(found) == pytest.approx((np.diag(scores).mean(), upper.mean()), abs=1e-8)
    assert found.lower < found.upper < 0


def test_equal_rdms_have_no_noise():
    rdm = lw.rdm(np.random.default_rng(0).standard_normal((8, 9)))
    assert tuple(lw.rsa_noise_ceiling(np.stack([rdm, rdm]))) == pytest.approx((1, 1), abs=1e-12)


@pytest.mark.parametrize(
    ("rdms", "options", "message"),
    [
        (np.ones((1, 6)), {}, r"shape \(subjects >= 2, m\), got \(1, 6\)"),
        (np.ones((3, 6)), {"comparison": "bures"}, "'bures' has no ceiling"),
        (np.ones((3, 6)), {"comparison": "pearson"}, "comparison must be one of"),
        (np.ones((3, 7)), {}, r"m = n \(n - 1\) / 2"),
    ],
)
def test_bad_rdms_are_named(rdms, options, message):
    with pytest.raises(ValueError, match=message):
        lw.rsa_noise_ceiling(rdms, **options)
