"""The README's table for people who come from a peer: each call beside ours, same numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from . import peers

rng = np.random.default_rng(0)
SHARED = rng.standard_normal((60, 4))
X, Y = (SHARED @ rng.standard_normal((4, d)) + rng.standard_normal((60, d)) for d in (6, 8))
ALPHAS = [0.1, 1.0, 10.0]


def netrep(lw: Any, metrics: Any) -> list[tuple[Any, Any]]:
    def score(alpha: float, method: str) -> float:
        return metrics.LinearMetric(alpha=alpha, score_method=method).fit_score(X, Y)

    return [
        (score(1.0, "angular"), lw.procrustes(X, Y)),
        (score(0.5, "angular"), lw.shape_distance(X, Y, alpha=0.5)),
        (score(0.0, "angular"), lw.shape_distance(X, Y, alpha=0)),
        (score(1.0, "euclidean"), lw.procrustes(X, Y, score="euclidean", scale=False)),
    ]


def scipy_optimize(lw: Any, optimize: Any) -> list[tuple[Any, Any]]:
    cost = X[:9] @ Y[:7, :6].T
    return list(zip(optimize.linear_sum_assignment(cost), lw.linear_sum_assignment(cost)))  # noqa: B905


def scipy_linalg(lw: Any, linalg: Any) -> list[tuple[Any, Any]]:
    a, b = X, Y[:, :6]
    return list(zip(linalg.orthogonal_procrustes(a, b), lw.orthogonal_procrustes(a, b)))  # noqa: B905


def scipy_distance(lw: Any, distance: Any) -> list[tuple[Any, Any]]:
    names = ("correlation", "cosine", "euclidean", "sqeuclidean")
    return [(distance.pdist(X, name), lw.rdm(X, dissimilarity=name)) for name in names]


def pot(lw: Any, ot: Any) -> list[tuple[Any, Any]]:
    cost = np.abs(X[:5] @ Y[:7, :6].T)
    plan = ot.emd(np.full(5, 1 / 5), np.full(7, 1 / 7), cost)
    return [((plan * cost).sum(), (lw.optimal_transport(cost) * cost).sum())]


def pytorch_cka(lw: Any, cka: Any) -> list[tuple[Any, Any]]:
    import torch

    a, b = ([torch.from_numpy(side)] for side in (X, Y))
    return [(cka.cka_from_features(a, b), lw.cross(a, b, "cka", estimator="unbiased"))]


def rsatoolbox(lw: Any, rsatoolbox: Any) -> list[tuple[Any, Any]]:
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm, compare

    def theirs(side: np.ndarray, method: str, **options: Any) -> Any:
        data = Dataset(side, obs_descriptors={"i": np.arange(len(side))})
        return calc_rdm(data, method=method, **options)

    precision = np.linalg.inv(np.cov(Y[:, :6].T))
    squared = lw.rdm(X, dissimilarity="sqeuclidean")
    own = lw.rdm(X, dissimilarity="mahalanobis", precision=precision)
    mahalanobis = theirs(X, "mahalanobis", noise=precision, descriptor="i")
    pairs = [
        (theirs(X, "correlation").dissimilarities[0], lw.rdm(X)),
        (theirs(X, "euclidean").dissimilarities[0], squared / 6),
        (mahalanobis.dissimilarities[0], own**2 / 6),
    ]
    a, b = theirs(X, "correlation"), theirs(Y, "correlation")
    for method in ("cosine", "corr", "spearman", "rho-a", "tau-a", "kendall", "cosine_cov"):
        ours = lw.compare_rdms(lw.rdm(X), lw.rdm(Y), comparison=method)
        pairs.append((compare(a, b, method=method)[0, 0], ours))
    return pairs


def himalaya(lw: Any, backend: Any) -> list[tuple[Any, Any]]:
    from himalaya.ridge import RidgeCV
    from sklearn.model_selection import KFold

    backend.set_backend("numpy")
    folds = KFold(5, shuffle=True, random_state=0)
    model = RidgeCV(alphas=ALPHAS, fit_intercept=False, cv=folds).fit(X, Y)
    found = lw.ridge_cv_errors(X, Y, alphas=ALPHAS, fit_intercept=False)
    best = np.asarray(ALPHAS)[found.errors.argmin(axis=0)]
    return [(model.best_alphas_, best), (-model.cv_scores_, found.errors.min(axis=0))]


def torch_linear_assignment(lw: Any, module: Any) -> list[tuple[Any, Any]]:
    import torch

    cost = torch.rand(3, 6, 6, generator=torch.Generator().manual_seed(0))
    return [(module.batch_linear_assignment(cost), lw.linear_sum_assignment(cost)[1])]


def scikit_learn(lw: Any, linear_model: Any) -> list[tuple[Any, Any]]:
    x, y = ((side - side.mean(axis=0)) / side.std(axis=0) for side in (X, Y))
    lasso = linear_model.Lasso(alpha=0.1, tol=1e-12, max_iter=100_000).fit(x, y)
    ridge = linear_model.Ridge(alpha=2.0).fit(X, Y)
    return [
        (lasso.coef_, lw.sparse_predictivity(X, Y, alphas=[0.1]).coef[0]),
        (ridge.coef_, lw.maps.Ridge(alphas=2.0).fit(X, Y).coef_),
    ]


CASES: dict[str, Callable[[Any, Any], list[tuple[Any, Any]]]] = {
    "netrep.metrics": netrep,
    "scipy.optimize": scipy_optimize,
    "scipy.linalg": scipy_linalg,
    "scipy.spatial.distance": scipy_distance,
    "ot": pot,
    "cka": pytorch_cka,
    "rsatoolbox": rsatoolbox,
    "himalaya.backend": himalaya,
    "torch_linear_assignment": torch_linear_assignment,
    "sklearn.linear_model": scikit_learn,
}


@pytest.mark.parametrize("module", CASES)
@pytest.mark.filterwarnings("ignore")
def test_same_numbers(module: str) -> None:
    try:
        peer = peers.load(module)
    except ImportError:
        pytest.skip(f"not here: {peers.how_to_get(module)}")
    tolerance = 1e-5 if module == "sklearn.linear_model" else 1e-9  # lasso: to its duality gap
    for theirs, ours in CASES[module](peers.load("likewise"), peer):
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-7, atol=tolerance)
