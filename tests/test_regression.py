"""Linear predictivity and ridge errors against refits, scikit-learn and planted answers."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from reference import regression as slow
from variants import paths

import likewise as lw

pytestmark = pytest.mark.device

SHAPES = [(100, 6, 4), (83, 20, 7), (60, 90, 5), (50, 39, 8), (40, 1, 3)]
ALPHAS = (1e-3, 0.1, 2.0, 50.0)


def pair(n, dx, dy, seed=0, noise=0.5):
    """Targets that are noisy linear functions of sources of falling variance."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, dx)) * np.arange(1, dx + 1) ** -0.5 + 3
    y = x @ rng.standard_normal((dx, dy)) + noise * rng.standard_normal((n, dy)) - 2
    return x, y


@pytest.mark.parametrize("alphas", [None, ALPHAS])
@pytest.mark.parametrize(("n", "dx", "dy"), SHAPES)
@pytest.mark.filterwarnings("ignore::likewise.GridEdgeWarning")
def test_agrees_with_refits(n, dx, dy, alphas):
    x, y = pair(n, dx, dy)
    found = lw.linear_predictivity(x, y, alphas=alphas)
    r, r2, alpha = slow.linear_predictivity(x, y, alphas)
    np.testing.assert_allclose(found.alpha, alpha, rtol=1e-12)
    np.testing.assert_allclose(found.per_fold, r, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.per_target, r.mean(axis=0), rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.r2, r2.mean(axis=0), rtol=0, atol=1e-9)
    assert found.score == pytest.approx(r.mean(), abs=1e-9)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(("n", "dx", "dy"), SHAPES)
def test_errors_equal_those_of_refits(n, dx, dy, fit_intercept):
    x, y = pair(n, dx, dy)
    found = lw.ridge_cv_errors(x, y, alphas=ALPHAS, cv=4, fit_intercept=fit_intercept)
    expected = np.zeros((len(ALPHAS), dy))
    for train, test in slow.folds(n, 4, 0):
        for k, alpha in enumerate(ALPHAS):
            weights, offset = slow.fit(x[train], y[train], alpha, fit_intercept)
            expected[k] += ((y[test] - x[test] @ weights - offset) ** 2).mean(axis=0) / 4
    np.testing.assert_allclose(found.errors, expected, rtol=1e-8)
    np.testing.assert_allclose(found.alphas, ALPHAS, rtol=0)


def test_lines_through_the_origin_fit_constant_targets():
    x, _ = pair(40, 4, 1)
    y = np.full((40, 1), 5.0)
    found = lw.ridge_cv_errors(x, y, alphas=ALPHAS, cv=4, fit_intercept=False).errors
    expected = np.zeros(len(ALPHAS))
    for train, test in slow.folds(40, 4, 0):
        for k, alpha in enumerate(ALPHAS):
            weights, _ = slow.fit(x[train], y[train], alpha, False)
            expected[k] += ((y[test] - x[test] @ weights) ** 2).mean() / 4
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-9, atol=0)


SPECTRA = {
    "equal": np.ones(24),
    "close": 1 + np.r_[0, 0, 1e-12, 1e-6, 1e-3, np.linspace(0.0035, 0.0045, 3), np.arange(1, 17)],
    "falling": 10.0 ** -np.arange(0, 12, 0.5),
}


@pytest.mark.parametrize("spectrum", SPECTRA)
def test_errors_hold_for_every_spectrum(spectrum):
    # Without fold 0 the Gram matrix of the training set has these eigenvalues.
    d, n = 24, 160
    rng = np.random.default_rng(3)
    x, folds = np.empty((n, d)), list(slow.folds(n, 4, 0))
    turned = np.linalg.qr(rng.standard_normal((d, d)))[0] * SPECTRA[spectrum] ** 0.5
    for k, (_, test) in enumerate(folds):
        x[test] = np.linalg.qr(rng.standard_normal((len(test), d)))[0] @ turned.T
        if k == 0:
            x[test] @= np.linalg.qr(rng.standard_normal((d, d)))[0]
    y = x @ rng.standard_normal((d, 5)) + 0.1 * rng.standard_normal((n, 5))
    alphas = (1e-6, 1e-3, 0.1, 1.0, 30.0, 1e5)
    expected = np.zeros((len(alphas), 5))
    for train, test in folds:
        for k, alpha in enumerate(alphas):
            weights, _ = slow.fit(x[train], y[train], alpha, False)
            expected[k] += ((y[test] - x[test] @ weights) ** 2).mean(axis=0) / 4
    errors = partial(lw.ridge_cv_errors, cv=4, fit_intercept=False)
    np.testing.assert_allclose(errors(x, y, alphas=alphas).errors, expected, rtol=1e-8)
    single = errors(x.astype(np.float32), y.astype(np.float32), alphas=alphas[2:])
    np.testing.assert_allclose(single.errors, expected[2:], rtol=1e-4)


