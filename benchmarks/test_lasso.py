"""The lasso of every unit of one network on the units of another, four penalties."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array
from .timing import Contestant

ALPHAS = (0.3, 0.1, 0.03, 0.01)
PEER_TARGETS = 8


@pytest.mark.sizes("workload", full=[(5000, 256), (5000, 512), (5000, 1024)], quick=[(80, 12)])
def test_paths_of_all_targets(race: Callable[..., None], workload: tuple[int, int]) -> None:
    n, d = workload
    x, y = sparse_pair(n, d)
    race(
        f"lasso, {len(ALPHAS)} penalties, float64: n = {n}, {d} units, {d} targets",
        [ours(x, y), scikit_learn(x, y), several_targets(x, y), lasso_path(x, y)],
        unit="target",
        error=excess(x, y),
        tolerance=1e-4,  # of the objective: scikit-learn's own
    )


def sparse_pair(n: int, d: int) -> tuple[Array, Array]:
    """Standardised units that share 32 latents, and targets made of some ten units each."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 32)) @ rng.standard_normal((32, d)) / 2
    x += rng.standard_normal((n, d))
    weights = rng.standard_normal((d, d)) * (rng.random((d, d)) < 10 / d)
    y = x @ weights + rng.standard_normal((n, d))
    return tuple(np.asfortranarray((a - a.mean(axis=0)) / a.std(axis=0)) for a in (x, y))  # type: ignore[return-value]


def excess(x: Array, y: Array) -> Callable[[Array], float]:
    """Largest relative excess of the objective of the first targets over a tighter solution's."""
    from sklearn.linear_model import Lasso

    few = range(min(4, y.shape[1]))

    def objective(weights: Array, target: int, alpha: float) -> float:
        residual = y[:, target] - x @ weights
        return float(residual @ residual / (2 * len(x)) + alpha * np.abs(weights).sum())

    best = {}
    for alpha in ALPHAS:
        model = Lasso(alpha=alpha, fit_intercept=False, tol=1e-12, max_iter=100_000)
        for t in few:
            best[alpha, t] = objective(model.fit(x, y[:, t]).coef_, t, alpha)

    def error(coef: Array) -> float:
        return max(
            objective(coef[k, t], t, alpha) / best[alpha, t] - 1
            for k, alpha in enumerate(ALPHAS)
            for t in few
        )

    return error


def ours(x: Array, y: Array) -> Contestant:
    return Contestant(
        name="likewise, sparse_predictivity",
        module="likewise",
        build=lambda lw: partial(lw.sparse_predictivity, x, y, alphas=ALPHAS),
        answer=lambda found: found.coef,
        units=y.shape[1],
    )


def scikit_learn(x: Array, y: Array) -> Contestant:
    """One model per target, its Gram shared, each penalty starting from the one before."""
    few = min(PEER_TARGETS, y.shape[1])

    def build(linear_model: Any) -> Callable[[], Array]:
        gram = x.T @ x  # not timed: all targets share it

        def run() -> Array:
            coef = np.zeros((len(ALPHAS), few, x.shape[1]))
            for t in range(few):
                model = linear_model.Lasso(
                    fit_intercept=False,
                    precompute=gram,
                    warm_start=True,
                    max_iter=5000,
                    copy_X=False,
                )
                for k, alpha in enumerate(ALPHAS):
                    model.alpha = alpha
                    coef[k, t] = model.fit(x, y[:, t], check_input=False).coef_
            return coef

        return run

    return Contestant(
        name="scikit-learn Lasso, Gram, warm start",
        module="sklearn.linear_model",
        build=build,
        units=few,
        goal=25.0 if x.shape[1] >= 512 else None,
        how=f"{few} of {y.shape[1]} targets, its Gram not timed",
    )


def several_targets(x: Array, y: Array) -> Contestant:
    few = min(PEER_TARGETS, y.shape[1])

    def build(linear_model: Any) -> Callable[[], Array]:
        def run() -> Array:
            models = [
                linear_model.Lasso(
                    alpha=a, fit_intercept=False, precompute=True, max_iter=5000, copy_X=False
                )
                for a in ALPHAS
            ]
            return np.stack([model.fit(x, y[:, :few]).coef_ for model in models])

        return run

    return Contestant(
        name="scikit-learn Lasso, targets in one call",
        module="sklearn.linear_model",
        build=build,
        units=few,
        how=f"{few} of {y.shape[1]} targets",
    )


def lasso_path(x: Array, y: Array) -> Contestant:
    few = min(PEER_TARGETS, y.shape[1])

    def build(linear_model: Any) -> Callable[[], Array]:
        gram, cross = x.T @ x, x.T @ y  # not timed

        def run() -> Array:
            paths = [
                linear_model.lasso_path(
                    x,
                    y[:, t],
                    alphas=ALPHAS,
                    precompute=gram,
                    Xy=cross[:, t],
                    max_iter=5000,
                    copy_X=False,
                )[1].T
                for t in range(few)
            ]
            return np.stack(paths, axis=1)

        return run

    return Contestant(
        name="scikit-learn lasso_path, Gram",
        module="sklearn.linear_model",
        build=build,
        units=few,
        how=f"{few} of {y.shape[1]} targets, moments not timed",
    )
