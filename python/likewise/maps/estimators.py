"""Maps from one representation to another, as scikit-learn estimators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, TransformerMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted, validate_data

from likewise._border.arrays import NUMPY, Array, read
from likewise._border.device import is_device_array
from likewise._border.types import AnyArray
from likewise.assignment import permutation_match
from likewise.lasso import lasso_paths
from likewise.linalg import polar
from likewise.measure.frames import near_one
from likewise.measure.units import unit_norm
from likewise.regression import MOST_PENALTY, checked_alphas, default_alphas
from likewise.transport import soft_match

__all__ = ["Lasso", "Orthogonal", "Permutation", "Ridge", "SoftPermutation"]


class _LinearMap(TransformerMixin, MultiOutputMixin, RegressorMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """``y = (x - mean of X) W + mean of Y``; what differs is how ``W`` is found.

    Arrays on a CUDA device are fitted on the CPU, where the attributes are; predictions of such
    arrays are sent back.

    Attributes
    ----------
    coef_
        ``W`` transposed, ``(n_targets, n_features)``, or ``(n_features,)`` for one-dimensional Y.
    intercept_
        ``mean of Y - mean of X @ W``. Both have the floats of ``X``: float16 and bfloat16 are
        widened to float32, everything is computed in float64.
    """

    def fit(self, X: AnyArray[Any], y: Any) -> Any:  # noqa: N803
        """Find the map from ``X (n, dx)`` to ``y (n, dy)`` or ``(n,)``."""
        x, y = validate_data(
            self,
            self._read("fit", X)[0],
            self._read("fit", y)[0],
            multi_output=True,
            y_numeric=True,
            ensure_min_samples=2,
            dtype=[np.float64, np.float32],
        )
        y = y.astype(x.dtype, copy=False)
        self._one_dimensional = y.ndim == 1
        y = y.reshape(len(y), -1)
        (moved_x, self._source_mean), (moved_y, self._target_mean) = map(_centred, (x, y))
        (source, of_x), (target, of_y) = map(near_one, (moved_x, moved_y), self._units)
        with np.errstate(over="ignore", under="ignore"):  # float32 may not hold a weight
            weights = np.ldexp(self._weights(source, target, of_x, of_y), of_x.T - of_y)
            intercept = self._target_mean - self._source_mean @ weights
            coef, intercept = weights.T.astype(x.dtype), intercept.astype(x.dtype)
        self.coef_ = coef[0] if self._one_dimensional else coef
        self.intercept_ = intercept[0] if self._one_dimensional else intercept
        return self

    _units: ClassVar[tuple[int | None, int | None]] = (0, 0)
    """Whether columns of X and of y may have powers of two of their own (0), or not (None)."""

    @abstractmethod
    def _weights(self, x: Array, y: Array, of_x: Array, of_y: Array) -> Array:
        """``W (dx, dy)`` for centred x and y times 2 to these powers, which bring them near 1.

        ``2 ** of_x W 2 ** -of_y`` is in units of the data.
        """

    def _read(self, method: str, values: Any) -> tuple[Any, Callable[[Array], Any]]:
        """What the input policy makes of narrow and foreign floats, the rest being scikit-learn's,
        and what sends results to where these are."""
        floats = isinstance(values, np.ndarray) and values.dtype.kind == "f"
        there = is_device_array(values)
        if there or (floats and values.dtype.itemsize <= 4) or type(values).__module__ == "torch":
            views, library = read(f"{type(self).__name__}.{method}", False, array=values)
            (values,), library = library.on_cpu(views)
        return values, library.give if there else np.asarray

    def predict(self, X: Any) -> Any:  # noqa: N803
        """``X`` as the target would see it, ``(n, dy)`` or ``(n,)``."""
        check_is_fitted(self)
        x, give = self._read("predict", X)
        return give(self._predicted(x))

    def _predicted(self, x: Any) -> Array:
        x = validate_data(self, x, reset=False, dtype=[np.float64, np.float32])
        weights = np.atleast_2d(self.coef_).T.astype(np.float64)
        out: Array = (x - self._source_mean) @ weights + self._target_mean
        out = out.astype(x.dtype, copy=False)
        return out[:, 0] if self._one_dimensional else out

    def transform(self, X: Any) -> Any:  # noqa: N803
        """The same as :meth:`predict`."""
        return self.predict(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:  # noqa: N803
        """R2 of the predictions, mean over targets."""
        check_is_fitted(self)
        x, y = (self._read("score", side)[0] for side in (X, y))
        targets, exponents = near_one(np.asarray(y, np.float64))
        predicted = np.ldexp(self._predicted(x).astype(np.float64), exponents)
        return float(r2_score(targets, predicted, sample_weight=sample_weight))

    def correlation_score(self, X: Any, y: Any) -> float:  # noqa: N803
        """Pearson correlation of each target with its prediction, mean over targets.

        0 for a target that is constant or predicted so.
        """
        check_is_fitted(self)
        x, y = (self._read("correlation_score", side)[0] for side in (X, y))
        predicted = self._predicted(x).astype(np.float64).reshape(len(x), -1)
        targets = np.asarray(y, np.float64).reshape(len(x), -1)
        return float(_column_correlation(predicted, targets).mean())


def _centred(x: Array) -> tuple[Array, Array]:
    """What is left of x without the mean, and the mean.

    In float64: float32 would round what is left of large means. Equal values become exact zeros.
    """
    first = x[0].astype(np.float64)
    moved = x - first
    mean = moved.mean(axis=0)
    return moved - mean, first + mean


class _RigidMap(_LinearMap):
    """A map with too little freedom to fit any target, which scikit-learn's checks should know."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class Orthogonal(_RigidMap):
    """Rotation and reflection: ``W = s Q``, ``Q = argmax tr(Q'X'Y)``, orthonormal columns or rows.

    ``Q = U V'`` for ``X'Y = U S V'`` of the centred data (Schönemann 1966); with unequal widths a
    partial isometry, as after padding the narrower side with zeros.

    Parameters
    ----------
    scale
        ``s = tr S / |X|^2`` on the dimensions that ``Q`` keeps, the best scale for this rotation;
        otherwise 1. Correlations do not see it.
    """

    def __init__(self, scale: bool = True) -> None:
        self.scale = scale

    _units = (None, None)

    def _weights(self, x: Array, y: Array, of_x: Array, of_y: Array) -> Array:
        cross = x.T @ y
        rotation: Array = polar(cross)[0]
        if not self.scale:
            rotation = np.ldexp(rotation, of_y - of_x)  # as it is in any units
            return rotation
        squares = float(((x @ rotation) ** 2).sum())
        return rotation * (float((rotation * cross).sum()) / squares if squares > 0 else 0.0)


