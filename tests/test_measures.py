"""Declared properties of every registered measure. A new measure enters by being registered."""

from __future__ import annotations

import numpy as np
import pytest
import simulated
from fuzz_oracles import ORACLES
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from reference.exact import Undecided
from variants import HARD, VARIANTS, first, paths, related

import likewise as lw

pytestmark = [
    pytest.mark.device,
    pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning"),
]

TOLERANCE = 1e-8
INVARIANCES = ("translation", "isotropic_scaling", "orthogonal", "permutation", "invertible")

HELD_OUT = ("linear_predictivity",)  # scored on folds, which go by the order of the samples

every_measure = pytest.mark.parametrize("name", lw.measures())


def marks(name, options):
    """Every dissimilarity and every comparison is enough on the simulator, without every two."""
    usual = "correlation" in options.values() or options.get("comparison") == "cosine"
    return [] if name != "rsa" or usual else [pytest.mark.host_only("takes minutes there")]


every_variant = pytest.mark.parametrize(
    ("name", "options"), [pytest.param(*v, marks=marks(*v)) for v in VARIANTS], ids=str
)


def representation(rng, n, d):
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + rng.standard_normal(d)


def transformed(rng, y, invariance):
    """y after a transformation of its units under which `invariance` promises equal scores."""
    d = y.shape[1]
    if invariance == "translation":
        return y + 3 * rng.standard_normal(d)
    if invariance == "isotropic_scaling":
        return rng.choice([2.7, 1e-9, 1e9]) * y
    if invariance == "permutation":
        return y[:, rng.permutation(d)]
    q = np.linalg.qr(rng.standard_normal((d, d)))[0]
    if invariance == "orthogonal":
        return y @ q
    return y @ (q * np.linspace(1, 3, d)) @ q


def close(a, b):
    return np.abs(a - b) <= TOLERANCE * max(1, abs(a), abs(b))


@every_variant
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(5, 24),
    widths=st.tuples(*[st.integers(1, 9)] * 3),
)
def test_declared_properties_hold(name, seed, n, widths, options):
    if name == "pwcca":  # equal canonical correlations, which have no variates of their own
        assume(n > widths[0] + widths[1])
    if name in ("mutual_knn", "jaccard_knn", "cknna"):  # all cosines of one unit are 1 or -1
        assume(min(widths) > 1)
    if name == "rsa":  # and so are correlations along two
        assume(min(widths) > 2)
    m = lw.measure(name, **options)
    n = max(n, m.min_samples)
    rng = np.random.default_rng(seed)
    x, y, z = (representation(rng, n, d) for d in widths)
    score = m(x, y)

    low, high = m.range
    assert low - TOLERANCE <= score <= high + TOLERANCE
    if m.symmetric:
        assert close(m(y, x), score)
    for invariance in m.invariances:
        assert close(m(x, transformed(rng, y, invariance)), score), invariance
        assert close(m(transformed(rng, x, invariance), y), score), invariance

    if name in HELD_OUT:
        assert m(x, x) > 0.9 or n < 4 * widths[0]
        return
    rows = rng.permutation(n)
    assert close(m(x[rows], y[rows]), score)

    if m.kind == "distance":
        assert close(m(x, x), 0)
    elif np.isfinite(high) and not options.get("regularization"):
        assert close(m(x, x), high)
    if m.is_metric:
        assert m(x, z) <= score + m(y, z) + TOLERANCE


@pytest.mark.parametrize(
    ("name", "options"),
    [*((name, {}) for name in lw.measures()), ("shape_distance", {"alpha": 0.5})],
    ids=str,
)
def test_invariances_that_are_not_declared_do_not_hold(name, options):
    m = lw.measure(name, **options)
    rng = np.random.default_rng(0)
    x, y = representation(rng, 30, 6), representation(rng, 30, 6)
    for invariance in set(INVARIANCES) - m.invariances:
        sides = m(x, transformed(rng, y, invariance)), m(transformed(rng, x, invariance), y)
        assert max(abs(side - m(x, y)) for side in sides) > 1e-6, invariance
    assert m.invariances <= set(INVARIANCES)


@every_variant
def test_pairwise_cross_batch_and_single_calls_agree(name, options):
    m = lw.measure(name, **options)
    widths = (3, 30, 8, 8) if simulated.is_used() else (3, 30, 8, 8, 44, 17)
    items = related(80, *widths)
    before = [item.copy() for item in items]
    single = np.array([[first(m(a, b)) for b in items] for a in items])
    tolerance = {"rtol": 0, "atol": 1e-10 * max(1, np.abs(single).max())}
    with lw.num_threads(2):
        grid = lw.pairwise(items, name, **options)
    np.testing.assert_allclose(grid, single, **tolerance)
    np.testing.assert_allclose(lw.cross(items[:2], items[1:], m), single[:2, 1:], **tolerance)
    stack = np.stack(items[2:4])
    np.testing.assert_allclose(first(m(stack, items[0])), single[2:4, 0], **tolerance)
    np.testing.assert_allclose(first(m(stack[:, None], stack)), single[2:4, 2:4], **tolerance)
    if m.symmetric:
        np.testing.assert_array_equal(grid, np.transpose(grid))
    for item, copy in zip(items, before, strict=True):
        np.testing.assert_array_equal(item, copy)


