"""Options of measures that lead to other code, data that are hard on digits, all ways to a score.

Tests of every measure run over these; what is asked of one topic alone stands in its own file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import likewise as lw
from likewise._border.arrays import NUMPY

Array = np.ndarray

RSA_COMPARISONS = (
    "spearman", "rho-a", "kendall", "tau-a", "cosine", "corr", "cosine_cov", "corr_cov", "bures"
)  # fmt: skip
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "cca": [{}, {"regularization": 1e-3}],
    "cka": [
        {"kernel": kernel, "estimator": estimator, **more}
        for estimator in ("biased", "unbiased")
        for kernel, more in (
            ("linear", {}),
            ("rbf", {}),
            ("rbf", {"bandwidth": ("median", 0.1)}),
            ("rbf", {"bandwidth": ("median", 30.0)}),
            ("polynomial", {}),
            ("polynomial", {"degree": 6, "coef0": 0.0}),
        )
    ],
    "cknna": [{"k": 7}],
    "hsic": [{}, {"estimator": "unbiased"}, {"kernel": "rbf"}],
    "jaccard_knn": [{"k": 7}, {"k": 7, "metric": "euclidean"}],
    "linear_predictivity": [{"cv": 2}],
    "mutual_knn": [{"k": 7}, {"k": 3, "metric": "euclidean"}],
    "permutation_match": [{}],
    "procrustes": [{}, {"score": "similarity"}, {"score": "euclidean", "scale": False}],
    "pwcca": [{}],
    "rsa": [
        {"dissimilarity": dissimilarity, "comparison": comparison}
        for dissimilarity in ("correlation", "cosine", "euclidean", "sqeuclidean")
        for comparison in RSA_COMPARISONS
    ],
    "semi_match": [{}],
    "shape_distance": [
        {"alpha": 0.0},
        {"alpha": 0.5},
        {"alpha": 0.0, "score": "euclidean"},
        {"center": False},
    ],
    "soft_match": [{}, {"score": "distance"}, {"mass": 0.5}],
    "svcca": [{}, {"variance": 1.0}],
}
VARIANTS = [(name, options) for name in lw.measures() for options in OPTIONS[name]]


def _clusters(distance: float) -> Callable[[Array], Array]:
    # Three fifths together: the median distance is one within clusters.
    return lambda x: x + distance * (np.arange(len(x)) % 5 < 3)[:, None]


def _noise(n: int, d: int) -> Array:
    return np.random.default_rng(d).standard_normal((n, d))


def _sizes(d: int) -> Array:
    """Sizes of units over eight powers of ten, up and down."""
    return 10.0 ** np.random.default_rng(d).permutation(np.linspace(-4, 4, d))


HARD: dict[str, Callable[[Array], Array]] = {
    "plain": lambda x: x,
    "far clusters": _clusters(1e4),
    "a large mean": lambda x: x + 1e5,
    "large means": lambda x: x + 10.0 ** np.arange(1, 1 + x.shape[1]).clip(max=5),
    "one massive unit": lambda x: x * 1e4 ** (np.arange(x.shape[1]) == 1),
    "one massive sample": lambda x: x * 1e3 ** (np.arange(len(x)) == 5)[:, None],
    "units of all sizes": lambda x: x * _sizes(x.shape[1]),
    "whole numbers and repeats": lambda x: np.round(x)[np.arange(len(x)) // 2],
    "nearly equal": lambda x: 1 + 1e-5 * x,
    "nearly equal units": lambda x: x[:, :1] + x * 10.0 ** -np.arange(x.shape[1]).clip(max=3),
    "one-hot": lambda x: np.eye(5)[np.random.default_rng(x.shape[1]).integers(0, 5, len(x))],
    "copies of units": lambda x: np.hstack([x, 4 * x[:, :2]]),
    "more units than samples": lambda x: np.hstack([x, x[::-1] ** 2, _noise(len(x), 40)]),
    "huge": lambda x: x * 2.0**100,
    "tiny": lambda x: x * 2.0**-100,
}


def related(n: int, *widths: int, seed: int = 0) -> list[Array]:
    """Representations that share five latents, off the origin."""
    rng = np.random.default_rng(seed)
    latents = rng.standard_normal((n, 5))
    return [
        latents @ rng.standard_normal((5, d)) + 0.5 * rng.standard_normal((n, d)) + 2
        for d in widths
    ]


def first(found: Any) -> Any:
    """The score of what carries more than a score."""
    return found[0] if isinstance(found, tuple) else found


def streams(measure: Any) -> bool:
    """Whether streams give the same score: they have folds of their own."""
    return measure.streamable and measure.name != "linear_predictivity"


def paths(measure: Any, x: Array, y: Array) -> dict[str, float]:
    """The score of x with y wherever it can be had."""
    found = {
        "call": measure(x, y),
        "batch of x": first(measure(np.stack([2 * x, x]), y))[1],
        "batch of y": first(measure(x, np.stack([y, y[::-1]])))[0],
        "pairwise": lw.pairwise([x, y, x[:, ::-1]], measure)[0, 1],
        "cross": lw.cross([x[:, :4], x], [y], measure)[1, 0],
        "mappings": lw.cross({"x": x}, {"y": y}, measure).values[0, 0],
    }
    if measure.symmetric:
        found["turned"] = lw.cross([y], [x], measure)[0, 0]
    if measure.differentiable:
        found["gradients"] = measure.gradients(x, y)[0]
    if streams(measure):
        stream = lw.scale.Accumulator(measure)
        for rows in (slice(0, 13), slice(13, None)):
            stream.update([x[rows]], [y[rows]])
        found["stream"] = stream.compute()[0, 0]
    order = np.random.default_rng(5).permutation(len(x))
    wide = x.astype(np.float64), y[order].astype(np.float64)
    back = measure.reordered(NUMPY, *wide, np.argsort(order)[None].astype(np.int32))
    if back is not None:
        found["reordered"] = back[0]
    return {path: float(first(score)) for path, score in found.items()}
