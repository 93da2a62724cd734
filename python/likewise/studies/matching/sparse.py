"""Predicting a unit from few units of another network: the lasso and its knee."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from likewise import LikewiseWarning, sparse_predictivity
from likewise._border.arrays import Array
from likewise.studies.matching.networks import Numbers
from likewise.studies.matching.settings import Settings

TRIVIAL = 0.5
"""Half the variance: what predicting the mean costs."""


@dataclass(frozen=True)
class Path:
    """Means over the living units of the second network, one value for each penalty."""

    loss: Numbers
    """Half the mean squared error in units of the variance, on held-out images."""
    weights: Numbers
    """Units of the first network that have a weight, fitted on all images."""
    gap: float
    """The largest duality gap of the path: no objective is further from its minimum."""


def path(x: Array, y: Array, settings: Settings) -> Path:
    """Living units y (n, dy) from living units x (n, dx), where every image is one sample."""
    with warnings.catch_warnings():  # the gap is part of the result
        warnings.simplefilter("ignore", LikewiseWarning)
        found = sparse_predictivity(
            x.astype(np.float64),
            y.astype(np.float64),
            alphas=settings.penalties,
            cv=settings.folds,
            random_state=settings.seed,
        )
    return Path(found.loss.mean(axis=1), found.units_used.mean(axis=1), float(found.gap.max()))


def knee(loss: Numbers, share: float) -> int:
    """Number of the largest penalty that costs at most this share of 0.5 more than the best one.

    Losses in the order of penalties, the largest first.
    """
    return int(np.argmax(loss <= loss.min() + share * TRIVIAL))


@dataclass(frozen=True)
class Knee:
    """Where the mean path of a layer bends."""

    penalty: float
    loss: float
    weights: float
    least_loss: float
    """At the penalty that predicts best."""
    most_weights: float
    """At the smallest penalty."""
    trivial: float
    """Loss at the largest penalty, where nothing has a weight."""
