"""From feature maps and sequences to representations."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from likewise._array import Array, read

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
    ``flatten`` and ``positions`` may share memory with ``x``, as reshaping does.

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
    # (samples, positions, units)
    if layout == "nchw":
        n, c, h, w = array.shape
        maps = array.reshape(n, c, h * w).swapaxes(1, 2)
        centre = (h // 2) * w + w // 2
        flat = array.reshape(n, -1)
    else:
        maps = array
        centre = array.shape[1] // 2
        flat = array.reshape(array.shape[0], -1)
    result: Array
    if how == "flatten":
        result = flat
    elif how == "mean":
        result = maps.mean(axis=1, dtype=np.float64).astype(array.dtype)
    elif how == "centre":
        result = maps[:, centre, :]
    else:
        result = maps.reshape(-1, maps.shape[2])
    return library.give(np.ascontiguousarray(result))
