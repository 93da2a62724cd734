"""Checks of what is fitted, drawn or carried over: regressions, maps, tests and networks."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
from fuzz_checks import same
from fuzz_data import Array, make_case
from reference import regression
from reference.assignment import correlations
from reference.exact import Undecided, centred, constant, near_one, power_of, varying
from sklearn.linear_model import Lasso
from sklearn.model_selection import KFold
from variants import first

import likewise as lw


def pair(rng: np.random.Generator, least: int = 6) -> tuple[Array, Array]:
    """Of one type and not at the ends of its range, where squares of the data do not fit."""
    case = make_case(rng, least)
    return tuple(  # type: ignore[return-value]
        np.ldexp(side, -int(power_of(side) * 0.9)) if abs(power_of(side)) > 40 else side
        for side in (case.x, case.y)
    )


def close(found: Any, expected: Any, bound: float, what: str) -> None:
    same(np.float64(found), np.float64(expected), bound, 1.0, what)


def wide(x: Array) -> Array:
    return x.astype(np.float64)


def ridge_cv_errors(rng: np.random.Generator, call: Any) -> None:
    x, y = pair(rng)
    cv, seed, intercept = int(rng.integers(2, 4)), int(rng.integers(99)), bool(rng.random() < 0.5)
    size = float((wide(x) ** 2).sum())
    alphas = size * 10.0 ** rng.uniform(-5, 3, 3) if rng.random() < 0.5 else None
    if not size:
        raise Undecided("nothing to predict from")
    found = call(
        lw.ridge_cv_errors, x, y, alphas=alphas, cv=cv, random_state=seed, fit_intercept=intercept
    )
    if constant(x):
        raise Undecided("nothing to predict from")
    if alphas is None:
        alphas = regression.GRID * float((np.longdouble(centred(x)) ** 2).sum())
        alphas = np.ldexp(alphas, 2 * power_of(x)) / min(len(x) - 1, varying(x).sum())
        if not intercept:
            alphas = wide(found.alphas)
    close(found.alphas, alphas, 1e-5 * float(alphas.max()), "alphas")
    errors = np.zeros((len(alphas), y.shape[1]))
    shift = wide(x[0]) if intercept else 0
    for train, test in regression.folds(len(x), cv, seed):
        for k, alpha in enumerate(alphas):
            a, b = wide(x) - shift, wide(y) - (wide(y[0]) if intercept else 0)
            weights, offset = regression.fit(a[train], b[train], alpha, intercept)
            errors[k] += ((b[test] - a[test] @ weights - offset) ** 2).mean(axis=0) / cv
    share = 1e-4 if x.dtype == np.float32 else 1e-8
    scale = (wide(y) - (wide(y[0]) if intercept else 0)) ** 2
    close(found.errors, errors, share * max(float(errors.max()), float(scale.max())), "errors")


def linear_predictivity(rng: np.random.Generator, call: Any) -> None:
    """The choices by their criterion, the rest refitted with them."""
    x, y = pair(rng, 8)
    cv, seed = int(rng.integers(2, 5)), int(rng.integers(99))
    found = call(lw.linear_predictivity, x, y, cv=cv, random_state=seed)
    if constant(x, y):
        assert np.isnan(found.score)
        return
    share = 1e-5 if x.dtype == np.float32 else 1e-10
    close(found.per_target, wide(found.per_fold).mean(axis=0), share, "per_target")
    close(found.score, wide(found.per_target).mean(), share, "score")
    a, b = centred(x).astype(np.float64), centred(y).astype(np.float64)
    grid = regression.GRID * (a**2).sum() / min(len(a) - 1, varying(x).sum())
    alphas = np.ldexp(wide(found.alpha), -2 * power_of(x))
    for fold, (train, test) in enumerate(regression.folds(len(a), cv, seed)):
        criteria = np.array(
            [regression.generalised_cross_validation(a[train], b[train], g) for g in grid]
        )
        for t in range(b.shape[1]):
            chosen = int(np.argmin(abs(grid - alphas[fold, t])))
            close(alphas[fold, t], grid[chosen], 1e-5 * grid[chosen], "alpha")
            if not np.ptp(b[train, t]) or not np.ptp(b[test, t]):
                close(found.per_fold[fold, t], 0.0, 0, "constant target")
                continue
            sums = (a[train] - a[train].mean(axis=0)).T @ (b[train, t] - b[train, t].mean())
            if np.abs(sums).max() < 1e-9 * np.abs(a).max() * np.abs(b[:, t]).max():
                continue  # there is nothing to predict with, but rounding
            residual = criteria[chosen, t] / criteria[:, t].min()
            floor = 1e-13 * (b[train, t] ** 2).sum() / criteria[:, t].min()
            assert residual <= 1 + 1e-4 + floor, f"penalty {residual - 1:.2g} above the best"
            weights, offset = regression.fit(a[train], b[train][:, [t]], grid[chosen])
            predicted = (a[test] @ weights + offset)[:, 0]
            terms = np.abs(a[test] - a[train].mean(axis=0)) @ np.abs(weights[:, 0])
            if np.ptp(predicted) < 1e-4 * terms.max():
                continue  # the prediction is a small difference
            expected = regression.pearson(predicted, b[test, t])
            close(found.per_fold[fold, t], expected, 1e-4, f"fold {fold}, target {t}")


def sparse_predictivity(rng: np.random.Generator, call: Any) -> None:
    """Objectives by hand, and that scikit-learn's weights are better by no more than the gap."""
    x, y = pair(rng, 8)
    alphas = 10.0 ** rng.uniform(-3, 0.1, 3)
    found = call(lw.sparse_predictivity, x, y, alphas=alphas)
    close(found.score, wide(found.per_target).mean(axis=-1), 1e-6, "score")
    if constant(x, y):
        assert np.isnan(found.score).all()
        return
    a, b = (_standardised(side) for side in (x, y))
    share = 1e-4 if x.dtype == np.float32 else 1e-9
    for k, alpha in enumerate(alphas):
        for t in range(b.shape[1]):
            w = wide(found.coef[k, t])
            left = b[:, t] - a @ w
            loss = (left @ left) / 2
            objective = loss + alpha * np.abs(w).sum()
            close(found.objective[k, t], objective, share, "objective")
            close(found.loss[k, t], loss, share, "loss")
            assert found.units_used[k, t] == np.count_nonzero(w)
            assert not w[~varying(x)].any(), "a constant unit has a weight"
            assert 0 <= found.gap[k, t] <= 5e-7 + share, f"gap {found.gap[k, t]:.2g}"
            if not varying(y)[t]:
                close(found.per_target[k, t], 0.0, 0, "constant target")
            elif rng.random() < 0.3:  # a witness, whose time it is
                n = len(a)
                other = Lasso(alpha, fit_intercept=False, tol=1e-10, max_iter=100_000)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # it is no worse a witness if it gives up
                    other.fit(a * np.sqrt(n), b[:, t] * np.sqrt(n))
                rest = b[:, t] - a @ other.coef_
                theirs = rest @ rest / 2 + alpha * np.abs(other.coef_).sum()
                assert abs(objective - theirs) <= 2e-6 + share, (
                    f"{objective}, scikit-learn {theirs}"
                )


