"""CKA and HSIC against explicit kernel matrices, known identities and the pitfalls of the field."""

from __future__ import annotations

import resource
import sys

import numpy as np
import pytest
import simulated
from reference import kernels as slow
from variants import related

import likewise as lw

pytestmark = [
    pytest.mark.device,
    pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning"),
]

SHAPES = [(20, 5, 5), (50, 3, 70), (4, 2, 3), (130, 40, 1), (67, 67, 20), (300, 4, 6)]
KERNELS = [
    {},
    {"kernel": "rbf"},
    {"kernel": "rbf", "bandwidth": 2.5},
    {"kernel": "rbf", "bandwidth": ("median", 1.3)},
    {"kernel": "polynomial"},
    {"kernel": "polynomial", "degree": 2, "coef0": 0.5, "gamma": 0.1},
]


@pytest.mark.parametrize("estimator", ["biased", "unbiased"])
@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ["cka", "hsic"])
def test_agrees_with_explicit_kernel_matrices(name, shape, kernel, estimator):
    x, y = related(*shape)
    options = kernel | {"estimator": estimator}
    if name == "cka" and any(slow.hsic(a, a, **options) <= 0 for a in (x, y)):
        pytest.skip("no positive HSIC with itself")
    expected = getattr(slow, name)(x, y, **options)
    scale = max(1, abs(slow.hsic(x, x, **options))) if name == "hsic" else 1
    tolerance = 1e-11 * scale
    assert abs(getattr(lw, name)(x, y, **options) - expected) < tolerance
    grid = lw.pairwise([x, y], name, **options)
    assert abs(grid[0, 1] - expected) < tolerance
    assert grid[0, 1] == grid[1, 0]
    assert abs(lw.cross([x], [y], name, **options)[0, 0] - expected) < tolerance


@pytest.mark.parametrize("estimator", ["biased", "unbiased"])
@pytest.mark.parametrize("kernel", ["linear", "rbf", "polynomial"])
@pytest.mark.parametrize("n", [simulated.large(200), simulated.large(700)])
def test_many_mixed_items_agree_with_single_calls(n, kernel, estimator):
    rng = np.random.default_rng(0)
    items = [rng.standard_normal((n, d)) for d in (1, 5, 64, 17, 130, 3)]
    options = {"kernel": kernel, "estimator": estimator}
    with lw.num_threads(2):
        grid = lw.pairwise(items, "cka", **options)
    single = [[lw.cka(a, b, **options) for b in items] for a in items]
    np.testing.assert_allclose(grid, single, atol=1e-11)
    np.testing.assert_allclose(np.diag(grid), 1, atol=1e-14)
    np.testing.assert_allclose(
        lw.cross(items[:2], items[2:], "cka", **options), np.array(single)[:2, 2:], atol=1e-11
    )


def test_results_do_not_change_from_run_to_run():
    items = [related(400, 30, 1, seed=seed)[0] for seed in range(5)]
    first = lw.pairwise(items, "cka", kernel="rbf")
    assert all(np.array_equal(first, lw.pairwise(items, "cka", kernel="rbf")) for _ in range(3))


def apart(distance):
    # Three fifths together: the median distance is one within clusters.
    return lambda x: x + distance * (np.arange(len(x)) % 5 < 3)[:, None]


@pytest.mark.parametrize("estimator", ["biased", "unbiased"])
@pytest.mark.parametrize("kind", [1e8, 1e12])
def test_clusters_that_float64_barely_resolves(kind, estimator):
    x, y = (apart(kind)(np.round(a * 16) / 16) for a in related(70, 6, 5))
    options = {"kernel": "rbf", "estimator": estimator}
    assert lw.cka(x, y, **options) == pytest.approx(slow.precise_cka(x, y, **options), abs=1e-10)


@pytest.mark.parametrize(
    ("dtype", "scale"),
    [(np.float64, s) for s in (1e150, 1e30, 1e-150)] + [(np.float32, s) for s in (1e30, 1e-30)],
)
@pytest.mark.parametrize("options", [{}, {"kernel": "polynomial", "coef0": 0}], ids=str)
@pytest.mark.parametrize("estimator", ["biased", "unbiased"])
def test_scales_that_cancel_in_hsic(options, scale, dtype, estimator):
    x, y = (a.astype(dtype) for a in related(40, 3, 4))
    scale = 2.0 ** round(np.log2(scale))
    options = options | {"estimator": estimator}
    expected = lw.hsic(x, y, **options)
    a, b = (x * dtype(scale)), (y * dtype(1 / scale))
    assert lw.hsic(a, b, **options) == pytest.approx(
        expected, rel=1e-6 if dtype == np.float32 else 1e-12
    )
    assert lw.cka(a, a, **options) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("estimator", ["biased", "unbiased"])
