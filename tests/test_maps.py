"""Maps: scikit-learn's own checks, planted maps, and agreement with the measures they belong to."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import simulated
from reference import regression as slow

import likewise as lw

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator

MAPS = (
    lw.maps.Orthogonal,
    lw.maps.Permutation,
    lw.maps.SoftPermutation,
    lw.maps.Ridge,
    lw.maps.Lasso,
)
every_map = pytest.mark.parametrize("estimator", [cls() for cls in MAPS], ids=lambda e: str(e))


def pair(n=120, dx=6, dy=6, seed=0, noise=0.3):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, dx)) @ rng.standard_normal((dx, dx)) + 3
    return x, x @ rng.standard_normal((dx, dy)) + noise * rng.standard_normal((n, dy)) - 5


@pytest.mark.parametrize("one_dimensional", [False, True])
@pytest.mark.parametrize(
    ("given", "kept"),
    [("f2", "f4"), (">f4", "f4"), ("f4", "f4"), (">f8", "f8"), ("f8", "f8"), ("i4", "f8")],
)
@every_map
def test_floats_are_those_of_the_input_policy(estimator, given, kept, one_dimensional):
    x, y = (np.round(4 * side).astype(given) for side in pair(dx=5, dy=3))
    y = y[:, 0] if one_dimensional else y
    fitted = clone(estimator).fit(x, y)
    wide = clone(estimator).fit(x.astype(np.float64), y.astype(np.float64))
    for found in (fitted.predict(x), fitted.transform(x), fitted.coef_, fitted.intercept_):
        assert np.dtype(found.dtype) == np.dtype(kept)
    assert not isinstance(fitted.intercept_, float) or isinstance(fitted.intercept_, np.float64)
    tolerance = {"rtol": 3e-6, "atol": 3e-5} if kept == "f4" else {"rtol": 1e-9, "atol": 1e-9}
    np.testing.assert_allclose(fitted.predict(x), wide.predict(x.astype(np.float64)), **tolerance)
    np.testing.assert_allclose(fitted.coef_, wide.coef_, **tolerance)
    assert fitted.score(x, y) == pytest.approx(wide.score(x, y), abs=1e-5)
    assert fitted.correlation_score(x, y) == pytest.approx(wide.correlation_score(x, y), abs=1e-5)


@every_map
def test_tensors_have_the_same_floats(estimator):
    torch = pytest.importorskip("torch")
    x, y = (torch.from_numpy(np.round(4 * side)) for side in pair(dx=5, dy=3))
    expected = clone(estimator).fit(x, y)
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        narrow = x.to(dtype), y.to(dtype)
        fitted = clone(estimator).fit(*narrow)
        assert fitted.coef_.dtype == fitted.predict(narrow[0]).dtype == np.float32
        assert fitted.score(*narrow) == pytest.approx(expected.score(x, y), abs=0.02)
        assert np.isfinite(fitted.correlation_score(*narrow))


@pytest.mark.parametrize(
    ("dtype", "x_scale", "y_scale"),
    [
        (np.float64, 1e150, 1e-150),
        (np.float64, 1e-150, 1e150),
        (np.float64, 1e155, 1e155),
        (np.float64, 1e-155, 1e-155),
        (np.float32, 1e30, 1e-7),
        (np.float32, 1e-7, 1e30),
    ],
)
@every_map
@pytest.mark.host_only("squares of targets overflow there")
def test_scales_do_not_matter(estimator, dtype, x_scale, y_scale):
    x, y = (side.astype(dtype).astype(np.float64) for side in pair(dx=5, dy=3))
    large = (x * x_scale).astype(dtype), (y * y_scale).astype(dtype)
    expected, fitted = clone(estimator).fit(x, y), clone(estimator).fit(*large)
    tolerance = 1e-9 if dtype == np.float64 else 1e-5
    assert fitted.score(*large) == pytest.approx(expected.score(x, y), abs=tolerance)
    score = fitted.correlation_score(*large)
    assert score == pytest.approx(expected.correlation_score(x, y), abs=tolerance)
    ratio = expected.coef_ * (y_scale / x_scale)
    if np.abs(ratio).max() < np.finfo(dtype).max:
        np.testing.assert_allclose(
            fitted.coef_, ratio, rtol=tolerance, atol=tolerance * np.abs(ratio).max()
        )


@pytest.mark.skipif(simulated.is_used(), reason="what they give is NumPy's, pandas', lists")
@pytest.mark.parametrize(
    ("estimator", "check"),
    [case for cls in MAPS for case in estimator_checks_generator(cls())],
    ids=lambda part: getattr(getattr(part, "func", None), "__name__", type(part).__name__),
)
def test_every_check_of_scikit_learn_passes(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def test_a_rotation_is_found():
    x, _ = pair()
    q = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 6)))[0]
    fitted = lw.maps.Orthogonal().fit(x, 4 * x @ q + 7)
    np.testing.assert_allclose(fitted.coef_, 4 * q.T, rtol=0, atol=1e-12)
    np.testing.assert_allclose(fitted.predict(x), 4 * x @ q + 7, rtol=0, atol=1e-11)
    rigid = lw.maps.Orthogonal(scale=False).fit(x, 4 * x @ q + 7)
    np.testing.assert_allclose(rigid.coef_, q.T, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("dx", "dy"), [(6, 6), (4, 9), (9, 4)])
def test_the_rotation_is_that_of_padded_procrustes(dx, dy):
    x, y = pair(dx=dx, dy=dy)
    width = max(dx, dy)
    a, b = (np.pad(s - s.mean(axis=0), ((0, 0), (0, width - s.shape[1]))) for s in (x, y))
    u, s, vt = np.linalg.svd(a.T @ b)
    rank = min(dx, dy)
    q = (u[:, :rank] @ vt[:rank])[:dx, :dy]
    fitted = lw.maps.Orthogonal(scale=False).fit(x, y)
    np.testing.assert_allclose(fitted.coef_.T, q, rtol=0, atol=1e-10)
    scaled = lw.maps.Orthogonal().fit(x, y)
    factor = s[:rank].sum() / ((a[:, :dx] @ q) ** 2).sum()
    np.testing.assert_allclose(scaled.coef_.T, factor * q, rtol=0, atol=1e-10)


@pytest.mark.parametrize("cls", [lw.maps.Permutation, lw.maps.SoftPermutation])
def test_a_permutation_of_scaled_units_is_found(cls):
    x = np.random.default_rng(0).standard_normal((100, 7))
    order = np.random.default_rng(1).permutation(7)
    y = x[:, order] * np.arange(1, 8) + 3
    fitted = cls().fit(x, y)
    np.testing.assert_allclose(fitted.predict(x), y, rtol=0, atol=1e-9)
    np.testing.assert_allclose(7 * fitted.plan_[order, np.arange(7)], 1, rtol=0, atol=1e-12)
    assert fitted.plan_score(x, y) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(("dx", "dy"), [(6, 6), (4, 9), (9, 4)])
def test_plan_scores_of_the_fit_are_those_of_the_matchings(dx, dy):
    x, y = pair(dx=dx, dy=dy)
    expected = {
        lw.maps.Permutation(): lw.permutation_match(x, y).score,
        lw.maps.SoftPermutation(): lw.soft_match(x, y).score,
        lw.maps.SoftPermutation(mass=0.5): lw.soft_match(x, y, mass=0.5).score,
    }
    for estimator, score in expected.items():
        assert estimator.fit(x, y).plan_score(x, y) == pytest.approx(score, abs=1e-12)


def test_a_target_without_a_partner_is_predicted_by_its_mean():
    x, y = pair(dx=2, dy=5)
    predicted = lw.maps.Permutation().fit(x, y).predict(x)
    alone = np.ptp(predicted, axis=0) == 0
    assert alone.sum() == 3
    np.testing.assert_allclose(predicted[0, alone], y.mean(axis=0)[alone], rtol=1e-12)


@pytest.mark.parametrize(("n", "dx"), [(120, 6), (30, 60)])
def test_ridge_is_the_model_inside_linear_predictivity(n, dx):
    x, y = pair(n=n, dx=dx, dy=4)
    alphas = (0.01, 1.0, 30.0, 1e3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lw.GridEdgeWarning)
        expected = lw.linear_predictivity(x, y, alphas=alphas)
    ridge = lw.maps.Ridge(alphas)
    found = lw.maps.cross_validate(ridge, x, y)
    np.testing.assert_allclose(found.per_fold, expected.per_fold.mean(axis=-1), rtol=0, atol=1e-9)
    r2 = lw.maps.cross_validate(ridge, x, y, scoring="score")
    assert r2.score == pytest.approx(expected.r2.mean(), abs=1e-9)
    weights, offset = slow.fit(x, y[:, :1], ridge.fit(x, y).alpha_[0])
    np.testing.assert_allclose(ridge.coef_[0], weights[:, 0], rtol=0, atol=1e-9)
    assert ridge.intercept_[0] == pytest.approx(offset[0], abs=1e-8)


@pytest.mark.parametrize(("n", "dx"), [(120, 6), (30, 60), (60, 90)])
def test_default_penalties_are_those_of_generalised_cross_validation(n, dx):
    x, y = pair(n=n, dx=dx, dy=40)
    grid = slow.default_alphas(x)
    criteria = [slow.generalised_cross_validation(x, y, alpha) for alpha in grid]
    chosen = lw.maps.Ridge().fit(x, y).alpha_
    np.testing.assert_allclose(chosen, grid[np.argmin(criteria, axis=0)], rtol=1e-10)


def test_the_lasso_is_the_model_of_sparse_predictivity():
    x, y = pair(dy=3)
    path = lw.sparse_predictivity(x, y, alphas=[0.05], cv=4)
    fitted = lw.maps.Lasso(alpha=0.05).fit(x, y)
    scale = y.std(axis=0)[:, None] / x.std(axis=0)
    whole = lw.sparse_predictivity(x, y, alphas=[0.05]).coef[0]
    # Each is solved to a duality gap of 1e-6, from moments that are rounded in its own way.
    np.testing.assert_allclose(fitted.coef_, whole * scale, rtol=0, atol=1e-6)
    found = lw.maps.cross_validate(lw.maps.Lasso(alpha=0.05), x, y, cv=4)
    assert found.score == pytest.approx(path.score[0], abs=1e-6)
    with pytest.raises(ValueError, match="alpha must be positive"):
        lw.maps.Lasso(alpha=0).fit(x, y)


@every_map
def test_scores_are_r2_and_mean_correlation(estimator):
    metrics = pytest.importorskip("sklearn.metrics")
    x, y = pair()
    fitted = clone(estimator).fit(x[:80], y[:80])
    predicted = fitted.predict(x[80:])
    assert fitted.score(x[80:], y[80:]) == pytest.approx(metrics.r2_score(y[80:], predicted))
    r = slow.pearson(predicted, y[80:]).mean()
    assert fitted.correlation_score(x[80:], y[80:]) == pytest.approx(r, abs=1e-12)
    np.testing.assert_array_equal(fitted.transform(x), fitted.predict(x))


@every_map
@pytest.mark.filterwarnings("ignore::likewise.DegenerateWarning")
def test_constant_units_change_nothing(estimator):
    x, y = pair()
    expected = clone(estimator).fit(x, y).predict(x)
    found = clone(estimator).fit(np.insert(x, 2, 0.1, axis=1), np.insert(y, 1, 0.1, axis=1))
    predicted = found.predict(np.insert(x, 2, 0.1, axis=1))
    np.testing.assert_allclose(predicted[:, 1], 0.1, rtol=1e-12)
    if isinstance(estimator, (lw.maps.Permutation, lw.maps.SoftPermutation)):
        return  # correlation 0 with a constant unit may be better than what else is left
    np.testing.assert_allclose(np.delete(predicted, 1, axis=1), expected, rtol=0, atol=1e-7)


@every_map
def test_one_dimensional_targets_and_float32(estimator):
    x, y = pair()
    single = clone(estimator).fit(x, y[:, 0])
    assert single.predict(x).shape == (120,)
    assert single.coef_.shape == (6,)
    assert isinstance(single.intercept_, float)
    column = clone(estimator).fit(x, y[:, :1])
    np.testing.assert_allclose(column.predict(x)[:, 0], single.predict(x), rtol=0, atol=1e-12)
    narrow = clone(estimator).fit(x.astype(np.float32), y.astype(np.float32))
    assert narrow.predict(x.astype(np.float32)).dtype == np.float32


@pytest.mark.filterwarnings("ignore::likewise.DegenerateWarning")
def test_units_may_be_silent_in_one_split():
    x, y = pair(n=60)
    order = np.random.RandomState(0).permutation(60)
    x[order[:12], 1] = 0  # in the first fold
    y[order[12:], 2] = 0  # in all others
    for cls in MAPS:
        assert np.isfinite(lw.maps.cross_validate(cls(), x, y).per_fold).all()


def test_the_families_are_nested():
    # Of a rotated copy: ridge and rotation find it, permutations do not.
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 8))
    y = x @ np.linalg.qr(rng.standard_normal((8, 8)))[0] + 0.2 * rng.standard_normal((300, 8))
    ridge, rotation, permutation = (
        lw.maps.cross_validate(cls(), x, y).score
        for cls in (lw.maps.Ridge, lw.maps.Orthogonal, lw.maps.Permutation)
    )
    assert ridge > 0.95
    assert rotation > 0.95
    assert permutation < 0.8


def test_shuffled_stimuli_are_the_control_for_chance():
    x, y = pair()
    found = lw.maps.cross_validate(lw.maps.Ridge(), x, y, control="shuffle")
    assert found.score > 0.9
    assert found.controls.shape == (20,)
    assert abs(found.control_mean) < 3 * found.control_sd
    assert found.control_mean == found.controls.mean()
    assert found.control_sd == found.controls.std(ddof=1)
    again = lw.maps.cross_validate(lw.maps.Ridge(), x, y, control="shuffle")
    np.testing.assert_array_equal(found.controls, again.controls)


def test_rotations_take_the_privileged_basis_away_and_nothing_else():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 8)) ** 3
    y = x[:, rng.permutation(8)] + 0.3 * rng.standard_normal((200, 8))
    permutation = lw.maps.cross_validate(lw.maps.Permutation(), x, y, control="rotate")
    assert permutation.control_mean + 5 * permutation.control_sd < permutation.score
    rotation = lw.maps.cross_validate(lw.maps.Orthogonal(), x, y, control="rotate")
    np.testing.assert_allclose(rotation.controls, rotation.score, rtol=0, atol=1e-10)


def test_pitfall_rotations_are_haar():
    # Columns of Q as LAPACK signs them would make the first entry of every rotation negative.
    from likewise.maps.cross_validation import haar

    rng = np.random.default_rng(0)
    first = np.array([haar(4, rng)[0, 0] for _ in range(400)])
    assert abs(first.mean()) < 4 * first.std() / 20
    q = haar(4, rng)
    np.testing.assert_allclose(q @ q.T, np.eye(4), rtol=0, atol=1e-14)


def test_held_out_plans_score_below_fitted_ones():
    x, y = pair(n=60, noise=5)
    held_out = lw.maps.cross_validate(lw.maps.SoftPermutation(), x, y, scoring="plan_score")
    assert held_out.score < lw.soft_match(x, y).score
    folds = []
    for train, test in slow.folds(60, 5, 0):
        plan = lw.soft_match(x[train], y[train]).plan
        a, b = ((s[test] - s[test].mean(axis=0)) / s[test].std(axis=0) for s in (x, y))
        folds.append((plan * (a.T @ b / len(test))).sum())
    np.testing.assert_allclose(held_out.per_fold, folds, rtol=0, atol=1e-12)


def test_any_estimator_can_be_cross_validated():
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = pair()
    found = lw.maps.cross_validate(linear_model.LinearRegression(), x, y, scoring="score")
    assert repr(found).startswith("CrossValidation(score=0.9")
    shown = lw.maps.cross_validate(lw.maps.Ridge(), x, y, control="rotate", n_controls=2)
    assert "over 2 draws" in repr(shown)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"control": "noise"}, "control must be None, 'shuffle' or 'rotate', got 'noise'"),
        ({"control": "shuffle", "n_controls": 1}, "n_controls must be at least 2, got 1"),
        ({"cv": 1}, "cv must be a whole number of at least 2"),
        ({"cv": 61}, "at least 122 samples for 61 folds, got 120"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        lw.maps.cross_validate(lw.maps.Ridge(), *pair(), **options)
    x, y = pair()
    with pytest.raises(ValueError, match="same number of samples"):
        lw.maps.cross_validate(lw.maps.Ridge(), x, y[:-1])
