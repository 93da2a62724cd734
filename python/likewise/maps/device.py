"""Maps of device arrays: what scikit-learn's estimators do, where the arrays are.

Fitted attributes are arrays of the caller's library on its device, ``coef_`` and ``intercept_``
with the floats of the data, others in float64; scores are numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from likewise._border import device as _device
from likewise._border.arrays import read
from likewise.errors import InputTypeError

__all__ = ["Rows", "Side", "fit", "is_there", "plan_score", "predict", "scores"]


class Side(NamedTuple):
    """The columns of a representation about their means, as arrays of the engine."""

    data: Any
    mean: Any
    deviation: Any


def is_there(*arrays: Any) -> bool:
    """Whether any of these is on a device."""
    return any(map(_device.is_device_array, arrays))


def fit(estimator: Any, x: Any, y: Any) -> None:
    """Fit a map that has ``_weights_on_device``: ``W (dx, dy)`` and further attributes."""
    (source, target), library = _read_pair(estimator, "fit", x, y, min_samples=2)
    sides = [_centred(library, side) for side in (source, target)]
    weights, attributes = estimator._weights_on_device(library, *sides)
    dx, dy = weights.shape
    single = target.ndim == 1
    coef = library.empty((dx,) if single else (dy, dx), np.float64)
    intercept = library.empty(() if single else (dy,), np.float64)
    means = [side.mean for side in sides]
    library.engine.map_describe(weights, *means, coef, intercept, library.run)
    library.finish()
    estimator.n_features_in_ = dx
    estimator._one_dimensional = single
    estimator._source_mean, estimator._target_mean = map(library.give, means)
    narrow = {
        "coef_": library.cast(coef, source.dtype),
        "intercept_": library.cast(intercept, source.dtype),
    }
    for name, value in (narrow | attributes).items():
        setattr(estimator, name, library.give(value))


def predict(estimator: Any, x: Any) -> Any:
    """``x`` as the target would see it."""
    (source,), library = _read(estimator, "predict", X=x)
    out = _predicted(estimator, library, source)
    library.finish()
    return library.give(out)


def scores(estimator: Any, method: str, x: Any, y: Any) -> tuple[float, float]:
    """Correlation and R2 of the predictions, mean over targets."""
    (source, target), library = _read_pair(estimator, method, x, y, min_samples=1)
    predicted = _predicted(estimator, library, source)
    if predicted.shape != target.shape:
        raise ValueError(
            f"{library.function}: y must have shape {predicted.shape}, got {target.shape}"
        )
    out = library.empty((2,), np.float64)
    library.engine.map_scores(predicted, target, out, library.run)
    library.finish()
    correlation, determination = library.host(out).tolist()
    return correlation, determination


def plan_score(estimator: Any, x: Any, y: Any) -> float:
    """``<plan, correlation of the units of x and y> / mass``."""
    (source, target), library = _read_pair(estimator, "plan_score", x, y, min_samples=2)
    plan = _fitted(estimator, library, "plan_")
    wide = [library.cast(side, np.dtype(np.float64)) for side in (source, target)]
    widths = source.shape[1], _width(target)
    if plan.shape != widths:
        raise ValueError(
            f"{library.function}: X and y must have as many units as in the fit, {plan.shape}, "
            f"got {widths}"
        )
    out = library.empty((2,), np.float64)
    library.engine.map_plan_score(plan, *wide, out, library.run)
    library.finish()
    inner, mass = library.host(out)
    with np.errstate(invalid="ignore"):
        return float(inner / mass)


class Rows:
    """Samples of the two arrays of a cross-validation, gathered and turned on their device."""

    def __init__(self, x: Any, y: Any) -> None:
        (source, target), self._library = read("cross_validate", False, x=x, y=y)
        self.x, self.y = self._library.give(source), self._library.give(target)

    def take(self, array: Any, rows: Any) -> Any:
        """``array[rows]``."""
        library = self._library
        view = library.view("rows", array)
        out = library.empty((len(rows), *view.shape[1:]), view.dtype)
        library.engine.gather_rows([view], rows.astype(np.int32), [out], library.run)
        return library.give(out)

    def times(self, array: Any, rotation: Any) -> Any:
        """``array @ rotation`` with a square NumPy array."""
        library = self._library
        view = library.view("rows", array)
        turned, origin = library.empty(rotation.shape, np.float64), rotation.shape[:1]
        library.engine.upload(np.ascontiguousarray(rotation.T), turned, library.run)
        zeros = library.zeros(origin, np.float64)
        out = library.empty(view.shape, view.dtype)
        library.engine.map_predict(view, turned, zeros, zeros, out, library.run)
        return library.give(out)


def _read(estimator: Any, method: str, **arrays: Any) -> tuple[list[Any], Any]:
    name = type(estimator).__name__
    views, library = read(f"{name}.{method}", True, **arrays)
    if not isinstance(library, _device.DeviceLibrary):
        place = _device.library_name(estimator.coef_)
        raise InputTypeError(
            f"{name}.{method}: the map was fitted on {place}, and X is on the CPU; move X there"
        )
    x = views[0]
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(
            f"{library.function}: X must have shape (n_samples, n_features), none of them 0, got "
            f"{x.shape}"
        )
    expected = x.shape[1] if method == "fit" else estimator.n_features_in_
    if x.shape[1] != expected:
        raise ValueError(
            f"X has {x.shape[1]} features, but {name} is expecting {expected} features as input"
        )
    return views, library


def _read_pair(
    estimator: Any, method: str, x: Any, y: Any, min_samples: int
) -> tuple[list[Any], Any]:
    (source, target), library = _read(estimator, method, X=x, y=y)
    if target.ndim not in (1, 2) or target.shape[0] != source.shape[0] or not target.size:
        raise ValueError(
            f"{library.function}: X and y must have shapes (n, dx) and (n, dy) or (n,) with the "
            f"same number of samples, got {source.shape} and {target.shape}"
        )
    if source.shape[0] < min_samples:
        raise ValueError(
            f"{library.function}: at least {min_samples} samples are needed, got {source.shape[0]}"
        )
    return [source, target], library


def _centred(library: Any, side: Any) -> Side:
    columns = _width(side)
    data, mean, deviation = (
        library.empty(shape, np.float64)
        for shape in ((side.shape[0], columns), (columns,), (columns,))
    )
    library.engine.map_centre(side, data, mean, deviation, library.run)
    return Side(data, mean, deviation)


def _predicted(estimator: Any, library: Any, x: Any) -> Any:
    coef, mean_x, mean_y = (
        library.cast(_fitted(estimator, library, name), np.dtype(np.float64))
        for name in ("coef_", "_source_mean", "_target_mean")
    )
    shape = x.shape[:1] if estimator._one_dimensional else (x.shape[0], mean_y.size)
    out = library.empty(shape, x.dtype)
    library.engine.map_predict(x, coef, mean_x, mean_y, out, library.run)
    return out


def _fitted(estimator: Any, library: Any, name: str) -> Any:
    value = getattr(estimator, name)
    place = _device.library_name(value) if _device.is_device_array(value) else "the CPU"
    if place != library.name:
        raise InputTypeError(
            f"{library.function}: the map was fitted on {place}, and X is from {library.name}; "
            "move X there"
        )
    return library.view(name, value)


def _width(side: Any) -> int:
    return 1 if side.ndim == 1 else int(side.shape[1])