@pytest.mark.parametrize(
    ("dtype", "scale", "options"),
    [
        (np.float64, 1e300, {}),
        (np.float64, 1e100, {"kernel": "polynomial"}),
        (np.float32, 1e15, {}),
    ],
)
def test_hsic_beyond_the_type_is_infinite_and_said(dtype, scale, options, estimator):
    x, y = (a.astype(dtype) for a in related(40, 3, 4))
    options = options | {"estimator": estimator}
    big = x * dtype(scale)
    with pytest.warns(lw.OverflowWarning, match="hsic: 2 representations with a score beyond"):
        assert lw.hsic(big, big, **options) == np.inf
    with pytest.warns(RuntimeWarning, match="divide the samples by their scale"):
        grid = lw.pairwise([big, y], "hsic", **options)
    assert grid[0, 0] == np.inf
    assert np.isfinite(grid[1, 1])
    assert lw.cka(big, y, **options) == pytest.approx(lw.cka(x, y, **options), abs=0.2)


FAR = {
    "nearly the identity": ("median", 0.17),
    "the nearest pair alone": ("median", 0.08),
    "repeats alone": 1e-30,
}


@pytest.mark.parametrize("kind", FAR)
@pytest.mark.parametrize("estimator", ["biased", "unbiased"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bandwidths_far_below_the_distances(dtype, estimator, kind):
    x, y = (side.astype(dtype) for side in related(30, 3, 4))
    if kind == "repeats alone":
        x[5:7], y[6:8] = x[5], y[6]
    options = {"kernel": "rbf", "bandwidth": FAR[kind], "estimator": estimator}
    wide = (x.astype(np.float64), y.astype(np.float64))
    expected = slow.cka(*wide, **options)
    tolerance = 1e-4 if dtype == np.float32 else 1e-9
    measure = lw.measure("cka", **options)
    found = [
        measure(x, y),
        lw.pairwise([x, y], measure)[0, 1],
        lw.cross([x], [y], measure)[0, 0],
        measure(np.stack([x, x]), y)[1],
        measure.gradients(x, y)[0],
    ]
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * 1e-2)


@pytest.mark.parametrize(
    ("bandwidth", "scale"),
    [(1e9, 1.0), (1e30, 1.0), (2.0, 1e-18), (2.0, 1e-30), (2.0, 1e-150), (("median", 1e9), 1.0),
     (("median", 1e200), 1.0)],
)  # fmt: skip
@pytest.mark.parametrize("estimator", ["biased", "unbiased"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bandwidths_far_beyond_the_distances(dtype, estimator, bandwidth, scale):
    """exp(-t) - 1 is -t, whose kernel matrices centred are those of the linear kernel."""
    if dtype == np.float32 and scale < 1e-30:
        pytest.skip("no such numbers")
    x, y = (side.astype(dtype) for side in related(30, 3, 4))
    expected, *slopes = lw.measure("cka", estimator=estimator).gradients(x, y)
    x, y = x * dtype(scale), y * dtype(scale)
    measure = lw.measure("cka", kernel="rbf", bandwidth=bandwidth, estimator=estimator)
    score, *gradients = measure.gradients(x, y)
    found = [
        score,
        measure(x, y),
        lw.pairwise([x, y], measure)[0, 1],
        lw.cross([x], [y], measure)[0, 0],
        measure(np.stack([x, x]), y)[1],
    ]
    tolerance = 1e-5 if dtype == np.float32 else 1e-11
    np.testing.assert_allclose(found, expected, rtol=tolerance)
    for gradient, slope in zip(gradients, slopes, strict=True):
        atol = tolerance * np.abs(slope).max()
        np.testing.assert_allclose(gradient * scale, slope, rtol=0, atol=atol)


def small_samples(n, kind, rng):
    x = rng.standard_normal((n, 3))
    if kind == "rank one":
        x = x[:, :1] * rng.standard_normal((1, 4))
    if kind == "one unit":
        x = x[:, :1]
    if kind == "large mean":
        x = x + 1e4
    if kind == "a sample far away":
        x[1] *= 1e4
    if kind == "whole numbers":
        x = np.round(2 * x)
    return x


@pytest.mark.filterwarnings("ignore::likewise.DegenerateWarning")
@pytest.mark.parametrize("options", [{}, {"kernel": "rbf"}, {"kernel": "polynomial"}], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["rank one", "one unit", "large mean", "a sample far away",
                                  "whole numbers", "plain"])  # fmt: skip
def test_unbiased_cka_of_few_samples_is_within_its_range(kind, dtype, options):
    # It is a cosine of U-centred matrices, and computed as one where its terms cancel to less than
    # 1 / 64 of them. Where K is far larger than what centring leaves, its digits are gone in K
    # itself.
    rng = np.random.default_rng(3)
    options = options | {"estimator": "unbiased"}
    eps = np.finfo(dtype).eps
    for n in (4, 4, 4, 4, 4, 4, 4, 5, 6, 8):
        x, y = (small_samples(n, kind, rng).astype(dtype) for _ in range(2))
        for a, b in ((x, y), (x, -x), (y, x)):
            found = float(lw.cka(a, b, **options))
            if np.isnan(found):
                continue
            assert abs(found) <= 1 + 32 * eps
            left = [np.sqrt(slow.precise_hsic(c, c, **options) * n * (n - 3)) for c in (a, b)]
            whole = [
                np.abs(slow.gram(c, **{k: v for k, v in options.items() if k != "estimator"})).max()
                * n
                for c in (a, b)
            ]
            lost = max(w / part for w, part in zip(whole, left, strict=True))
            in_double = lost > 64 and simulated.module is None  # devices stay with float
            fine = np.finfo(np.float64).eps if in_double else eps
            assert abs(found - slow.precise_cka(a, b, **options)) < 64 * (fine * lost + eps)


def test_biased_cka_is_large_for_unrelated_data_when_n_is_below_d():
    rng = np.random.default_rng(0)
    pairs = [(rng.standard_normal((50, 200)), rng.standard_normal((50, 200))) for _ in range(40)]
    biased = [lw.cka(x, y) for x, y in pairs]
    unbiased = [lw.cka(x, y, estimator="unbiased") for x, y in pairs]
    assert abs(np.mean(biased) - 0.8) < 0.01
    assert abs(np.mean(unbiased)) < 4 * np.std(unbiased) / np.sqrt(40)
    assert min(unbiased) < 0  # returned negative, not clamped


@pytest.mark.filterwarnings("ignore::likewise.DegenerateWarning")
def test_last_small_batch():
    x, y = related(3, 2, 2)
    with pytest.raises(ValueError, match="at least 4 samples"):
        lw.cka(x, y, estimator="unbiased")
    assert np.isfinite(lw.cka(x, y))


def test_no_positive_hsic_with_itself_is_nan_and_said():
    # Every sample but two is equal: the median distance is zero.
    x = np.zeros((6, 1))
    x[0] = 1
    with pytest.warns(lw.DegenerateWarning, match="median distance of 0"):
        assert np.isnan(lw.cka(x, x, kernel="rbf"))
    with pytest.warns(lw.DegenerateWarning, match="no positive unbiased HSIC"):
        assert np.isnan(lw.cka(x, x, estimator="unbiased"))


def test_small_samples_warn_for_the_biased_estimator_alone():
    x, y = related(20, 15, 3)
    with pytest.warns(lw.SmallSampleWarning, match="20 samples for 15 units"):
        lw.cka(x, y)


def test_unbiased_does_not_warn():
    x, y = related(20, 15, 3)
    lw.cka(x, y, estimator="unbiased")  # the suite turns any warning into an error


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"kernel": "laplace"}, "kernel must be one of"),
        ({"estimator": "song"}, "estimator must be one of"),
        ({"kernel": "rbf", "bandwidth": 0}, "bandwidth must be a positive number"),
        ({"kernel": "rbf", "bandwidth": ("mean", 1.0)}, "bandwidth must be a positive number"),
        ({"degree": 1.5}, "degree must be a positive integer"),
        ({"gamma": -1}, "gamma must be positive"),
        ({"coef0": np.inf}, "coef0 must be finite"),
    ],
)
def test_options_are_checked(options, text):
    with pytest.raises(ValueError, match=text):
        lw.cka(*related(10, 2, 2), **options)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads kilobytes")
@pytest.mark.host_only("measures memory of the CPU")
def test_narrow_items_need_no_matrices_of_samples():
    items = np.random.default_rng(0).standard_normal((3, 40_000, 2))  # a matrix would take 12 GB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert np.isfinite(lw.pairwise(list(items), "cka", estimator="unbiased")).all()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000
