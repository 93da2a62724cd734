"""Sparse predictivity: each unit of one network from as few units of another as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NamedTuple

import numpy as np

from likewise._border.arrays import Array
from likewise._border.device import is_device_array
from likewise._border.pairs import batch_size, give_scores, read_pair
from likewise._border.types import AnyArray, ArrayT
from likewise.errors import ConvergenceWarning, warn, warn_degenerate, warn_small_sample
from likewise.measure.folds import require_folds, shuffled_folds

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["SparsePrediction", "sparse_predictivity"]

_GRID = tuple(np.logspace(0, -3, 13).tolist())  # 1 is the largest correlation there is
_TOLERANCE = 1e-6


class SparsePrediction(NamedTuple, Generic[ArrayT]):
    """A lasso path for every unit of ``y``.

    Attributes
    ----------
    score
        Mean of ``per_target`` over the units of ``y``, one number per penalty, ``(..., n_alphas)``.
    alphas
        The penalties, ``(..., n_alphas)``.
    per_target
        Pearson correlation of each unit with its prediction, ``(..., n_alphas, dy)``: on held-out
        samples, mean over folds, if ``cv`` is given; else on the samples that were fitted.
    loss
        Half the mean squared error in units of the variance, likewise held out or not,
        ``(..., n_alphas, dy)``; 0.5 is what predicting the mean costs.
    units_used
        How many units of ``x`` have a weight, fitted on all samples, ``(..., n_alphas, dy)``.
    coef
        Weights between standardised units, fitted on all samples, ``(..., n_alphas, dy, dx)``.
    objective
        Of that fit, ``(..., n_alphas, dy)``.
    gap
        Duality gap: the objective is at most this far above its minimum, ``(..., n_alphas, dy)``.
    """

    score: ArrayT
    alphas: ArrayT
    per_target: ArrayT
    loss: ArrayT
    units_used: ArrayT
    coef: ArrayT
    objective: ArrayT
    gap: ArrayT

    def __repr__(self) -> str:
        given: Any = self.score
        if is_device_array(given):
            return f"SparsePrediction(score of shape {tuple(given.shape)} on a device)"
        score, targets = np.asarray(given), np.asarray(self.loss).shape[-1]
        if score.ndim != 1:
            return f"SparsePrediction(score of shape {score.shape})"
        used = np.asarray(self.units_used).mean(axis=-1)
        rows = zip(np.asarray(self.alphas), score, used, strict=True)
        lines = [f"  alpha={a:.3g}: score={s:.4g}, {u:.1f} units used" for a, s, u in rows]
        return "\n".join([f"SparsePrediction({targets} targets)", *lines])


def lasso_paths(
    function: str,
    library: Any,
    x: Any,
    y: Any,
    alphas: Array,
    tolerance: float,
    folds: tuple[Array, int] = (np.empty(0, np.int32), 0),
) -> tuple[SparsePrediction[Any], Array | None]:
    """Paths of pairs ``(..., n, dx)`` and ``(..., n, dy)``, as float64 views, and the numbers of
    constant units ``(2, ...)``, which there are not without a wait. Finishes the call, and warns of
    gaps.

    ``folds``: the order of the samples, and the number of folds, 0 for none.
    """
    batch, dx, dy = x.shape[:-2], x.shape[-1], y.shape[-1]
    shapes = ((), (), (dy,), (dy,), (dy,), (dy, dx), (dy,), (dy,))
    paths = SparsePrediction(
        *(library.empty((*batch, len(alphas), *shape), np.float64) for shape in shapes)
    )
    items = batch_size(batch)
    counts = library.zeros((1, 2, *batch), np.int64)
    missed = library.zeros((items * (1 + folds[1]), 2), np.int64)
    if items:
        wide = [library.cast(side, np.dtype(np.float64)) for side in (x, y)]
        options = (*folds, alphas.tolist(), tolerance)
        library.engine.lasso_paths(*wide, *paths, counts, missed, options, library.run)
    found = library.finish(counts, missed)
    if found is None:
        return paths, None
    of_folds = found[1][items:].reshape(items, folds[1], 2)
    by_item = np.concatenate([found[1][:items, None], of_folds], axis=1).reshape(-1, 2)
    fits = len(alphas) * dy
    for count, bits in by_item[by_item[:, 0] > 0]:
        warn(
            f"{function}: the duality gap of {count} of {fits} fits stayed above {tolerance:g} of "
            f"1/2 |y|^2, the largest is {bits.view(np.float64):.1e}",
            ConvergenceWarning,
        )
    return paths, found[0][0]


def sparse_predictivity(
    x: AnyArray[ArrayT],
    y: AnyArray[ArrayT],
    *,
    alphas: ArrayLike | None = None,
    cv: int | None = None,
    random_state: int = 0,
    check_finite: bool = True,
) -> SparsePrediction[ArrayT]:
    """How few units of ``x`` predict a unit of ``y``, and how well: the lasso, for each penalty.

    ``min_w 1/(2n) |y - X w|^2 + alpha |w|_1`` for every unit of ``y``, all units centred and scaled
    to unit variance (Li, Yosinski, Clune, Lipson & Hopcroft 2016, one-to-few mapping; Tibshirani
    1996). A penalty above the largest correlation, thus at least 1, predicts nothing; where the
    loss rises with the penalty, few-to-one prediction ends. Not symmetric.

    Parameters
    ----------
    x, y
        ``(..., n, dx)`` and ``(..., n, dy)``, batch axes broadcast.
    alphas
        Positive penalties, in any order. Default: 13 values from 1 to 0.001.
    cv
        Number of folds on which ``score``, ``per_target`` and ``loss`` are held out (those of
        :func:`linear_predictivity`); None scores the samples that were fitted.
    random_state
        Seed of the folds.
    check_finite
        Look for NaN and infinity first.

    Returns
    -------
    SparsePrediction
        With one score per penalty; nothing is chosen. Units without variance have no weights and
        are predicted with correlation 0; a constant representation makes scores NaN.

    Raises
    ------
    ValueError
        Penalties that are not positive, fewer than 2 samples per fold, different numbers of
        samples, NaN or infinity.
    InputTypeError
        For inputs that cannot be used as they are (complex, sparse, mixed libraries).

    Warns
    -----
    DegenerateWarning
    SmallSampleWarning
        Without ``cv``, fewer than ``2 dx`` samples: small penalties fit noise.
    ConvergenceWarning
        The duality gap of some fits stayed above 1e-6 of that of predicting nothing.
    """
    name = "sparse_predictivity"
    penalties = _checked_alphas(name, alphas)
    if cv is not None:
        require_folds(name, cv)
    pair = read_pair(name, x, y, check_finite=check_finite, min_samples=2 * (cv or 1))
    (samples, dx), dy = pair.x.shape[-2:], pair.y.shape[-1]
    if cv is None and batch_size(pair.batch):
        warn_small_sample(name, samples, dx, 0)
    order = shuffled_folds(samples, cv, random_state)[0] if cv else np.empty(0)
    folds = order.astype(np.int32), cv or 0
    paths, constant = lasso_paths(name, pair.library, pair.x, pair.y, penalties, _TOLERANCE, folds)
    if constant is not None:
        whole = constant == np.array([dx, dy]).reshape(2, *[1] * len(pair.batch))
        warn_degenerate(name, int(constant[~whole].sum()), int(whole.sum()))
    return SparsePrediction(*(give_scores(pair, part) for part in paths))


def _checked_alphas(function: str, alphas: Any) -> Array:
    values = np.atleast_1d(np.asarray(_GRID if alphas is None else alphas, np.float64))
    if values.ndim != 1 or not values.size or not (np.isfinite(values) & (values > 0)).all():
        raise ValueError(f"{function}: alphas must be finite positive numbers, got {alphas!r}")
    return values