@pytest.mark.host_only("takes minutes there")
def test_pitfall_the_penalty_is_never_chosen_on_the_scoring_fold():
    # Pure noise scores 0 within its standard error; chosen on the scoring folds it would be 0.06.
    scores = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x, y = rng.standard_normal((100, 50)), rng.standard_normal((100, 20))
        scores.append(lw.linear_predictivity(x, y).score)
    error = np.std(scores, ddof=1) / np.sqrt(len(scores))
    assert abs(np.mean(scores)) < 3 * error
    assert error < 0.01


def test_exact_linear_maps_are_predicted():
    x, y = pair(200, 8, 5, noise=0)
    found = lw.linear_predictivity(x, y)
    np.testing.assert_allclose(found.per_target, 1, rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.r2, 1, rtol=0, atol=1e-8)


def test_directions_differ():
    x, y = pair(200, 8, 2)
    assert lw.linear_predictivity(x, y).score > 0.9
    assert lw.linear_predictivity(y, x).score < 0.7


def test_many_targets_are_the_sum_of_their_blocks():
    x, y = pair(60, 5, 1100)
    whole = lw.linear_predictivity(x, y)
    parts = [lw.linear_predictivity(x, y[:, k : k + 100]) for k in range(0, 1100, 100)]
    expected = np.concatenate([part.per_target for part in parts])
    np.testing.assert_allclose(whole.per_target, expected, rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore::likewise.LikewiseWarning")
def test_penalties_of_a_source_of_zeros_are_those_given():
    _, y = pair(20, 4, 7)
    found = lw.ridge_cv_errors(np.zeros((20, 2)), y, alphas=[1.0, 2.0, 3.0], cv=4)
    np.testing.assert_array_equal(found.alphas, [1, 2, 3])
    expected = np.zeros(7)
    for train, test in slow.folds(20, 4, 0):
        expected += ((y[test] - y[train].mean(axis=0)) ** 2).mean(axis=0) / 4
    np.testing.assert_allclose(found.errors, np.broadcast_to(expected, (3, 7)), rtol=1e-12)


def test_a_prediction_that_is_rounding_alone_has_correlation_zero():
    """Found by the fuzzer: the target is orthogonal to the source in the first training set."""
    signs = np.array([1, -1, -1, 1])
    order = np.random.RandomState(0).permutation(8)
    x, y = np.empty((8, 2)), np.empty((8, 1))
    x[order[4:]] = np.stack([signs, -signs], axis=1)
    y[order[4:], 0] = [-2, -2, 1, 1]
    x[order[:4]], y[order[:4], 0] = [[-1, 1], [1, -1], [1, 1], [1, 1]], [1, -2, -2, 2]
    turns = order.reshape(2, 4).T.ravel()  # as streams leave out samples
    for scale in (1, 0.1, 1 / 3):
        x_scaled = x * scale
        per_fold = lw.linear_predictivity(x_scaled, y, cv=2).per_fold
        assert per_fold[0, 0] == 0
        measure = lw.measure("linear_predictivity", cv=2)
        stream = lw.scale.Accumulator("linear_predictivity", cv=2)
        stream.update([x_scaled[turns]], [y[turns]])
        found = [
            lw.pairwise([x_scaled, y], measure)[0, 1],
            measure(np.stack([x_scaled, x_scaled]), y)[1],
            stream.compute()[0, 0],
        ]
        np.testing.assert_allclose(found, per_fold.mean(), rtol=0, atol=1e-12)


def test_constant_targets_score_zero_and_folds_too():
    x, y = pair(50, 4, 3)
    y[:, 1] = 7
    order = np.random.RandomState(0).permutation(50)
    y[order[:10], 2] = 0.1  # constant over the first fold alone
    with pytest.warns(lw.DegenerateWarning, match="1 constant unit "):
        found = lw.linear_predictivity(x, y)
    assert found.per_target[1] == found.r2[1] == 0
    assert found.per_fold[0, 2] == 0
    assert (found.per_fold[1:, 2] > 0.5).all()
    assert found.score == pytest.approx(found.per_target.mean())


def test_a_target_that_varies_in_one_fold_only_cannot_be_predicted_there():
    x, y = pair(50, 4, 2)
    order = np.random.RandomState(0).permutation(50)
    y[order[10:], 0] = 0.3
    found = lw.linear_predictivity(x, y)
    assert found.per_fold[0, 0] == 0
    assert found.per_target[0] == 0


def test_a_source_that_varies_in_one_fold_only_predicts_means():
    x, y = pair(50, 1, 2)
    x[np.random.RandomState(0).permutation(50)[10:]] = 1.5
    found = lw.linear_predictivity(x, y)
    assert (found.per_fold[0] == 0).all()
    assert np.isfinite(found.r2).all()


EXTREMES = [
    (np.float64, 1e-150, 1e150),
    (np.float64, 1e150, 1e-150),
    (np.float64, 1e300, 1e300),
    (np.float64, 1e-300, 1e-300),
    (np.float64, 1e6, 1.0),
    (np.float32, 1e30, 1e-30),
    (np.float32, 1e-30, 1e30),
]


@pytest.mark.parametrize(("dtype", "x_scale", "y_scale"), EXTREMES)
@pytest.mark.parametrize("n", [60, 25])
def test_default_penalties_follow_the_scale(dtype, x_scale, y_scale, n):
    x, y = pair(n, 30, 4)
    expected = lw.linear_predictivity(x, y).per_fold
    x, y = (x * x_scale).astype(dtype), (y * y_scale).astype(dtype)
    atol = 1e-9 if dtype == np.float64 else 1e-5
    found = lw.linear_predictivity(x, y).per_fold
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)
    grid = lw.cross([x], [y], "linear_predictivity")
    np.testing.assert_allclose(grid, expected.mean(), rtol=0, atol=atol)


