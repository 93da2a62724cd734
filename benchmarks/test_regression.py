"""Ridge regression of every representation on every other: errors of all penalties, all folds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array, representations
from .timing import Contestant, Race, peer

ALPHAS = 10.0 ** np.arange(-2, 6)
FOLDS = 5

WORKLOADS = {"full": [(6, 5000, 128), (6, 5000, 256), (4, 5000, 512)], "quick": [(3, 60, 8)]}


@pytest.mark.sizes("workload", **WORKLOADS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_errors_of_all_pairs(race: Race, workload: tuple[int, int, int], dtype: type) -> None:
    count, n, d = workload
    items = representations("unrelated", count, n, d, dtype)
    race(
        f"ridge, {FOLDS} folds x {len(ALPHAS)} penalties, all pairs, {np.dtype(dtype).name}: "
        f"{count} items, n = {n}, d = {d}",
        [
            ours(items),
            Contestant(
                name="likewise, linear_predictivity",
                build=lambda lw: partial(lw.pairwise, items, "linear_predictivity"),
                answer=lambda grid: ("score", grid[0, 1]),
                units=count**2,
                tolerance=1e-4 if dtype == np.float32 else None,
                how="the nested scores of all pairs, 21 penalties",
            ),
            himalaya(
                items,
                units=count,
                goal=10.0 if d == 512 else 30.0,
                answer=lambda model: ("best", -model.cv_scores_.numpy()[d : 2 * d]),
                how=f"one of {count} sources, all targets at once, scaled; its best errors only",
            ),
            scikit_learn(*items[:2]),
        ],
        unit="pair",
        error=regression_error(items),
        tolerance=1e-10 if dtype == np.float64 else 2e-5,
    )


def folds(n: int) -> list[tuple[Array, Array]]:
    """(train, test) rows; those that ``random_state=0`` gives ours."""
    tests = np.array_split(np.random.RandomState(0).permutation(n), FOLDS)
    return [(np.setdiff1d(np.arange(n), test), test) for test in tests]


def regression_error(items: Sequence[Array]) -> Callable[[tuple[str, Any]], float]:
    """Relative error of what the first item says about the second, refitted in float64."""
    x, y = items[0].astype(np.float64), items[1].astype(np.float64)
    exact = np.zeros((len(ALPHAS), y.shape[1]))
    for train, test in folds(len(x)):
        gram, cross = x[train].T @ x[train], x[train].T @ y[train]
        for k, alpha in enumerate(ALPHAS):
            weights = np.linalg.solve(gram + alpha * np.eye(len(gram)), cross)
            exact[k] += ((y[test] - x[test] @ weights) ** 2).mean(axis=0) / FOLDS
    references = {"all": exact, "best": exact.min(axis=0), "score": nested_score(x, y)}

    def error(found: tuple[str, Any]) -> float:
        kind, values = found
        return float(np.abs(values / references[kind] - 1).max())

    return error


def nested_score(x: Array, y: Array) -> float:
    """Mean held-out correlation, penalties by generalised cross-validation of each fold's SVD."""
    grid = np.logspace(-6, 4, 21) * ((x - x.mean(axis=0)) ** 2).sum() / min(len(x) - 1, x.shape[1])
    scores = []
    for train, test in folds(len(x)):
        mean, target_mean = x[train].mean(axis=0), y[train].mean(axis=0)
        u, s, vt = np.linalg.svd(x[train] - mean, full_matrices=False)
        along = u.T @ (y[train] - target_mean)
        rest = ((y[train] - target_mean) ** 2).sum(axis=0) - (along**2).sum(axis=0)
        left = np.array([a / (s**2 + a) for a in grid])
        freedom = len(train) - 1 - (1 - left).sum(axis=1)
        criteria = (left**2 @ along**2 + rest) / freedom[:, None] ** 2
        weights = (s[:, None] / (s[:, None] ** 2 + grid[criteria.argmin(axis=0)])) * along
        predicted = (x[test] - mean) @ (vt.T @ weights)
        a, b = predicted - predicted.mean(axis=0), y[test] - y[test].mean(axis=0)
        scores.append((a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0)))
    return float(np.mean(scores))


def ours(items: Sequence[Array]) -> Contestant:
    stacked, targets = np.stack(items), np.concatenate(items, axis=1)
    width = items[0].shape[1]
    options = {"alphas": ALPHAS, "cv": FOLDS, "fit_intercept": False}
    return Contestant(
        name="likewise, ridge_cv_errors",
        build=lambda lw: partial(lw.ridge_cv_errors, stacked, targets, **options),
        answer=lambda found: ("all", found.errors[0][:, width : 2 * width]),
        units=len(items) ** 2,
    )


@peer("himalaya.backend", "himalaya RidgeCV, torch, float32", tolerance=1e-4)
def himalaya(backend: Any, items: Sequence[Array]) -> Callable[[], Any]:
    """Its fastest backend here, in float32, every target in one call for each source."""
    import torch
    from himalaya.ridge import RidgeCV

    backend.set_backend("torch")
    sources = [torch.from_numpy(item.astype(np.float32)) for item in items]
    targets = torch.cat(sources, dim=1)
    options = {"alphas": ALPHAS, "fit_intercept": False, "solver_params": {"local_alpha": True}}

    def run() -> Any:
        model = RidgeCV(cv=folds(len(items[0])), **options)
        return model.fit(sources[0], targets)

    return run


@peer(
    "sklearn.linear_model",
    "scikit-learn Ridge",
    answer=lambda errors: ("all", errors),
    how="one pair, a fit for each fold and penalty, scaled",
)
def scikit_learn(linear_model: Any, x: Array, y: Array) -> Callable[[], Array]:
    def run() -> Array:
        errors = np.zeros((len(ALPHAS), y.shape[1]))
        for train, test in folds(len(x)):
            for k, alpha in enumerate(ALPHAS):
                model = linear_model.Ridge(alpha=alpha, fit_intercept=False)
                model.fit(x[train], y[train])
                errors[k] += ((y[test] - model.predict(x[test])) ** 2).mean(axis=0) / FOLDS
        return errors

    return run
