"""Sparse predictivity against its optimality conditions, scikit-learn and planted answers."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import simulated
from reference import regression as slow

import likewise as lw

pytestmark = pytest.mark.device

ALPHAS = (0.5, 0.1, 0.02, 0.004)


def pair(n, dx, dy, seed=0, used=2, noise=0.3):
    """Targets that are each a noisy sum of a few units of correlated sources."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 4)) @ rng.standard_normal((4, dx)) + rng.standard_normal((n, dx))
    weights = np.zeros((dx, dy))
    for t in range(dy):
        weights[rng.choice(dx, min(used, dx), replace=False), t] = rng.choice(
            [-1, 1], min(used, dx)
        )
    return 5 * x + 2, x @ weights + noise * rng.standard_normal((n, dy)) - 1


def standardised(x):
    return (x - x.mean(axis=0)) / x.std(axis=0)


SHAPES = [(100, 8, 5), (200, 70, 6), (40, 90, 4), (50, 1, 2)]


@pytest.mark.parametrize(("n", "dx", "dy"), SHAPES)
@pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")
def test_is_optimal_and_says_how_nearly(n, dx, dy):
    x, y = pair(n, dx, dy)
    found = lw.sparse_predictivity(x, y, alphas=ALPHAS)
    xs, ys = standardised(x), standardised(y)
    for k, alpha in enumerate(ALPHAS):
        weights = found.coef[k].T
        residual = ys - xs @ weights
        objective = (residual**2).sum(axis=0) / (2 * n) + alpha * np.abs(weights).sum(axis=0)
        np.testing.assert_allclose(found.objective[k], objective, rtol=1e-10)
        # Any dual point bounds the minimum from below: here the scaled residual.
        steepest = np.abs(xs.T @ residual).max(axis=0) / n
        dual = residual * np.minimum(1, alpha / steepest)
        bound = (dual * ys).sum(axis=0) / n - (dual**2).sum(axis=0) / (2 * n)
        np.testing.assert_allclose(found.gap[k], objective - bound, rtol=0, atol=1e-12)
        assert (found.gap[k] <= 0.5e-6).all()
        np.testing.assert_allclose(found.loss[k], (residual**2).mean(axis=0) / 2, rtol=1e-9)
        predicted = xs @ weights
        some = predicted.std(axis=0) > 0
        r = slow.pearson(predicted[:, some], ys[:, some])
        np.testing.assert_allclose(found.per_target[k][some], r, rtol=0, atol=1e-10)
        assert (found.per_target[k][~some] == 0).all()
        assert (found.units_used[k] == np.count_nonzero(weights, axis=0)).all()
    np.testing.assert_allclose(found.score, found.per_target.mean(axis=-1), rtol=0, atol=1e-15)