def _standardised(x: Array) -> Array:
    c = centred(x)
    norms = np.sqrt((c**2).sum(axis=0))
    return (c / np.where(norms > 0, norms, 1)).astype(np.float64)


def permutation_test(rng: np.random.Generator, call: Any) -> None:
    """All orders of four or five samples, one by one."""
    x, y = pair(rng, 5)
    n = int(rng.integers(4, 6))
    x, y = x[:n], y[:n]
    name = str(rng.choice(["procrustes", "cka", "cca", "rsa", "permutation_match", "soft_match"]))
    measure: Any = lw.measure(name)
    found = call(lw.permutation_test, x, y, measure, 120)
    if constant(x, y):
        assert np.isnan(found.p_value)
        return
    scores = np.array(
        [
            float(np.asarray(first(call(measure, x, y[list(order)]))))
            for order in itertools.permutations(range(n))
        ]
    )
    share = 1e-4 if x.dtype == np.float32 else 1e-7
    close(np.sort(found.null), np.sort(scores), share, "null")
    close(found.score, scores[0], share, "score")
    if np.isnan(scores).any():
        raise Undecided("orders without a score")
    sign = 1 if measure.kind == "similarity" else -1
    excess = sign * (scores - scores[0])
    # What rounding may have made of a tie.
    some, all_ = ((excess >= bound).mean() for bound in (share, -share))
    assert some - 1e-12 <= found.p_value <= all_ + 1e-12, f"p {found.p_value}, {some} to {all_}"
    if not ((np.abs(excess) > 1e-12) & (np.abs(excess) < share)).any():
        close(found.p_value, all_, 1e-12, "p_value")


