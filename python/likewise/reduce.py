"""From feature maps and sequences to representations."""

from __future__ import annotations

from typing import Literal

from likewise._border.arrays import read
from likewise._border.types import AnyArray, ArrayT

__all__ = ["reduce"]

_AXES = {"nchw": 4, "ntd": 3}


def reduce(
    x: AnyArray[ArrayT],
    layout: Literal["nchw", "ntd"],
    how: Literal["flatten", "mean", "centre", "positions"],
    *,
    check_finite: bool = True,
) -> ArrayT:
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
    units_first = layout == "nchw"
    sample, position, unit = units * positions, units, 1
    if units_first:
        position, unit = 1, positions
    if how == "flatten":
        result = library.reshaped(array, (samples, units * positions))
    elif how == "mean":
        result = library.give(library.position_means(array, units_first, (samples, units)))
    elif how == "centre":
        view = library.strided(array, (samples, units), (sample, unit), centre * position)
        result = library.give(library.contiguous(view, view.shape))
    elif units_first:
        shape = samples, positions, units
        view = library.strided(array, shape, (sample, position, unit), 0)
        result = library.reshaped(library.contiguous(view, shape), (samples * positions, units))
    else:
        result = library.reshaped(array, (samples * positions, units))
    library.finish()
    return result