@pytest.mark.parametrize(("x_scale", "y_scale"), [(1e100, 1e-150), (1e-100, 1e150), (1e150, 1)])
def test_given_penalties_scale_with_squares_of_the_source(x_scale, y_scale):
    x, y = pair(60, 6, 4)
    alphas = np.array(ALPHAS)
    call = partial(
        lw.linear_predictivity, x * x_scale, y * y_scale, alphas=tuple(alphas * x_scale**2)
    )
    expected = lw.linear_predictivity(x, y, alphas=ALPHAS)
    np.testing.assert_allclose(call().per_fold, expected.per_fold, rtol=0, atol=1e-9)
    np.testing.assert_allclose(call().alpha, expected.alpha * x_scale**2, rtol=1e-12)
    for intercept in (True, False):
        expected = lw.ridge_cv_errors(x, y, alphas=ALPHAS, fit_intercept=intercept).errors
        y_scale = np.clip(y_scale, 1e-140, 1e140)  # squares are numbers
        errors = lw.ridge_cv_errors(
            x * x_scale, y * y_scale, alphas=tuple(alphas * x_scale**2), fit_intercept=intercept
        ).errors
        np.testing.assert_allclose(errors, expected * y_scale**2, rtol=1e-8)


@pytest.mark.parametrize("size", [1e6, 1e10, 1e13])
@pytest.mark.parametrize("side", ["x", "y", "xy"])
@pytest.mark.filterwarnings("ignore::likewise.GridEdgeWarning")
def test_one_sample_may_be_larger_by_far(side, size):
    x, y = pair(40, 3, 2)
    x[7] *= size if "x" in side else 1
    y[7] *= size if "y" in side else 1
    for alphas in (None, (1e-4 * size**2, size**2)):
        found = lw.linear_predictivity(x, y, alphas=alphas).per_fold
        expected = slow.exact_correlations(x, y, alphas, 5)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def hard_in_single_precision(kind):
    rng = np.random.default_rng(3)
    x, y = pair(60, 90, 5, noise=0.1)
    if kind == "far clusters":
        side = np.repeat([[1000.0], [-1000.0]], 30, axis=0)
        x, y = x[:, :20] + side * rng.standard_normal(20), y + side
    if kind == "a large mean":
        x, y = x + 1000, y - 3000
    if kind == "falling variance":
        x = x @ np.linalg.qr(rng.standard_normal((90, 90)))[0] * 10.0 ** -np.arange(0, 9, 0.1)
    return x.astype(np.float32), y.astype(np.float32)