class _UnitMap(_RigidMap):
    """Standardised units of X stand in for those of Y, which get their own deviation back."""

    def _weights(self, x: Array, y: Array, of_x: Array, of_y: Array) -> Array:
        self.plan_ = self._plan(x, y)
        share = self.plan_.sum(axis=0)
        mixture = np.divide(self.plan_, share, out=np.zeros_like(self.plan_), where=share > 0)
        deviations = x.std(axis=0)
        varies = np.ptp(x, axis=0) > 0
        inverse = np.divide(1, deviations, out=np.zeros_like(deviations), where=varies)
        weights: Array = inverse[:, None] * mixture * y.std(axis=0)
        return weights

    @abstractmethod
    def _plan(self, x: Array, y: Array) -> Array:
        """Shares ``(dx, dy)`` of the units of x in those of y."""

    def plan_score(self, X: Any, y: Any) -> float:  # noqa: N803
        """``<plan, correlation of the units of X and y> / mass``, the plan being the fitted one.

        On the samples of the fit this is the score of the matching itself; on others, the held-out
        score of Kapoor, Srivastava & Khosla (2025).
        """
        check_is_fitted(self)
        x, y = (self._read("plan_score", side)[0] for side in (X, y))
        x = validate_data(self, x, reset=False, dtype=[np.float64, np.float32])
        y = np.asarray(y, x.dtype).reshape(len(x), -1)
        units, targets = (unit_norm(side).data.astype(np.float64) for side in (x, y))
        return float((self.plan_ * (units.T @ targets)).sum() / self.plan_.sum())


class Permutation(_UnitMap):
    """One unit of X for each unit of Y, at the largest sum of correlations.

    A target is predicted by its partner, in units of its own mean and deviation; a target without
    one (``dx < dy``) by its mean.

    Attributes
    ----------
    plan_
        ``(dx, dy)``: ``1 / min(dx, dy)`` for partners, else 0.
    """

    def _plan(self, x: Array, y: Array) -> Array:
        partners = permutation_match(x, y).assignment
        plan = np.zeros((x.shape[1], y.shape[1]))
        matched = np.flatnonzero(partners >= 0)
        plan[matched, partners[matched]] = 1 / min(plan.shape)
        return plan


