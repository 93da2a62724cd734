"""Declared properties of every registered measure. A new measure enters by being registered."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import likewise as lw

pytestmark = pytest.mark.device

TOLERANCE = 1e-8
INVARIANCES = ("translation", "isotropic_scaling", "orthogonal", "permutation", "invertible")

HELD_OUT = ("linear_predictivity",)  # scored on folds, which go by the order of the samples

every_measure = pytest.mark.parametrize("name", lw.measures())


def representation(rng, n, d):
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + rng.standard_normal(d)


def transformed(rng, y, invariance):
    """y after a transformation of its units under which `invariance` promises equal scores."""
    d = y.shape[1]
    if invariance == "translation":
        return y + 3 * rng.standard_normal(d)
    if invariance == "isotropic_scaling":
        return 2.7 * y
    if invariance == "permutation":
        return y[:, rng.permutation(d)]
    q = np.linalg.qr(rng.standard_normal((d, d)))[0]
    if invariance == "orthogonal":
        return y @ q
    return y @ (q * np.linspace(1, 3, d)) @ q


def close(a, b):
    return np.abs(a - b) <= TOLERANCE * max(1, abs(a), abs(b))


@every_measure
@pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(5, 24),
    widths=st.tuples(*[st.integers(1, 9)] * 3),
)
def test_declared_properties_hold(name, seed, n, widths):
    if name == "pwcca":  # equal canonical correlations, which have no variates of their own
        assume(n > widths[0] + widths[1])
    if name in ("mutual_knn", "jaccard_knn", "cknna"):  # all cosines of one unit are 1 or -1
        assume(min(widths) > 1)
    if name == "rsa":  # and so are correlations along two
        assume(min(widths) > 2)
    m = lw.measure(name)
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
        assert m(x, x) > 0.9 or n < 2 * widths[0]
        return
    rows = rng.permutation(n)
    assert close(m(x[rows], y[rows]), score)

    if m.kind == "distance":
        assert close(m(x, x), 0)
    elif np.isfinite(high):
        assert close(m(x, x), high)
    if m.is_metric:
        assert m(x, z) <= score + m(y, z) + TOLERANCE


@every_measure
@pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")
def test_invariances_that_are_not_declared_do_not_hold(name):
    m = lw.measure(name)
    rng = np.random.default_rng(0)
    x, y = representation(rng, 30, 6), representation(rng, 30, 6)
    for invariance in set(INVARIANCES) - m.invariances:
        sides = m(x, transformed(rng, y, invariance)), m(transformed(rng, x, invariance), y)
        assert max(abs(side - m(x, y)) for side in sides) > 1e-6, invariance
    assert m.invariances <= set(INVARIANCES)


@every_measure
@pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")
def test_pairwise_cross_batch_and_single_calls_agree(name):
    m = lw.measure(name)
    rng = np.random.default_rng(1)
    items = [representation(rng, 20, d) for d in (3, 30, 8, 8)]
    single = np.array([[m(a, b) for b in items] for a in items])
    np.testing.assert_allclose(lw.pairwise(items, name), single, atol=TOLERANCE, rtol=TOLERANCE)
    np.testing.assert_allclose(
        lw.cross(items[:2], items[1:], name), single[:2, 1:], atol=TOLERANCE, rtol=TOLERANCE
    )
    batch = m(np.stack(items[2:]), items[0])
    np.testing.assert_allclose(batch, single[2:, 0], atol=TOLERANCE, rtol=TOLERANCE)


@every_measure
@pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")
def test_float32_stays_float32_and_close(name):
    m = lw.measure(name)
    rng = np.random.default_rng(2)
    x, y = representation(rng, 40, 5), representation(rng, 40, 7)
    single = m(x.astype(np.float32), y.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, m(x, y), rtol=2e-5, atol=2e-6)
    assert lw.pairwise([x.astype(np.float32)] * 2, name).dtype == np.float32


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
