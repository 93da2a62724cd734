"""CCA, SVCCA and PWCCA against explicit whitening, and the pitfalls of their implementations."""

from __future__ import annotations

import numpy as np
import pytest
from reference import cca as slow

import likewise as lw

SHAPES = [(60, 4, 4), (80, 12, 7), (90, 5, 20), (300, 130, 40), (200, 1, 3)]


def pair(n, dx, dy, seed=0):
    """Shared latents of falling variance, seen by both, and noise."""
    rng = np.random.default_rng(seed)
    latents = rng.standard_normal((n, 6)) * np.arange(1, 7) ** -0.5
    return tuple(
        latents @ rng.standard_normal((6, d)) + 0.5 * rng.standard_normal((n, d)) for d in (dx, dy)
    )


def invertible(d, seed=5):
    return np.random.default_rng(seed).standard_normal((d, d)) + 2 * np.eye(d)


@pytest.mark.parametrize(("n", "dx", "dy"), SHAPES)
def test_agrees_with_explicit_whitening(n, dx, dy):
    x, y = pair(n, dx, dy)
    correlations = lw.canonical_correlations(x, y)
    np.testing.assert_allclose(correlations, slow.canonical(x, y)[1], rtol=0, atol=1e-12)
    assert lw.cca(x, y) == pytest.approx(correlations.mean(), abs=1e-13)
    assert lw.pwcca(x, y) == pytest.approx(slow.pwcca(x, y), abs=1e-12)
    assert lw.pwcca(y, x) == pytest.approx(slow.pwcca(y, x), abs=1e-12)
    for regularization in (1e-3, 0.5):
        expected = slow.cca(x, y, regularization)
        assert lw.cca(x, y, regularization=regularization) == pytest.approx(expected, abs=1e-11)
    for variance in (0.5, 0.9, 0.99, 1.0):
        expected = slow.cca(x, y, variance=variance)
        assert lw.svcca(x, y, variance=variance) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["cca", "svcca", "pwcca"])
def test_all_pairs_equal_single_calls(name):
    items = [pair(150, d, d, seed=d)[0] for d in (3, 8, 8, 30)]
    grid = lw.pairwise(items, name)
    alone = np.array([[lw.measure(name)(x, y) for y in items] for x in items])
    np.testing.assert_allclose(grid, alone, rtol=0, atol=1e-12)
    np.testing.assert_allclose(lw.cross(items[:2], items, name), alone[:2], rtol=0, atol=1e-12)


def test_batches_broadcast():
    x, y = pair(80, 5, 7)
    stack = np.stack([y, y[:, ::-1], y**3])
    found = lw.canonical_correlations(x, stack)
    for k, one in enumerate(stack):
        np.testing.assert_allclose(found[k], lw.canonical_correlations(x, one), rtol=0, atol=1e-14)
    assert lw.pwcca(stack[:, None], x).shape == (3, 1)
    assert lw.cca(np.empty((0, 9, 2)), np.empty((0, 9, 3))).shape == (0,)


@pytest.mark.parametrize("name", ["cca", "svcca", "pwcca"])
def test_a_batch_warns_once_of_all_its_constant_units(name):
    x, y = pair(80, 5, 7)
    stack = np.stack([np.insert(x * scale, 1, 2.0, axis=1) for scale in (1, 2, 3)])
    with pytest.warns(lw.DegenerateWarning, match="3 constant units") as seen:
        lw.measure(name)(stack, y)
    assert len(seen) == 1


def test_invertible_maps_do_not_matter():
    x, y = pair(100, 6, 9)
    expected = lw.canonical_correlations(x, y)
    found = lw.canonical_correlations(x @ invertible(6) + 3, 100 * y @ invertible(9))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)
    assert lw.cca(x, x @ invertible(6)) == pytest.approx(1, abs=1e-12)


def test_rank_deficient_representations_count_their_rank():
    x, y = pair(90, 5, 8)
    doubled = np.hstack([x, x[:, :2] + x[:, 2:4]])
    assert lw.cca(doubled, y) == pytest.approx(lw.cca(x, y), abs=1e-12)
    found = lw.canonical_correlations(doubled, y)
    assert found.shape == (7,)
    np.testing.assert_allclose(found[5:], 0, rtol=0, atol=1e-12)


def test_pitfall_fewer_samples_than_units_is_one_and_warned_of():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 30, 60))
    with pytest.warns(lw.SmallSampleWarning, match="30 samples for 60 units"):
        assert lw.cca(x, y) == pytest.approx(1, abs=1e-10)
    with pytest.warns(lw.SmallSampleWarning):
        assert lw.cca(x, y, regularization=10.0) < 0.5


@pytest.mark.parametrize("scale", [1e-6, 1, 1e6])
def test_pitfall_svcca_truncates_by_share_of_centred_variance(scale):
    # A share of the variance, whatever its size, and of the data without their mean: six strong
    # directions among thirty, far from the origin.
    rng = np.random.default_rng(1)
    spectrum = np.r_[np.ones(6), np.full(24, 1e-3)]
    shared = rng.standard_normal((200, 30)) * spectrum
    x, y = (shared @ np.linalg.qr(rng.standard_normal((30, 30)))[0] * scale + 50 for _ in range(2))
    noisy = y + scale * 1e-3 * rng.standard_normal(y.shape)
    assert lw.svcca(x, noisy) > 0.999
    assert lw.cca(x, noisy) < 0.9


def test_pitfall_pwcca_weighs_by_variates_not_by_coefficients():
    # Two copies of one unit: coefficients of the copies are arbitrary, the variates are not.
    x, y = pair(100, 4, 5)
    copied = np.hstack([x, x[:, :1] * (1 + 1e-14)])
    weights = slow.pwcca(x, y)
    assert lw.pwcca(x, y) == pytest.approx(weights, abs=1e-12)
    assert lw.pwcca(copied, y) == pytest.approx(slow.pwcca(copied, y), abs=1e-10)


def test_float32_stays_float32_and_close():
    x, y = pair(200, 12, 9)
    x32, y32 = x.astype(np.float32), y.astype(np.float32)
    for name in ("cca", "svcca", "pwcca"):
        found = lw.measure(name)(x32, y32)
        assert found.dtype == np.float32
        assert found == pytest.approx(float(lw.measure(name)(x, y)), abs=2e-6)
    assert lw.canonical_correlations(x32, y32).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, y: lw.cca(x, y, regularization=-1), "regularization must be at least 0, got -1"),
        (lambda x, y: lw.svcca(x, y, variance=0), r"variance must be in \(0, 1\], got 0"),
        (lambda x, y: lw.svcca(x, y, variance=1.5), "variance must be in"),
        (lambda x, y: lw.canonical_correlations(x, y[:5]), "same number of samples"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(*pair(20, 3, 4))