class SoftPermutation(_UnitMap):
    """Soft matching (Khosla & Williams 2023): units of X shared out among those of Y.

    A target is predicted by the mean of its partners, weighted by the transport plan, in units of
    its own mean and deviation.

    Parameters
    ----------
    mass
        Share of the units that is matched, in (0, 1]; see :func:`likewise.soft_match`.

    Attributes
    ----------
    plan_
        ``(dx, dy)``, sums to ``mass``.
    """

    def __init__(self, mass: float = 1.0) -> None:
        self.mass = mass

    def _plan(self, x: Array, y: Array) -> Array:
        plan: Array = soft_match(x, y, mass=self.mass).plan
        return plan


class Ridge(_LinearMap):
    """Ridge regression whose penalty is chosen for each target by generalised cross-validation.

    The model inside each fold of :func:`likewise.linear_predictivity`, with one difference: the
    default penalties are scaled by the samples it is fitted on, there by all of them.

    Parameters
    ----------
    alphas
        Penalties to choose from, as scikit-learn's ``Ridge(alpha=...)`` has them; one number for no
        choice. Default: 21 values from 1e-6 to 1e4 times the mean of the at most
        ``min(n - 1, dx)`` nonzero eigenvalues of the centred ``X'X``.

    Attributes
    ----------
    alpha_
        The chosen penalties, ``(n_targets,)``.
    """

    _units = (None, 0)

    def __init__(self, alphas: Any = None) -> None:
        self.alphas = alphas

    def _weights(self, x: Array, y: Array, of_x: Array, of_y: Array) -> Array:
        chosen = checked_alphas("Ridge", self.alphas)
        u, s, vt = np.linalg.svd(x, full_matrices=False)
        kept = s > max(x.shape) * np.finfo(np.float64).eps * s[0]
        u, s, vt = u[:, kept], s[kept], vt[kept]
        constant = int((np.ptp(x, axis=0) == 0).sum())
        squares = 2 * of_x[0, 0]
        relative = default_alphas(x, float((s**2).sum()), constant)
        given = np.ldexp(relative, -squares) if chosen is None else np.array(chosen)
        grid = relative if chosen is None else np.minimum(np.ldexp(given, squares), MOST_PENALTY)
        along = u.T @ y
        rest = np.maximum((y**2).sum(axis=0) - (along**2).sum(axis=0), 0)
        left = grid[:, None] / (s**2 + grid[:, None])  # share of the target that is left over
        freedom = len(x) - 1 - len(s) + left.sum(axis=1)
        if len(s) == len(x) - 1:
            rest[:] = 0  # the model can fit any target
        with np.errstate(divide="ignore", invalid="ignore"):
            criteria = (left**2 @ along**2 + rest) / freedom[:, None] ** 2
        best = np.nan_to_num(criteria, nan=np.inf).argmin(axis=0)
        self.alpha_ = given[best]
        weights: Array = vt.T @ (s[:, None] / (s[:, None] ** 2 + grid[best]) * along)
        return weights


class Lasso(_LinearMap):
    """Each target from few units: ``min_w 1/(2n) |y - X w|^2 + alpha |w|_1``, units standardised.

    The model of :func:`likewise.sparse_predictivity`; ``coef_`` is in the units of the data.

    Parameters
    ----------
    alpha
        Penalty; from 1 on nothing is predicted.
    tol
        Duality gap that ends the work, as a share of that of predicting nothing.

    Attributes
    ----------
    gap_
        Duality gaps, ``(n_targets,)``.
    """

    def __init__(self, alpha: float = 0.01, tol: float = 1e-6) -> None:
        self.alpha = alpha
        self.tol = tol

    def _weights(self, x: Array, y: Array, of_x: Array, of_y: Array) -> Array:
        alphas = self._alphas()
        paths, _ = lasso_paths("Lasso", NUMPY, x, y, alphas, self.tol)
        self.gap_ = paths.gap[0]
        deviations = x.std(axis=0)
        inverse = np.divide(1, deviations, out=np.zeros_like(deviations), where=deviations > 0)
        weights: Array = inverse[:, None] * paths.coef[0].T * y.std(axis=0)
        return weights

    def _alphas(self) -> Array:
        if not 0 < self.alpha < np.inf:
            raise ValueError(f"Lasso: alpha must be positive and finite, got {self.alpha!r}")
        return np.array([self.alpha])


def _column_correlation(a: Array, b: Array) -> Array:
    """Pearson's of the columns; 0 where either is constant."""
    constant = (a == a[0]).all(axis=0) | (b == b[0]).all(axis=0)
    a, b = (near_one(near_one(side)[0] - near_one(side)[0].mean(axis=0))[0] for side in (a, b))
    norms = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    products = (a * b).sum(axis=0)
    some = ~constant & ~(norms <= 0)  # NaN stays NaN
    r: Array = np.divide(products, norms, out=np.zeros_like(norms), where=some)
    return r