def maps(rng: np.random.Generator, call: Any) -> None:
    x, y = pair(rng)
    if constant(x, y):
        raise Undecided("nothing to map")
    a, b = centred(x).astype(np.float64), centred(y).astype(np.float64)
    power = power_of(y) - power_of(x)
    share = 1e-4 if x.dtype == np.float32 else 1e-8
    estimator = [
        lw.maps.Orthogonal(bool(rng.random() < 0.5)),
        lw.maps.Permutation(),
        lw.maps.SoftPermutation(float(rng.choice([1.0, 0.6]))),
        lw.maps.Ridge(),
    ][int(rng.integers(4))]
    call(estimator.fit, x, y)
    weights = np.ldexp(wide(np.atleast_2d(estimator.coef_)).T, -power)
    if isinstance(estimator, lw.maps.Orthogonal):
        best = np.linalg.svd(a.T @ b, compute_uv=False).sum()
        size = np.linalg.norm(a) * np.linalg.norm(b)
        if estimator.scale:
            lost = np.linalg.norm(b) ** 2 - np.linalg.norm(b - a @ weights) ** 2
            through = np.linalg.norm(a @ weights)
            if through > 1e-3 * np.linalg.norm(b):
                close(lost, through**2, share * np.linalg.norm(b) ** 2, "scale")
                gained = (weights * (a.T @ b)).sum() / through * np.linalg.norm(a)
                assert gained >= best - share * size, f"rotation {gained}, the best {best}"
        else:
            turned = (np.ldexp(weights, power) * (a.T @ b)).sum()
            close(turned, best, share * size, "rotation")
    elif isinstance(estimator, lw.maps.Ridge):
        alphas = np.ldexp(wide(estimator.alpha_), -2 * power_of(x))
        for t, alpha in enumerate(alphas):
            u, s, vt = np.linalg.svd(a, full_matrices=False)
            expected = vt.T @ (s / (s**2 + alpha) * (u.T @ b[:, t]))
            size = np.abs(s / (s**2 + alpha)).max() * np.linalg.norm(b[:, t])
            close(weights[:, t], expected, 10 * share * size, "weights")
    else:
        plan = wide(estimator.plan_)
        similarity = correlations(x, y)
        close(plan.sum(), getattr(estimator, "mass", 1.0), share, "mass")
        score = call(estimator.plan_score, x, y)
        close(score, (plan * similarity).sum() / plan.sum(), share, "plan_score")
        mixed = plan / np.where(plan.sum(axis=0) > 0, plan.sum(axis=0), 1)
        deviation = a.std(axis=0)
        rounding = 1e-15 / deviation[deviation > 0].min()  # of constant targets
        expected = mixed * b.std(axis=0) / np.where(deviation > 0, deviation, 1)[:, None]
        expected[deviation == 0] = 0
        close(weights, expected, share * np.abs(expected).max() + rounding, "weights")
    predicted = call(estimator.predict, x)
    mean = near_one(y).mean(axis=0).astype(np.float64)
    shown = np.ldexp(wide(predicted), -power_of(y)) - mean
    size = np.abs(mean).max() + (np.abs(a) @ np.abs(weights)).max()
    close(shown, a @ weights, share * size, "predict")


