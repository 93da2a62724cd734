"""From feature maps and sequences to representations."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from likewise import _cpu
from likewise._border.arrays import Array, read

__all__ = ["reduce"]

_AXES = {"nchw": 4, "ntd": 3}


def reduce(
    x: Any,
    layout: Literal["nchw", "ntd"],
    how: Literal["flatten", "mean", "centre", "positions"],
    *,
    check_finite: bool = True,
) -> Any:
    """Turn feature maps ``(n, c, h, w)`` or sequences ``(n, t, d)`` into ``(samples, features)``.

    ============= ======================= ================ ====================================
    ``how``       nchw                    ntd              meaning
    ============= ======================= ================ ====================================
    ``flatten``   ``(n, c * h * w)``      ``(n, t * d)``   every position is a unit of its own
    ``mean``      ``(n, c)``              ``(n, d)``       average over positions
    ``centre``    ``(n, c)``              ``(n, d)``       position ``(h // 2, w // 2)``, ``t // 2``
    ``positions`` ``(n * h * w, c)``      ``(n * t, d)``   every position is a sample of its own
    ============= ======================= ================ ====================================

    Parameters
    ----------
    x
        Feature maps or sequences of any supported library.
    layout
        Meaning of the axes; never guessed.
    how
        Which reduction; see the table.
    check_finite
        Look for NaN and infinity first.

    Returns
    -------
    2-D array of the same library; float32 for float32 and half precision, float64 otherwise.
    ``flatten`` and ``positions`` may share memory with ``x``, as reshaping does; on a device
    ``flatten`` and the ``positions`` of sequences do.

    Raises
    ------
    ValueError
        For an unknown layout or reduction, a wrong number of axes, an empty axis, NaN or infinity.
    """
    if layout not in _AXES:
        raise ValueError(f"reduce: layout must be one of {list(_AXES)}, got {layout!r}")
    if how not in ("flatten", "mean", "centre", "positions"):
        raise ValueError(
            f"reduce: how must be one of ['flatten', 'mean', 'centre', 'positions'], got {how!r}"
        )
    (array,), library = read("reduce", check_finite, x=x)
    if array.ndim != _AXES[layout]:
        raise ValueError(
            f"reduce: layout {layout!r} needs {_AXES[layout]} axes, got shape {array.shape}"
        )
    if array.size == 0:
        raise ValueError(f"reduce: every axis of x must be non-empty, got shape {array.shape}")
    if layout == "nchw":
        samples, units, height, width = array.shape
        positions = height * width
        centre = (height // 2) * width + width // 2
    else:
        samples, positions, units = array.shape
        centre = positions // 2
    if library.engine is not _cpu:
        sizes = _Sizes(samples, positions, units, centre, layout == "nchw")
        result = _reduced_on_device(array, library, sizes, how)
        library.finish()
        return result
    maps = array.reshape(samples, units, positions).swapaxes(1, 2) if layout == "nchw" else array
    reduced: Array
    if how == "flatten":
        reduced = array.reshape(samples, -1)
    elif how == "mean":
        reduced = maps.mean(axis=1, dtype=np.float64).astype(array.dtype)
    elif how == "centre":
        reduced = maps[:, centre, :]
    else:
        reduced = maps.reshape(-1, units)
    return library.give(np.ascontiguousarray(reduced))


class _Sizes(NamedTuple):
    samples: int
    positions: int
    units: int
    centre: int
    units_first: bool


def _reduced_on_device(array: Any, library: Any, sizes: _Sizes, how: str) -> Any:
    samples, positions, units, centre, units_first = sizes
    if how == "flatten":
        return library.reshaped(array, (samples, units * positions))
    if how == "positions" and not units_first:
        return library.reshaped(array, (samples * positions, units))
    if how == "mean":
        out = library.empty((samples, units), array.dtype)
        library.engine.position_means(array, units_first, out, library.run)
        return library.give(out)
    sample, position, unit = (units * positions, *((1, positions) if units_first else (units, 1)))
    if how == "centre":
        view = array.strided((samples, units), (sample, unit), centre * position)
        out = library.empty((samples, units), array.dtype)
    else:
        view = array.strided((samples, positions, units), (sample, position, unit), 0)
        out = library.empty((samples * positions, units), array.dtype)
    library.engine.copy(view, out, library.run)
    return library.give(out)
