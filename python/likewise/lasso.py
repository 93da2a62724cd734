"""Sparse predictivity: each unit of one network from as few units of another as possible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from likewise import _cpu
from likewise._border import engine as _engine
from likewise._border.arrays import Array
from likewise._border.device import is_device_array
from likewise._border.pairs import Pair, batch_size, give_scores, read_pair
from likewise.errors import ConvergenceWarning, warn, warn_degenerate, warn_small_sample
from likewise.measure.folds import require_folds, shuffled_folds
from likewise.measure.frames import near_one
from likewise.measure.units import unit_norm

__all__ = [
    "LassoPath",
    "SparsePrediction",
    "column_correlation",
    "empty_path",
    "fill_path",
    "fill_paths_on_device",
    "sparse_predictivity",
    "warn_of_gaps_on_device",
]

_GRID = tuple(np.logspace(0, -3, 13).tolist())  # 1 is the largest correlation there is
_TOLERANCE = 1e-6


class LassoPath(NamedTuple):
    """Arrays that :func:`fill_path` fills, all ``(n_alphas, dy)`` but ``coef``."""

    coef: Array
    """Weights, ``(n_alphas, dy, dx)``."""
    objective: Array
    gap: Array
    loss: Array
    correlation: Array


class SparsePrediction(NamedTuple):
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

    score: Any
    alphas: Any
    per_target: Any
    loss: Any
    units_used: Any
    coef: Any
    objective: Any
    gap: Any

    def __repr__(self) -> str:
        if is_device_array(self.score):
            shape = tuple(self.score.shape)
            return f"SparsePrediction(score of shape {shape} on a device)"
        if np.ndim(self.score) != 1:
            return f"SparsePrediction(score of shape {np.shape(self.score)})"
        used = np.asarray(self.units_used).mean(axis=-1)
        rows = zip(np.asarray(self.alphas), np.asarray(self.score), used, strict=True)
        lines = [f"  alpha={a:.3g}: score={s:.4g}, {u:.1f} units used" for a, s, u in rows]
        return "\n".join([f"SparsePrediction({np.shape(self.loss)[-1]} targets)", *lines])


def empty_path(*shape: int) -> LassoPath:
    """Room for paths of shape ``(..., n_alphas, dy, dx)``."""
    return LassoPath(np.empty(shape), *(np.empty(shape[:-1]) for _ in range(4)))


def fill_path(
    function: str,
    x: Array,
    y: Array,
    alphas: Array,
    scale: float,
    tolerance: float,
    path: LassoPath,
) -> None:
    """``min 1/2 |y - X w|^2 scale + alpha |w|_1`` for all columns of y; x and y are centred."""
    missed = _cpu.lasso_path(
        x,
        y,
        scale,
        tolerance,
        alphas.tolist(),
        path.coef,
        path.objective,
        path.gap,
        path.loss,
        path.correlation,
        _engine.threads(),
    )
    if missed:
        _warn_of_gaps(function, missed, path.gap.size, tolerance, path.gap.max())


def fill_paths_on_device(
    library: Any,
    x: Any,
    y: Any,
    outputs: Sequence[Any],
    folds: tuple[list[int], int],
    alphas: Array,
    tolerance: float,
) -> tuple[Any, Any]:
    """Paths of float64 pairs ``(..., n, dx)`` and ``(..., n, dy)`` into score, alphas, correlation,
    loss, units used, coef, objective and gap.

    ``folds``: the order of the samples and the number of folds, 0 for none. Returns for
    ``library.finish`` the numbers of constant units and what :func:`warn_of_gaps_on_device` takes.
    """
    items = batch_size(x.shape[:-2])
    constants = library.empty((2, items), np.int64)
    gaps = library.empty((items * (1 + folds[1]), 2), np.int64)
    options = (*folds, alphas.tolist(), tolerance)
    library.engine.lasso_paths(x, y, *outputs, constants, gaps, options, library.run)
    return constants, gaps


def warn_of_gaps_on_device(function: str, found: Array, fits: int, tolerance: float) -> None:
    """Of runs of so many fits: how many gaps ``found`` has of each, and the bits of the largest."""
    for missed, bits in found.reshape(-1, 2):
        if missed:
            _warn_of_gaps(function, missed, fits, tolerance, float(bits.view(np.float64)))


def _warn_of_gaps(function: str, missed: int, fits: int, tolerance: float, largest: float) -> None:
    warn(
        f"{function}: the duality gap of {missed} of {fits} fits stayed above {tolerance:g} of "
        f"1/2 |y|^2, the largest is {largest:.1e}",
        ConvergenceWarning,
    )


def sparse_predictivity(
    x: Any,
    y: Any,
    *,
    alphas: Any = None,
    cv: int | None = None,
    random_state: int = 0,
    check_finite: bool = True,
) -> SparsePrediction:
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
    if pair.library.engine is not _cpu:
        return _predict_on_device(pair, penalties, cv or 0, random_state)
    if cv is None and pair.x.size and pair.y.size:
        warn_small_sample(name, pair.x.shape[-2], pair.x.shape[-1], 0)
    dx, dy = pair.x.shape[-1], pair.y.shape[-1]
    whole = empty_path(*pair.batch, len(penalties), dy, dx)
    constants: list[tuple[int, int]] = []
    for index in np.ndindex(pair.batch):
        path = LassoPath(*(part[index] for part in whole))
        x, y = (side[index].astype(np.float64, copy=False) for side in (pair.x, pair.y))
        (xs, constant_x), (ys, constant_y) = map(unit_norm, (x, y))
        constant = [(constant_x, dx), (constant_y, dy)]
        constants += constant
        fill_path(name, xs, ys, penalties, 1.0, _TOLERANCE, path)
        if cv is not None:
            _hold_out(name, x, y, penalties, cv, random_state, path)
        if any(count == width for count, width in constant):
            path.correlation[:] = path.loss[:] = np.nan
    _warn_of_constants(constants)
    score = np.asarray(whole.correlation.mean(axis=-1))
    results = (
        score,
        np.broadcast_to(penalties, score.shape).copy(),
        whole.correlation,
        whole.loss,
        np.count_nonzero(whole.coef, axis=-1),
        whole.coef,
        whole.objective,
        whole.gap,
    )
    return SparsePrediction(*(give_scores(pair, part) for part in results))


def _predict_on_device(pair: Pair, alphas: Array, cv: int, random_state: int) -> SparsePrediction:
    library, items = pair.library, batch_size(pair.batch)
    (samples, dx), dy = pair.x.shape[-2:], pair.y.shape[-1]
    shapes = ((), (), (dy,), (dy,), (dy,), (dy, dx), (dy,), (dy,))
    outputs = [library.empty((*pair.batch, len(alphas), *s), np.float64) for s in shapes]
    order = shuffled_folds(samples, cv, random_state)[0].tolist() if cv else []
    x, y = (library.cast(side, np.dtype(np.float64)) for side in (pair.x, pair.y))
    told = fill_paths_on_device(library, x, y, outputs, (order, cv), alphas, _TOLERANCE)
    found = library.finish(*told)
    if not cv and items:
        warn_small_sample("sparse_predictivity", samples, dx, 0)
    if found is not None:
        of_folds = found[1][items:].reshape(items, cv, 2)
        by_item = np.concatenate([found[1][:items, None], of_folds], axis=1)
        warn_of_gaps_on_device("sparse_predictivity", by_item, len(alphas) * dy, _TOLERANCE)
        counts = found[0].tolist()
        _warn_of_constants(
            [(count, dx) for count in counts[0]] + [(count, dy) for count in counts[1]]
        )
    return SparsePrediction(*(give_scores(pair, part) for part in outputs))


def _warn_of_constants(constants: list[tuple[int, int]]) -> None:
    """Of each representation, with its number of units."""
    partly = sum(count for count, width in constants if count < width)
    whole = sum(count == width for count, width in constants)
    warn_degenerate("sparse_predictivity", partly, whole)


def _checked_alphas(function: str, alphas: Any) -> Array:
    values = np.atleast_1d(np.asarray(_GRID if alphas is None else alphas, np.float64))
    if values.ndim != 1 or not values.size or not (np.isfinite(values) & (values > 0)).all():
        raise ValueError(f"{function}: alphas must be finite positive numbers, got {alphas!r}")
    return values


def _hold_out(
    function: str, x: Array, y: Array, alphas: Array, cv: int, random_state: int, path: LassoPath
) -> None:
    """Correlation and loss of the path become means over folds, standardised on the others."""
    order, edges = shuffled_folds(len(x), cv, random_state)
    path.correlation[:] = path.loss[:] = 0
    trained = empty_path(*path.coef.shape)
    for fold in range(cv):
        test = order[edges[fold] : edges[fold + 1]]
        train = np.delete(order, slice(edges[fold], edges[fold + 1]))
        units, targets = (unit_norm(side[train]).data for side in (x, y))
        fill_path(function, units, targets, alphas, 1.0, _TOLERANCE, trained)
        xs, ys = (_scaled_like(side[train], side[test]) for side in (x, y))
        for k, weights in enumerate(trained.coef):
            predicted = xs @ weights.T
            path.loss[k] += ((ys - predicted) ** 2).mean(axis=0) / (2 * cv)
            path.correlation[k] += column_correlation(predicted, ys) / cv


def _scaled_like(train: Array, test: Array) -> Array:
    """Test samples in units of the mean and deviation of the training samples."""
    origin = train[0]  # equal values differ by exactly zero
    offsets, exponents = near_one(train - origin)
    deviation = offsets.std(axis=0)
    scaled: Array = np.divide(
        np.ldexp(test - origin, exponents) - offsets.mean(axis=0),
        deviation,
        out=np.zeros_like(test),
        where=deviation > 0,
    )
    return scaled


def column_correlation(a: Array, b: Array) -> Array:
    """Pearson's of the columns; 0 where either is constant."""
    constant = (a == a[0]).all(axis=0) | (b == b[0]).all(axis=0)
    a, b = (near_one(near_one(side)[0] - near_one(side)[0].mean(axis=0))[0] for side in (a, b))
    norms = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    products = (a * b).sum(axis=0)
    some = ~constant & ~(norms <= 0)  # NaN stays NaN
    r: Array = np.divide(products, norms, out=np.zeros_like(norms), where=some)
    return r