def lasso_map(rng: np.random.Generator, call: Any) -> None:
    x, y = pair(rng, 8)
    if constant(x, y):
        raise Undecided("nothing to map")
    estimator = lw.maps.Lasso(10.0 ** float(rng.uniform(-3, 0.1)))
    call(estimator.fit, x, y)
    deviations = [centred(side).std(axis=0).astype(np.float64) for side in (x, y)]
    coef = np.ldexp(wide(np.atleast_2d(estimator.coef_)).T, power_of(x) - power_of(y))
    weights = coef * deviations[0][:, None] / np.where(deviations[1] > 0, deviations[1], 1)
    a, b = (_standardised(side) for side in (x, y))
    left = b - a @ weights
    objective = (left**2).sum(axis=0) / 2 + estimator.alpha * np.abs(weights).sum(axis=0)
    reach = np.abs(a.T @ left).max(axis=0)
    point = left * np.minimum(1, estimator.alpha / np.where(reach > 0, reach, estimator.alpha))
    gaps = objective - ((b * point).sum(axis=0) - (point**2).sum(axis=0) / 2)
    assert gaps.max() <= 1e-6 + (1e-4 if x.dtype == np.float32 else 1e-9), f"gap {gaps.max():.2g}"


def cross_validate(rng: np.random.Generator, call: Any) -> None:
    x, y = pair(rng, 8)
    cv, seed = int(rng.integers(2, 4)), int(rng.integers(99))
    chosen = [lw.maps.Orthogonal(), lw.maps.Permutation(), lw.maps.Ridge()][int(rng.integers(3))]
    found = call(lw.maps.cross_validate, chosen, x, y, cv, random_state=seed)
    scores = []
    known = KFold(cv, shuffle=True, random_state=seed).split(x)
    for (train, test), (_, same_test) in zip(
        regression.folds(len(x), cv, seed), known, strict=True
    ):
        assert set(test) == set(same_test)
        fitted = type(chosen)().fit(x[train], y[train])  # in this order, which decides ties
        scores.append(fitted.correlation_score(x[test], y[test]))
    close(found.per_fold, scores, 1e-6, "per_fold")
    close(found.score, np.mean(scores), 1e-6, "score")


def networks(rng: np.random.Generator, call: Any) -> None:
    """The same function in another order of units, which match those of the reference best."""
    widths = rng.integers(2, 6, 4)
    inputs = rng.standard_normal((20, widths[0]))
    both = []
    for _ in range(2):
        weights = [rng.standard_normal((b, a)) for a, b in itertools.pairwise(widths)]
        biases = [rng.standard_normal(b) for b in widths[1:]]
        both.append((weights, biases, _activations(inputs, weights, biases)))
    one, other = (lw.maps.Network.sequential(w, b, acts[:-1]) for w, b, acts in both)
    matched = call(lw.maps.match_network, one, other)
    layers = list(matched.layers.values())
    if any(np.ptp(acts, axis=0).max() == 0 for _, _, all_ in both for acts in all_[:-1]):
        raise Undecided("a layer of constant units has no partners")
    again = _activations(inputs, [x.weight for x in layers], [x.vectors["bias"] for x in layers])
    close(again[-1], both[1][2][-1], 1e-9, "function")
    for mine, before, after in zip(both[0][2][:-1], both[1][2][:-1], again[:-1], strict=True):
        best = float(first(call(lw.permutation_match, mine, before)))
        close(np.diag(correlations(mine, after)).mean(), best, 1e-9, "matching")
    share = float(rng.random())
    middle = call(lw.maps.average_networks, one, matched, share)
    for name, layer in middle.items():
        expected = (1 - share) * one.layers[name].weight + share * matched.layers[name].weight
        close(layer.weight, expected, 1e-12, "average")


def _activations(inputs: Array, weights: Any, biases: Any) -> list[Array]:
    found = [inputs]
    for k, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        out = found[-1] @ weight.T + bias
        found.append(np.maximum(out, 0) if k < len(weights) - 1 else out)
    return found[1:]


ESTIMATORS = {
    "cross_validate": cross_validate,
    "lasso_map": lasso_map,
    "maps": maps,
    "networks": networks,
    "permutation_test": permutation_test,
    "predictions": linear_predictivity,
    "ridge_cv_errors": ridge_cv_errors,
    "sparse_predictivity": sparse_predictivity,
}