@pytest.mark.parametrize(
    "kind", ["fewer samples", "far clusters", "a large mean", "falling variance"]
)
def test_float32_agrees_with_float64_of_the_same_numbers(kind):
    x, y = hard_in_single_precision(kind)
    x64, y64 = x.astype(np.float64), y.astype(np.float64)
    expected = lw.linear_predictivity(x64, y64)
    found = lw.linear_predictivity(x, y)
    assert found.score.dtype == np.float32
    for name in ("score", "per_target", "per_fold", "r2", "alpha"):
        one, other = getattr(found, name), getattr(expected, name)
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)
    for path, score in paths(lw.measure("linear_predictivity"), x, y).items():
        assert score == pytest.approx(expected.score, abs=1e-6), path
    errors, wide = (lw.ridge_cv_errors(*sides) for sides in ((x, y), (x64, y64)))
    np.testing.assert_allclose(errors.alphas, wide.alphas, rtol=1e-6)
    np.testing.assert_allclose(errors.errors, wide.errors, rtol=1e-6)


def test_a_large_mean_costs_no_digits():
    x, y = pair(60, 6, 4)
    expected = lw.linear_predictivity(x, y)
    found = lw.linear_predictivity(x + 1e6, y - 1e7)
    np.testing.assert_allclose(found.per_fold, expected.per_fold, rtol=0, atol=1e-7)
    errors = lw.ridge_cv_errors(x + 1e6, y - 1e7, alphas=ALPHAS).errors
    np.testing.assert_allclose(errors, lw.ridge_cv_errors(x, y, alphas=ALPHAS).errors, rtol=1e-6)


def test_penalties_at_the_edge_are_warned_of():
    x, y = pair(100, 10, 5, noise=0.01)
    with pytest.warns(lw.GridEdgeWarning, match="the least of alphas, 10, was chosen for 100%"):
        lw.linear_predictivity(x, y, alphas=[100, 10])
    noise = np.random.default_rng(0).standard_normal((100, 5))
    with pytest.warns(lw.GridEdgeWarning, match="the largest of alphas"):
        lw.linear_predictivity(x, noise, alphas=[1e-3, 1e-2, 1e-1])
    lw.linear_predictivity(x, noise, alphas=[1.0])  # one penalty is no grid


def test_a_few_penalties_at_the_edge_are_no_reason_to_warn():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 10))
    weights = rng.standard_normal((10, 20))
    noise = np.ones(20)
    for exact, warns in ((1, False), (5, True)):  # of 20 targets: 5 and 25 %
        noise[:exact] = 0
        y = x @ weights + 3 * noise * rng.standard_normal((200, 20))
        call = partial(lw.linear_predictivity, x, y, alphas=[1e-6, 1, 3, 10, 30, 1e9])
        if warns:
            with pytest.warns(lw.GridEdgeWarning, match="the least of alphas, 1e-06, was chosen"):
                call()
        else:
            call()


def test_folds_are_those_of_scikit_learn():
    model_selection = pytest.importorskip("sklearn.model_selection")
    from likewise.measure.folds import shuffled_folds

    order, edges = shuffled_folds(23, 5, 3)
    theirs = model_selection.KFold(5, shuffle=True, random_state=3).split(np.empty(23))
    for k, (_, test) in enumerate(theirs):
        assert sorted(order[edges[k] : edges[k + 1]]) == list(test)


def test_corrected_scores_are_shares_of_the_ceiling():
    x, y = pair(80, 5, 3)
    found = lw.linear_predictivity(x, y)
    corrected = found.corrected(np.array([0.5, 0.0, 1.0]))
    np.testing.assert_allclose(corrected.per_target[[0, 2]], found.per_target[[0, 2]] * [2, 1])
    assert np.isnan(corrected.per_target[1])
    assert corrected.score == pytest.approx(corrected.per_target[[0, 2]].mean())
    with pytest.raises(ValueError, match="one number of at least 0 per target"):
        found.corrected([1.0, 1.0])


def test_a_summary_is_shown():
    x, y = pair(80, 5, 3)
    assert repr(lw.linear_predictivity(x, y)).startswith("Prediction(score=0.")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, y: lw.linear_predictivity(x, y, cv=1), "cv must be a whole number of at least"),
        (lambda x, y: lw.linear_predictivity(x, y, cv=2.5), "cv must be a whole number"),
        (lambda x, y: lw.linear_predictivity(x, y, cv=11), "at least 22 samples"),
        (lambda x, y: lw.linear_predictivity(x, y, alphas=[]), "alphas must be finite numbers"),
        (lambda x, y: lw.linear_predictivity(x, y, alphas=[1, -1]), "alphas must be finite"),
        (lambda x, y: lw.linear_predictivity(x, y[:5]), "same number of samples"),
        (lambda x, y: lw.ridge_cv_errors(x, y, alphas=[np.nan]), "alphas must be finite"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(*pair(20, 3, 4))
