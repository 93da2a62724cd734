"""Gradients of measures, against differences of scores."""

import itertools

import numpy as np
import pytest
import simulated
from reference import kernels as slow

import likewise as lw

pytestmark = [
    pytest.mark.device,
    pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning"),
    pytest.mark.filterwarnings("ignore::likewise.DegenerateWarning"),
]

SHAPES = [(13, 4, 5), (6, 9, 8), (8, 3, 11)]  # tall, wide, and one of each
SCORES = ("angular", "euclidean", "similarity")


def data(n, p, q, seed=0):
    """Related representations away from their ranges' ends, of no unit scale or mean."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 3))
    x, y = (common @ rng.normal(size=(3, k)) + 0.7 * rng.normal(size=(n, k)) for k in (p, q))
    return 3 * x + 1, 0.2 * y - 2


def differences(measure, x, y):
    out = np.empty_like(x)
    step = 1e-6 * np.abs(x).max()
    for index in np.ndindex(x.shape):
        scores = []
        for sign in (1, -1):
            moved = x.copy()
            moved[index] += sign * step
            scores.append(measure(moved, y))
        out[index] = (scores[0] - scores[1]) / (2 * step)
    return out


def require_gradients(measure, x, y):
    score, *gradients = measure.gradients(x, y)
    assert score == pytest.approx(measure(x, y), rel=1e-11, abs=1e-12)
    for found, wanted in zip(
        gradients,
        (differences(measure, x, y), differences(lambda a, b: measure(b, a), y, x)),
        strict=True,
    ):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6 * np.abs(wanted).max())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize(("score", "scale"), [*itertools.product(SCORES, [True, False])])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_shapes(alpha, shape, score, scale, center):
    if alpha == 0 and (shape != SHAPES[0] or not center):
        pytest.skip("whitened, as many units as samples are all alike")
    options = {"score": score, "scale": scale, "center": center}
    name, more = ("procrustes", {}) if alpha == 1 else ("shape_distance", {"alpha": alpha})
    require_gradients(lw.measure(name, **options, **more), *data(*shape))


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_shape_distance_of_repeated_singular_values(alpha):
    x, y = data(13, 4, 5)
    x = np.linalg.qr(x - x.mean(axis=0))[0]  # all of them are 1
    require_gradients(lw.measure("shape_distance", alpha=alpha), x, y)


KERNELS = [
    {"kernel": "linear"},
    {"kernel": "polynomial", "degree": 3},
    {"kernel": "polynomial", "degree": 1, "coef0": 0.0, "gamma": 0.5},
    {"kernel": "rbf"},
    {"kernel": "rbf", "bandwidth": 4.0},
]


@pytest.mark.parametrize("shape", [*SHAPES, (7, 4, 4), (8, 4, 4)])  # odd and even numbers of pairs
@pytest.mark.parametrize("estimator", ["biased", "unbiased"])
@pytest.mark.parametrize("options", KERNELS, ids=lambda o: "-".join(map(str, o.values())))
@pytest.mark.parametrize("name", ["cka", "hsic"])
def test_kernels(name, options, estimator, shape):
    require_gradients(lw.measure(name, estimator=estimator, **options), *data(*shape))


@pytest.mark.parametrize("estimator", ["biased", "unbiased"])
@pytest.mark.parametrize("options", KERNELS, ids=lambda o: "-".join(map(str, o.values())))
@pytest.mark.parametrize(("apart", "scale"), [(1e4, 1.0), (0.0, 3000.0), (0.0, 1e-4), (0.0, 1e30)])
def test_kernels_of_hard_numbers(apart, scale, options, estimator):
    options = options | {"estimator": estimator}
    x, y = (
        ((a + apart * (np.arange(len(a)) % 5 < 3)[:, None]) * scale).astype(np.float32)
        for a in data(13, 4, 5)
    )
    if options.get("bandwidth") == 4.0:
        options["bandwidth"] = 4.0 * scale
    measure = lw.measure("cka", **options)
    wide = [a.astype(np.float64) for a in (x, y)]
    score, *exact = measure.gradients(*wide)
    found_score, *found = measure.gradients(x, y)
    assert found_score == pytest.approx(score, abs=2e-6)
    # Devices multiply samples of float: at 1e4 deviations they are off by 6e-4 of one.
    tolerance = 1e-3 if apart and simulated.module is not None else 2e-5
    for single, double in zip(found, exact, strict=True):
        np.testing.assert_allclose(single, double, rtol=0, atol=tolerance * np.abs(double).max())
    # The middle two distances change places within any larger step.
    step = 1e-5 * scale
    for index in [(0, 0), (4, 3), (7, 1)]:
        scores = []
        for sign in (1, -1):
            moved = wide[0].copy()
            moved[index] += sign * step
            scores.append(slow.precise_cka(moved, wide[1], **options))
        slope = (scores[0] - scores[1]) / (2 * step)
        assert slope == pytest.approx(exact[0][index], rel=0, abs=1e-4 * np.abs(exact[0]).max())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("comparison", ["cosine", "corr", "cosine_cov", "corr_cov"])
@pytest.mark.parametrize("dissimilarity", ["correlation", "cosine", "euclidean", "sqeuclidean"])
def test_rsa(dissimilarity, comparison, shape):
    measure = lw.measure("rsa", dissimilarity=dissimilarity, comparison=comparison)
    require_gradients(measure, *data(*shape))


MEASURES = [
    lw.measure("procrustes"),
    lw.measure("shape_distance", alpha=0.5),
    lw.measure("cka", estimator="unbiased"),
    lw.measure("hsic", kernel="rbf"),
    lw.measure("rsa", comparison="corr", dissimilarity="euclidean"),
]
by_name = pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.name)


@by_name
def test_batches_broadcast(measure):
    pairs = [[data(9, 4, 5, seed=2 * i + j) for j in range(2)] for i in range(3)]
    x = np.array([row[0][0] for row in pairs])[:, None]
    y = np.array([pair[1] for pair in pairs[0]])
    scores, by_x, by_y = measure.gradients(x, y)
    assert scores.shape == (3, 2)
    assert by_x.shape == (3, 2, 9, 4)
    assert by_y.shape == (3, 2, 9, 5)
    for i, j in np.ndindex(3, 2):
        alone = measure.gradients(x[i, 0], y[j])
        for together, one in zip((scores, by_x, by_y), alone, strict=True):
            np.testing.assert_array_equal(together[i, j], one)


@by_name
def test_what_is_not_wanted_is_not_made(measure):
    x, y = data(9, 4, 5)
    _, by_x, by_y = measure.gradients(x, y)
    _, found, nothing = measure.gradients(x, y, wanted=(True, False))
    assert nothing is None
    np.testing.assert_array_equal(found, by_x)
    _, nothing, found = measure.gradients(x, y, wanted=(False, True))
    assert nothing is None
    np.testing.assert_array_equal(found, by_y)


@by_name
def test_float32_and_any_layout(measure):
    x, y = data(40, 6, 5)
    wanted = measure.gradients(x, y)[1:]
    found = measure.gradients(x.astype(np.float32), y.astype(np.float32))[1:]
    for one, exact in zip(found, wanted, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, exact, rtol=0, atol=2e-5 * np.abs(exact).max())
    for one, exact in zip(measure.gradients(x[:, ::-1], y.copy("F"))[1:], wanted, strict=True):
        exact = exact[:, ::-1] if exact is wanted[0] else exact
        np.testing.assert_allclose(one, exact, rtol=0, atol=1e-12 * np.abs(exact).max())


@pytest.mark.parametrize("exponent", [-160, -60, 60, 160])
@pytest.mark.parametrize("name", ["procrustes", "cka"])
def test_scale_of_the_data(name, exponent):
    x, y = data(13, 4, 5)
    factor = 2.0**exponent
    _, by_x, _ = lw.measure(name).gradients(x, y)
    _, found, by_y = lw.measure(name).gradients(x * factor, y)
    np.testing.assert_allclose(found * factor, by_x, rtol=1e-10)
    assert np.isfinite(by_y).all()


@by_name
def test_constant_representations(measure):
    x, y = data(9, 4, 5)
    for side in measure.gradients(x, np.full_like(y, 0.1)):
        assert np.isnan(side).all()


@by_name
def test_constant_units_have_finite_gradients(measure):
    x, y = data(9, 4, 5)
    x[:, 1] = 0.1
    for side in measure.gradients(x, y):
        assert np.isfinite(side).all()


@pytest.mark.parametrize("score", ["angular", "euclidean"])
@pytest.mark.parametrize("scale", [True, False])
def test_congruent_representations(score, scale):
    x, _ = data(30, 5, 5)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
    measure = lw.measure("procrustes", score=score, scale=scale)
    for side in measure.gradients(x, x @ rotation + 1)[1:]:
        np.testing.assert_array_equal(side, 0)


def test_nearly_congruent_representations():
    x, noise = data(30, 5, 5)
    measure = lw.measure("procrustes", score="euclidean", scale=False)
    y = x + 1e-6 * noise
    distance, by_x, by_y = measure.gradients(x, y)
    assert distance == pytest.approx(measure(x, y), rel=1e-9)
    # The distance is |x - y| but for what a rotation takes away: a gradient of unit norm.
    assert np.linalg.norm(by_x) == pytest.approx(1, abs=1e-6)
    assert (by_y * (y - x)).sum() == pytest.approx(measure(x, y), rel=1e-6)


def test_equal_samples_under_the_euclidean_distance():
    x, y = data(9, 4, 5)
    x[3] = x[2]
    _, by_x, _ = lw.measure("rsa", comparison="corr", dissimilarity="euclidean").gradients(x, y)
    assert np.isfinite(by_x).all()


def test_refusals():
    x, y = data(9, 4, 5)
    with pytest.raises(lw.InputTypeError, match=r"comparison='spearman'\) is not differentiable"):
        lw.measure("rsa").gradients(x, y)
    with pytest.raises(ValueError, match="same number of samples"):
        lw.measure("cka").gradients(x, y[:-1])
    x[2, 1] = np.nan
    with pytest.raises(ValueError, match=r"cka: x must be finite, got nan at index \(2, 1\)"):
        lw.measure("cka").gradients(x, y)
    for measure in MEASURES:
        for side in measure.gradients(x, y, check_finite=False):
            assert np.isnan(side).all()


def test_every_measure_says_whether_it_is_differentiable():
    x, y = data(9, 4, 5)
    for name in lw.measures():
        measure = lw.measure(name)
        if getattr(measure, "differentiable", False):
            assert measure.gradients(x, y)[1].shape == x.shape
        else:
            with pytest.raises(lw.InputTypeError, match="not differentiable"):
                measure.gradients(x, y)