def bounds(m, kind, path, dtype):
    """How far a path may be from the call, and the call from what is exact."""
    if m.name == "soft_match":  # programs are solved to 1e-7, of which distances are roots
        return (1e-10 if dtype == np.float64 else 1e-4), 1e-4
    if dtype == np.float32:
        on_device = simulated.is_used() and kind == "one massive sample"  # they stay with float
        return (2e-5, 2e-5) if on_device else (2e-6, 2e-6)
    # Sums over samples cannot give angles near 0 better.
    return (1e-7, 1e-7) if path == "stream" else (1e-9, 1e-9)


@every_variant
@pytest.mark.parametrize("kind", HARD)
@pytest.mark.filterwarnings("ignore::likewise.LikewiseWarning")
def test_hard_numbers_keep_their_digits_on_every_path_and_in_both_types(name, options, kind):
    m = lw.measure(name, **options)
    x, y = (HARD[kind](side).astype(np.float32) for side in related(24, 6, 8))
    wide = x.astype(np.float64), y.astype(np.float64)
    expected = call = float(first(m(*wide)))
    try:
        expected = ORACLES[name](*wide, **options)
    except Undecided:
        if name == "pwcca":  # the only one that is then any number
            pytest.skip("equal correlations, which have no variates of their own")
    size = max(1, abs(call))
    for dtype in (np.float64, np.float32):
        if name == "hsic" and kind == "huge" and dtype == np.float32:
            continue  # beyond the type
        a, b = x.astype(dtype), y.astype(dtype)
        assert first(m(a, b)).dtype == dtype
        for path, score in paths(m, a, b).items():
            of_path, of_call = bounds(m, kind, path, dtype)
            assert score == pytest.approx(call, abs=of_path * size, nan_ok=True), path
            assert score == pytest.approx(expected, abs=of_call * size, nan_ok=True), path


EXTREMES = [
    (np.float64, 1e290, 1.0),
    (np.float64, 1e-290, 1.0),
    (np.float64, 1e150, 1e-150),
    (np.float64, 1e155, 1e155),
    (np.float64, 1e-155, 1e-155),
    (np.float32, 1e30, 1e-30),
    (np.float32, 1e-30, 1e30),
    (np.float32, 1e30, 1e30),
]


@every_variant
def test_no_scale_costs_digits_on_any_path(name, options):
    m = lw.measure(name, **options)
    if "isotropic_scaling" not in m.invariances:
        pytest.skip("sees the scale")
    x, y = related(32, 6, 8)
    for dtype, x_scale, y_scale in EXTREMES:
        expected = float(first(m(x.astype(dtype), y.astype(dtype))))
        tolerance = 1e-10 if dtype == np.float64 else 2e-6
        a, b = (x * x_scale).astype(dtype), (y * y_scale).astype(dtype)
        found = paths(m, a, b)
        assert first(m(a, a)) == pytest.approx(first(m(x, x)), abs=tolerance)
        for path, score in found.items():
            assert score == pytest.approx(expected, abs=tolerance), (path, x_scale, y_scale)


@every_measure
def test_metadata_is_complete(name):
    m = lw.measure(name)
    assert m.name == name
    assert m.kind in ("similarity", "distance")
    assert m.range[0] < m.range[1]
    assert isinstance(m.streamable, bool)
    assert m.min_samples >= 2
    assert callable(getattr(lw, name))


def test_unknown_names_and_options_are_refused():
    with pytest.raises(ValueError, match="did you mean 'procrustes'"):
        lw.measure("procustes")
    with pytest.raises(TypeError, match="colour"):
        lw.measure("procrustes", colour="red")
    with pytest.raises(ValueError, match="score"):
        lw.measure("procrustes", score="cosine")
    with pytest.raises(ValueError, match="options go with a name"):
        lw.measure(lw.measure("procrustes"), score="angular")


def test_a_name_cannot_be_registered_twice():
    with pytest.raises(ValueError, match="exists already"):
        lw.register(type(lw.measure("cka")))


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("measure/netrep/procrustes-distance=angular", lw.measure("procrustes")),
        ("procrustes-score", lw.measure("procrustes", score="similarity")),
        (
            "procrustes-distance=euclidean",
            lw.measure("procrustes", score="euclidean", scale=False),
        ),
        ("cka-kernel=linear-hsic=gretton-score", lw.measure("cka")),
        ("cka-kernel=linear-hsic=song-score", lw.measure("cka", estimator="unbiased")),
        (
            "measure/netrep/shape_metric-alpha=0.5-distance=angular",
            lw.measure("shape_distance", alpha=0.5),
        ),
    ],
)
def test_similarity_repository_ids_are_aliases(identifier, expected):
    assert lw.measure(identifier) == expected
