"""CCA, SVCCA and PWCCA against explicit whitening, and the pitfalls of their implementations."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import simulated
from reference import cca as slow
from variants import paths

import likewise as lw

pytestmark = pytest.mark.device

SHAPES = [(60, 4, 4), (80, 12, 7), (90, 5, 20), simulated.large(300, 130, 40), (200, 1, 3)]


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
    np.testing.assert_allclose(correlations, slow.canonical_correlations(x, y), rtol=0, atol=1e-12)
    assert lw.cca(x, y) == pytest.approx(correlations.mean(), abs=1e-13)
    assert lw.pwcca(x, y) == pytest.approx(slow.pwcca(x, y), abs=1e-12)
    assert lw.pwcca(y, x) == pytest.approx(slow.pwcca(y, x), abs=1e-12)
    for regularization in (1e-3, 0.5):
        expected = slow.cca(x, y, regularization)
        assert lw.cca(x, y, regularization=regularization) == pytest.approx(expected, abs=1e-11)
    for variance in (0.5, 0.9, 0.99, 1.0):
        expected = slow.svcca(x, y, variance)
        assert lw.svcca(x, y, variance=variance) == pytest.approx(expected, abs=1e-12)


def test_rank_deficient_representations_count_their_rank():
    x, y = pair(90, 5, 8)
    doubled = np.hstack([x, x[:, :2] + x[:, 2:4]])
    with pytest.warns(lw.DegenerateWarning, match="cca: 2 directions dropped"):
        assert lw.cca(doubled, y) == pytest.approx(lw.cca(x, y), abs=1e-12)
    with pytest.warns(lw.DegenerateWarning, match="cca: 2 directions dropped"):
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
    with pytest.warns(lw.DegenerateWarning, match="1 direction dropped"):
        found = lw.pwcca(copied, y)
    assert found == pytest.approx(slow.pwcca(copied, y), abs=1e-10)


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


# Which directions a representation has is a matter of its numbers alone, and so is every score.

FORMS = [
    ("cca", {}),
    ("cca", {"regularization": 1e-3}),
    ("svcca", {}),
    ("svcca", {"variance": 1.0}),
    ("pwcca", {}),
    ("shape_distance", {"alpha": 0.0}),
    ("shape_distance", {"alpha": 0.5}),
    ("shape_distance", {"alpha": 0.0, "score": "euclidean"}),
]
every_form = pytest.mark.parametrize(("name", "options"), FORMS, ids=str)


def sizes(d, most):
    """Sizes of units over so many powers of ten, up and down."""
    return 10.0 ** np.random.default_rng(d).permutation(np.linspace(-most, most, d))


def odd_pairs():
    """Pairs of float32 numbers that are hard to whiten, with how many directions they lack."""
    x, y = pair(90, 6, 8)
    cases = {"plain": (x, y, 0), "of all sizes": (x * sizes(6, 4), y * sizes(8, 4), 0)}
    cases["ill-conditioned"] = (x, x + y[:, :6] * 10.0 ** -np.arange(6), 0)
    cases["far from 0"] = (x + 1e3, y - 30, 0)
    cases["more units than samples"] = (*pair(20, 30, 4), 0)
    cases["as many units as samples"] = (*pair(20, 20, 3), 0)
    cases["copies"] = (np.hstack([x, x[:, :2]]), np.hstack([y, 4 * y[:, :1]]), 3)
    cases["one-hot"] = (np.eye(5)[np.random.default_rng(0).integers(0, 5, 90)], y, 1)
    return {
        key: (x.astype(np.float32), y.astype(np.float32), lacks)
        for key, (x, y, lacks) in cases.items()
    }


@pytest.mark.parametrize("case", odd_pairs())
@pytest.mark.filterwarnings("ignore::likewise.LikewiseWarning")
def test_all_correlations_have_their_mean(case):
    x, y, _ = odd_pairs()[case]
    exact = x.astype(np.float64), y.astype(np.float64)
    for options in ({}, {"regularization": 1e-3}):
        found = lw.canonical_correlations(*exact, **options)
        rank = round(found.sum() / lw.cca(*exact, **options))
        assert found.sum() / rank == pytest.approx(lw.cca(*exact, **options), abs=1e-12)
        assert not found[rank:].any()
        single = lw.canonical_correlations(x, y, **options)
        np.testing.assert_allclose(single, found, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "options"),
    [form for form in FORMS if "invertible" in lw.measure(form[0], **form[1]).invariances],
    ids=str,
)
@pytest.mark.parametrize(("dtype", "most"), [(np.float64, 7), (np.float32, 4), (np.float64, 150)])
def test_scaling_units_changes_nothing_where_invertible_maps_do_not(name, options, dtype, most):
    m = lw.measure(name, **options)
    x, y = (side.astype(dtype) for side in pair(90, 6, 8))
    expected = float(m(x, y))
    scaled = (x * sizes(6, most)).astype(dtype), (y * sizes(8, most)).astype(dtype)
    tolerance = 1e-10 if dtype == np.float64 else 1e-6
    assert float(m(*scaled)) == pytest.approx(expected, abs=tolerance)
    if most < 100:
        for path, score in paths(m, *scaled).items():
            assert score == pytest.approx(expected, abs=max(tolerance, 1e-9)), path


def test_breast_cancer_is_the_same_in_float32():
    data = pytest.importorskip("sklearn.datasets").load_breast_cancer().data
    for dtype in (np.float64, np.float32):
        x, y = data[:, :15].astype(dtype), data[:, 15:].astype(dtype)
        assert lw.cca(x, y) == pytest.approx(0.6602, abs=1e-4)
        assert lw.pwcca(x, y) == pytest.approx(0.8371, abs=1e-4)
        assert lw.shape_distance(x, y, alpha=0.0) == pytest.approx(0.8498, abs=1e-4)


@every_form
@pytest.mark.parametrize("case", odd_pairs())
def test_dropped_directions_are_counted(name, options, case):
    x, y, lacks = odd_pairs()[case]
    if name == "svcca" and options.get("variance", 0.99) < 1:
        lacks = 0  # they would not have been among the leading components
    stream = lw.scale.Accumulator(name, **options)
    stream.update([x], [y])
    m = lw.measure(name, **options)
    ways = [lambda: m(x, y), lambda: lw.cross([x], [y], m), stream.compute]
    if m.differentiable:
        ways.append(lambda: m.gradients(x, y))
    for way in ways:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            way()
        said = [str(w.message) for w in caught if w.category is lw.DegenerateWarning]
        assert len(said) == (lacks > 0)
        if lacks:
            assert f"{name}: {lacks} direction{'s' * (lacks > 1)} dropped" in said[0]


def waves(n, norms):
    """Orthogonal columns of mean 0 with these norms."""
    k = np.arange(1, len(norms) + 1)
    return np.cos(np.pi * (np.arange(n)[:, None] + 0.5) * k / n) * (2 / n) ** 0.5 * norms


@pytest.mark.parametrize("least", [1e-3, 1e-12, 1e-18, 1e-100])
@pytest.mark.parametrize("wide", [False, True])
def test_small_units_keep_the_direction_that_their_definition_gives_them(least, wide):
    # alpha and ridge weigh sizes against each other, after it is known what there is to weigh.
    a, b = np.array([3.0, 1.0, least]), np.array([1.0, 2.0, least, 0.5])
    x, y = waves(12, a), waves(12, b)
    if wide:  # mixed into more units than samples, as exactly as their sizes allow
        x, y = (np.hstack([side] * 5) / 5**0.5 for side in (x, y))
    common = slice(0, 3)
    for alpha in (0.2, 0.9):
        f, g = (alpha * s + 1 - alpha for s in (a, b))
        expected = f @ g[common] / np.linalg.norm(f) / np.linalg.norm(g)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", lw.LikewiseWarning)
            found = lw.shape_distance(x, y, alpha=alpha, score="similarity")
        assert found == pytest.approx(expected, abs=1e-10)
    f, g = (s / np.sqrt(s**2 + 0.1 * (s @ s) / side.shape[1]) for s, side in ((a, x), (b, y)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lw.LikewiseWarning)
        found = lw.cca(x, y, regularization=0.1)
    assert found == pytest.approx((f * g[common]).mean(), abs=1e-10)


@every_form
def test_a_unit_that_is_constant_up_to_rounding_has_no_direction(name, options):
    if options.get("regularization") or (name == "svcca" and not options):
        pytest.skip("counts such a unit, or never came to it")
    x, y = pair(90, 6, 8)
    rough = 1 + np.spacing(1) * np.random.default_rng(0).integers(0, 2, (90, 1))
    m = lw.measure(name, **options)
    with pytest.warns(lw.DegenerateWarning, match="1 direction dropped"):
        found = m(np.hstack([rough, x]), y)
    assert found == pytest.approx(m(x, y), abs=1e-10)
    with pytest.warns(lw.DegenerateWarning, match="1 constant representation"):
        assert np.isnan(m(rough, y))


@pytest.mark.parametrize("scale", [1e-155, 1e155])
def test_partial_whitening_sees_one_of_its_ends_in_very_large_and_small_numbers(scale):
    x, y = pair(40, 5, 5)
    end = lw.shape_distance(x, y, alpha=float(scale > 1))
    for path, score in paths(lw.measure("shape_distance", alpha=0.5), x * scale, y * scale).items():
        assert score == pytest.approx(end, abs=1e-6), path


@pytest.mark.parametrize("score", ["angular", "euclidean", "similarity"])
def test_gradients_follow_the_sizes_of_units(score):
    x, y = pair(40, 5, 7)
    whitened = lw.measure("shape_distance", alpha=0.0, score=score)
    a, b = sizes(5, 7), sizes(7, 7)
    plain, scaled = whitened.gradients(x, y), whitened.gradients(x * a, y * b)
    for by, size, expected in ((scaled[1], a, plain[1]), (scaled[2], b, plain[2])):
        np.testing.assert_allclose(by * size, expected, rtol=0, atol=1e-9 * np.abs(expected).max())
    between = lw.measure("shape_distance", alpha=0.5, score=score)
    for scale, alpha in ((1e155, 1.0), (1e-155, 0.0)):  # it sees one of its ends there
        found = between.gradients(x * scale, y * scale)
        end = lw.measure("shape_distance", alpha=alpha, score=score).gradients(x, y)
        for by, expected in zip(found[1:], end[1:], strict=True):
            tolerance = 1e-9 * np.abs(expected).max()
            np.testing.assert_allclose(by * scale, expected, rtol=0, atol=tolerance)
    doubled = np.hstack([x, x[:, :1]])  # its two copies share what one of them would have
    with pytest.warns(lw.DegenerateWarning, match="1 direction dropped"):
        by = whitened.gradients(doubled, y)[1]
    np.testing.assert_allclose(by[:, 0] + by[:, 5], plain[1][:, 0], rtol=0, atol=1e-10)


@every_form
def test_differences_that_overflow_are_refused(name, options):
    x, y = (side / np.abs(side).max() * 1.7e308 for side in pair(40, 5, 7))
    for call in (lw.measure(name, **options), lambda x, y: lw.cross([x], [y], name, **options)):
        with pytest.raises(ValueError, match=r"overflow float64|did not converge"):
            call(x, y)


@pytest.mark.parametrize("measure", ["cca", "pwcca", "svcca", "shape_distance", "procrustes"])
def test_denormal_samples_are_centred_exactly(measure):
    """Whole numbers times the smallest one, with repeats that must leave no directions behind."""
    rng = np.random.default_rng(4)
    x = rng.integers(-999, 999, (5, 7))[rng.integers(5, size=12)].astype(float)
    y = rng.integers(-999, 999, (12, 3)).astype(float)
    options = {"alpha": 0.0} if measure == "shape_distance" else {}
    score = lw.measure(measure, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lw.LikewiseWarning)
        expected = score(x, y)
        assert score(x * 2.0**-1074, y * 2.0**-1074) == pytest.approx(expected, abs=1e-9)
        if score.differentiable:
            found = score.gradients(x * 2.0**-1074, y * 2.0**-1074)[0]
            assert found == pytest.approx(expected, abs=1e-9)
