"""Held-out scores of maps, beside what the same maps reach by chance."""

from __future__ import annotations

import itertools
from typing import Any, Literal, NamedTuple

import numpy as np

from likewise._border.arrays import Array, read
from likewise._border.device import is_device_array
from likewise._border.types import AnyArray
from likewise.measure.folds import require_folds, shuffled_folds

__all__ = ["CrossValidation", "cross_validate"]

Control = Literal["shuffle", "rotate"]


class CrossValidation(NamedTuple):
    """A held-out score, and what it is by chance.

    Attributes
    ----------
    score
        Mean over folds.
    per_fold
        ``(cv,)``.
    controls
        Scores of the control's draws, ``(n_controls,)``; empty without a control.
    control_mean, control_sd
        Their mean and standard deviation; NaN without a control.
    """

    score: float
    per_fold: Array
    controls: Array
    control_mean: float
    control_sd: float

    def __repr__(self) -> str:
        control = (
            f", control={self.control_mean:.4g} ± {self.control_sd:.2g} over "
            f"{self.controls.size} draws"
            if self.controls.size
            else ""
        )
        return f"CrossValidation(score={self.score:.4g} over {self.per_fold.size} folds{control})"


def cross_validate(
    estimator: Any,
    x: AnyArray[Any],
    y: AnyArray[Any],
    cv: int = 5,
    control: Control | None = None,
    n_controls: int = 20,
    random_state: int = 0,
    scoring: str = "correlation_score",
) -> CrossValidation:
    """Fit a map on all folds but one and score it on that one; the same for controls.

    Parameters
    ----------
    estimator
        A map, or any estimator with ``fit(x, y)`` and the method that ``scoring`` names.
    x, y
        ``(n, dx)`` and ``(n, dy)``.
    cv
        Number of folds: those of scikit-learn's ``KFold(cv, shuffle=True, random_state)``, the same
        for all measures and controls.
    control
        ``"shuffle"``: the samples of ``x`` in random order, so that nothing is shared: what fitting
        alone achieves. ``"rotate"``: the units of ``x`` rotated at random (Haar): what is left
        without the privileged basis.
    n_controls
        Draws of the control, at least 2; each is cross-validated like the data.
    random_state
        Seed of folds and controls.
    scoring
        Method of the estimator: ``"correlation_score"``, ``"score"`` (mean R2) or, of matchings,
        ``"plan_score"``.

    Returns
    -------
    CrossValidation

    Raises
    ------
    ValueError
        Fewer than 2 samples per fold, an unknown control, fewer than 2 controls, different numbers
        of samples.
    """
    require_folds("cross_validate", cv)
    if control not in (None, "shuffle", "rotate"):
        raise ValueError(
            f"cross_validate: control must be None, 'shuffle' or 'rotate', got {control!r}"
        )
    if n_controls < 2:
        raise ValueError(f"cross_validate: n_controls must be at least 2, got {n_controls}")
    if is_device_array(x) or is_device_array(y):
        views, library = read("cross_validate", False, x=x, y=y)
        (x, y), _ = library.on_cpu(views)
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim != 2 or y.ndim not in (1, 2) or x.shape[0] != y.shape[0]:
        raise ValueError(
            "cross_validate: x and y must have shapes (n, dx) and (n, dy) with the same number of "
            f"samples, got {tuple(x.shape)} and {tuple(y.shape)}"
        )
    samples = x.shape[0]
    if samples < 2 * cv:
        raise ValueError(
            f"cross_validate: x must have at least {2 * cv} samples for {cv} folds, got {samples}"
        )
    from sklearn.base import clone

    order, edges = shuffled_folds(samples, cv, random_state)

    def scores(source: Any) -> Array:
        found = []
        for first, last in itertools.pairwise(edges):
            test, train = order[first:last], np.delete(order, slice(first, last))
            fitted = clone(estimator).fit(source[train], y[train])
            found.append(float(getattr(fitted, scoring)(source[test], y[test])))
        return np.array(found)

    per_fold = scores(x)
    draws = np.empty(0)
    if control is not None:
        rng = np.random.default_rng(random_state)
        draw = _shuffled if control == "shuffle" else _rotated
        draws = np.array([scores(draw(x, rng)).mean() for _ in range(n_controls)])
    return CrossValidation(
        float(per_fold.mean()),
        per_fold,
        draws,
        float(draws.mean()) if draws.size else float("nan"),
        float(draws.std(ddof=1)) if draws.size else float("nan"),
    )


def _shuffled(x: Array, rng: np.random.Generator) -> Array:
    return x[rng.permutation(len(x))]


def _rotated(x: Array, rng: np.random.Generator) -> Array:
    turned: Array = (x @ haar(x.shape[1], rng)).astype(x.dtype, copy=False)
    return turned


def haar(units: int, rng: np.random.Generator) -> Array:
    """A Haar rotation: the Q of a Gaussian, its columns signed as the diagonal of R."""
    q, r = np.linalg.qr(rng.standard_normal((units, units)))
    rotation: Array = q * np.sign(np.diag(r))
    return rotation