@pytest.mark.parametrize(("n", "dx", "dy"), [(300, 80, 19), simulated.large(300, 130, 11)])
@pytest.mark.host_only("devices do not extrapolate: they need more sweeps than they may take")
def test_nearly_collinear_units_are_fitted_to_the_gap_that_is_promised(n, dx, dy):
    # Groups of targets whose weights are nearly all in use, and directions of falling variance.
    rng = np.random.default_rng(0)
    turned = np.linalg.qr(rng.standard_normal((dx, dx)))[0]
    x = rng.standard_normal((n, dx)) @ (np.arange(1, dx + 1.0)[:, None] ** -1 * turned)
    y = x @ rng.standard_normal((dx, dy))
    y += 0.05 * y.std(axis=0) * rng.standard_normal(y.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("error", lw.ConvergenceWarning)
        found = lw.sparse_predictivity(x, y)
    assert (found.gap <= 0.5e-6).all()
    assert found.units_used[-1].mean() > dx / 2
    xs, ys = standardised(x), standardised(y)
    for alpha, coef, objective in zip(found.alphas, found.coef, found.objective, strict=True):
        residual = ys - xs @ coef.T
        again = (residual**2).sum(axis=0) / (2 * n) + alpha * np.abs(coef).sum(axis=1)
        np.testing.assert_allclose(objective, again, rtol=1e-9, atol=1e-10)
    order = rng.permutation(dy)
    alone = lw.sparse_predictivity(x, y[:, order[:3]])
    np.testing.assert_allclose(alone.objective, found.objective[:, order[:3]], rtol=0, atol=1e-6)


def kindred_units(kind, rng, n, dx):
    x = rng.standard_normal((n, dx))
    if kind == "twice":
        return np.repeat(x[:, ::2], 2, axis=1)
    if kind == "sums":
        return np.cumsum(x, axis=1)
    if kind == "walks":
        return np.cumsum(x, axis=0)
    return np.exp(2 * x)


@pytest.mark.parametrize("kind", ["twice", "sums", "walks", "heavy"])
@pytest.mark.parametrize(("n", "dx"), [(500, 240), (120, 60), simulated.large(300, 130)])
@pytest.mark.host_only("devices do not extrapolate: they need more sweeps than they may take")
def test_gaps_hold_whatever_units_have_in_common(kind, n, dx):
    rng = np.random.default_rng(len(kind) + n)
    x = kindred_units(kind, rng, n, dx)
    y = x @ rng.standard_normal((dx, 9))
    y += y.std(axis=0) * rng.choice([0.001, 0.05, 1], 9) * rng.standard_normal(y.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("error", lw.ConvergenceWarning)
        found = lw.sparse_predictivity(x, y)
    assert (found.gap <= 0.5e-6).all()


def test_planted_units_are_found():
    x, y = pair(2000, 30, 20, used=3, noise=0.1)
    found = lw.sparse_predictivity(x, y, alphas=[0.05])
    assert (found.units_used[0] >= 3).all()
    assert found.units_used[0].mean() < 8
    assert found.score[0] > 0.98


def test_a_penalty_above_every_correlation_predicts_nothing():
    x, y = pair(100, 6, 3)
    found = lw.sparse_predictivity(x, y, alphas=[1.0])
    assert (found.coef == 0).all()
    assert (found.score == 0).all()
    np.testing.assert_allclose(found.loss, 0.5, rtol=1e-12)


@pytest.mark.parametrize(
    ("dtype", "x_scale", "y_scale"),
    [(np.float64, 1e155, 1e-155), (np.float64, 1e-300, 1e300), (np.float32, 1e30, 1e-7)],
)
@pytest.mark.parametrize("cv", [None, 3])
def test_scales_do_not_matter(dtype, x_scale, y_scale, cv):
    x, y = (side.astype(dtype).astype(np.float64) for side in pair(60, 6, 3))
    large = (x * x_scale).astype(dtype), (y * y_scale).astype(dtype)
    expected = lw.sparse_predictivity(x, y, alphas=ALPHAS, cv=cv)
    found = lw.sparse_predictivity(*large, alphas=ALPHAS, cv=cv)
    tolerance = 1e-9 if dtype == np.float64 else 2e-3  # objectives within the gap
    np.testing.assert_allclose(found.per_target, expected.per_target, rtol=0, atol=tolerance)
    np.testing.assert_allclose(found.loss, expected.loss, rtol=0, atol=tolerance)


def test_penalties_keep_their_order():
    x, y = pair(100, 6, 3)
    up, down = (lw.sparse_predictivity(x, y, alphas=a) for a in (ALPHAS[::-1], ALPHAS))
    np.testing.assert_allclose(up.coef[::-1], down.coef, rtol=0, atol=1e-12)
    np.testing.assert_allclose(up.alphas, ALPHAS[::-1], rtol=0)


def test_units_and_their_scale_do_not_matter():
    x, y = pair(100, 6, 3)
    expected = lw.sparse_predictivity(x, y, alphas=ALPHAS)
    scale = np.array([1e-3, 1, 7, 1e4, 2, 3])
    found = lw.sparse_predictivity(x * scale + 100, -3 * y, alphas=ALPHAS)
    np.testing.assert_allclose(found.coef, -expected.coef, rtol=0, atol=1e-8)


def test_held_out_scores_equal_refits():
    x, y = pair(90, 12, 4)
    found = lw.sparse_predictivity(x, y, alphas=ALPHAS, cv=3)
    r, loss = np.zeros((4, 4)), np.zeros((4, 4))
    for train, test in slow.folds(90, 3, 0):
        mean, deviation = x[train].mean(axis=0), x[train].std(axis=0)
        target_mean, target_deviation = y[train].mean(axis=0), y[train].std(axis=0)
        coef = lw.sparse_predictivity(x[train], y[train], alphas=ALPHAS).coef
        for k in range(4):
            predicted = (x[test] - mean) / deviation @ coef[k].T
            truth = (y[test] - target_mean) / target_deviation
            loss[k] += ((truth - predicted) ** 2).mean(axis=0) / 6
            some = predicted.std(axis=0) > 0
            r[k, some] += slow.pearson(predicted[:, some], truth[:, some]) / 3
    np.testing.assert_allclose(found.loss, loss, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.per_target, r, rtol=0, atol=1e-9)


def test_held_out_noise_scores_about_zero():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((100, 40)), rng.standard_normal((100, 30))
    held_out = lw.sparse_predictivity(x, y, alphas=[0.05], cv=5)
    assert abs(held_out.score[0]) < 0.05
    assert held_out.loss.mean() > 0.5
    assert lw.sparse_predictivity(x, y, alphas=[0.05]).score[0] > 0.5  # what in-sample would say


def test_constant_units_have_no_weights_and_score_zero():
    x, y = pair(60, 5, 3)
    expected = lw.sparse_predictivity(x, y, alphas=ALPHAS, cv=3)
    x = np.insert(x, 2, 0.1, axis=1)
    y = np.insert(y, 1, 0.1, axis=1)
    with pytest.warns(lw.DegenerateWarning, match="2 constant units"):
        found = lw.sparse_predictivity(x, y, alphas=ALPHAS, cv=3)
    assert (found.coef[..., 2] == 0).all()
    assert (found.per_target[:, 1] == 0).all()
    kept = found.per_target[:, [0, 2, 3]]
    np.testing.assert_allclose(kept, expected.per_target, rtol=0, atol=1e-10)
    with pytest.warns(lw.DegenerateWarning, match="1 constant representation"):
        assert np.isnan(lw.sparse_predictivity(np.full((60, 5), 0.1), y[:, ::2]).score).all()


def test_fewer_samples_than_units_are_warned_of_unless_held_out():
    x, y = pair(40, 60, 2)
    with pytest.warns(lw.SmallSampleWarning, match="40 samples for 60 units"):
        lw.sparse_predictivity(x, y, alphas=[0.1])
    lw.sparse_predictivity(x, y, alphas=[0.1], cv=4)


def test_equal_units_share_an_optimum():
    x, y = pair(100, 4, 2)
    once = lw.sparse_predictivity(x, y, alphas=ALPHAS)
    twice = lw.sparse_predictivity(np.hstack([x, x]), y, alphas=ALPHAS)
    np.testing.assert_allclose(twice.objective, once.objective, rtol=0, atol=1e-6)


def test_what_does_not_converge_is_said(monkeypatch):
    monkeypatch.setattr("likewise.lasso._TOLERANCE", 1e-30)
    x, y = pair(100, 20, 2)
    with pytest.warns(lw.ConvergenceWarning, match=r"duality gap of \d+ of 8 fits stayed above"):
        lw.sparse_predictivity(x, y, alphas=ALPHAS)


@pytest.mark.parametrize("cv", [None, 3])
def test_unchecked_nan_stays_nan(cv):
    x, y = pair(60, 5, 3)
    y[4, 1] = np.nan
    found = lw.sparse_predictivity(x, y, alphas=ALPHAS, cv=cv, check_finite=False)
    assert np.isnan(found.per_target[:, 1]).all()
    assert np.isfinite(found.per_target[:, [0, 2]]).all()


def test_a_summary_is_shown():
    shown = repr(lw.sparse_predictivity(*pair(60, 5, 3), alphas=ALPHAS))
    assert shown.startswith("SparsePrediction(3 targets)\n  alpha=0.5: score=")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alphas": [0.1, 0]}, "alphas must be finite positive numbers"),
        ({"alphas": []}, "alphas must be finite positive"),
        ({"cv": 1}, "cv must be a whole number of at least 2"),
        ({"cv": 20}, "at least 40 samples"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        lw.sparse_predictivity(*pair(30, 5, 3), **options)
