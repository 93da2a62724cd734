"""The lasso of every unit of one network on the units of another, four penalties."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from .data import Array
from .timing import Contestant, Race, peer

ALPHAS = (0.3, 0.1, 0.03, 0.01)
PEER_TARGETS = 8


@pytest.mark.sizes("workload", full=[(5000, 256), (5000, 512), (5000, 1024)], quick=[(80, 12)])
def test_paths_of_all_targets(race: Race, workload: tuple[int, int]) -> None:
    n, d = workload
    x, y = sparse_pair(n, d)
    few = np.asfortranarray(y[:, :PEER_TARGETS])
    some = f"{few.shape[1]} of {d} targets"
    goal = 25.0 if d >= 512 else None
    race(
        f"lasso, {len(ALPHAS)} penalties, float64: n = {n}, {d} units, {d} targets",
        [
            Contestant(
                name="likewise, sparse_predictivity",
                build=lambda lw: partial(lw.sparse_predictivity, x, y, alphas=ALPHAS),
                answer=lambda found: found.coef,
                units=d,
            ),
            warm(x, few, units=few.shape[1], goal=goal, how=f"{some}, its Gram not timed"),
            together(x, few, units=few.shape[1], how=some),
            paths(x, few, units=few.shape[1], how=f"{some}, moments not timed"),
        ],
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


LASSO = {"fit_intercept": False, "max_iter": 5000, "copy_X": False}


@peer("sklearn.linear_model", "scikit-learn Lasso, Gram, warm start")
def warm(linear_model: Any, x: Array, y: Array) -> Callable[[], Array]:
    """One model per target, its Gram shared, each penalty starting from the one before."""
    gram = x.T @ x  # not timed: all targets share it

    def run() -> Array:
        coef = np.zeros((len(ALPHAS), y.shape[1], x.shape[1]))
        for t in range(y.shape[1]):
            model = linear_model.Lasso(precompute=gram, warm_start=True, **LASSO)
            for k, alpha in enumerate(ALPHAS):
                model.alpha = alpha
                coef[k, t] = model.fit(x, y[:, t], check_input=False).coef_
        return coef

    return run


@peer("sklearn.linear_model", "scikit-learn Lasso, targets in one call")
def together(linear_model: Any, x: Array, y: Array) -> Callable[[], Array]:
    def run() -> Array:
        models = [linear_model.Lasso(alpha=a, precompute=True, **LASSO) for a in ALPHAS]
        return np.stack([model.fit(x, y).coef_ for model in models])

    return run


@peer("sklearn.linear_model", "scikit-learn lasso_path, Gram")
def paths(linear_model: Any, x: Array, y: Array) -> Callable[[], Array]:
    gram, cross = x.T @ x, x.T @ y  # not timed
    options = {"alphas": ALPHAS, "precompute": gram, "max_iter": 5000, "copy_X": False}

    def run() -> Array:
        found = [
            linear_model.lasso_path(x, y[:, t], Xy=cross[:, t], **options)[1].T
            for t in range(y.shape[1])
        ]
        return np.stack(found, axis=1)

    return run
