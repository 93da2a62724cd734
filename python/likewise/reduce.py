"""From feature maps and sequences to representations."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from likewise._border.arrays import Array, read
from likewise._border.types import AnyArray, ArrayT

__all__ = ["reduce"]

Layout = Literal["nchw", "nhwc", "nct", "ntd", "tnd"]
Reduction = Literal["flatten", "mean", "centre", "positions", "first", "last"]

_LAYOUTS = ("nchw", "nhwc", "nct", "ntd", "tnd")
_REDUCTIONS = ("flatten", "mean", "centre", "positions", "first", "last")
_MASKED = "masks have no version for CUDA devices"


def reduce(
    x: AnyArray[ArrayT],
    layout: Layout,
    how: Reduction,
    *,
    mask: Any = None,
    check_finite: bool = True,
) -> ArrayT:
    """Turn feature maps or sequences into representations ``(samples, features)``.

    ============= ====================== ======================================================
    ``how``       result                 meaning
    ============= ====================== ======================================================
    ``flatten``   ``(n, units * p)``     every position is a unit of its own
    ``mean``      ``(n, units)``         average over positions, summed in double
    ``centre``    ``(n, units)``         position ``(h // 2, w // 2)``, ``t // 2``; of masked
                                         ones number ``k // 2`` of the ``k`` that are kept
    ``first``     ``(n, units)``         the first position that is kept
    ``last``      ``(n, units)``         the last position that is kept
    ``positions`` ``(n * p, units)``     every position that is kept is a sample of its own
    ============= ====================== ======================================================

    Parameters
    ----------
    x
        Feature maps ``(n, c, h, w)`` or ``(n, h, w, c)`` of ``p = h * w`` positions and ``c``
        units; sequences ``(n, c, t)``, ``(n, t, d)`` or ``(t, n, d)`` of ``p = t``. Of any
        supported library.
    layout
        Meaning of the axes, ``"nchw"``, ``"nhwc"``, ``"nct"``, ``"ntd"`` or ``"tnd"``; never
        guessed.
    how
        Which reduction; see the table.
    mask
        ``(n, t)`` for sequences: 1 or True where there is a token, 0 or False where there is
        padding. Positions are counted in order of ``t``, wherever the padding stands.
    check_finite
        Look for NaN and infinity first, in padding too.

    Returns
    -------
    2-D array of the same library; float32 for float32 and half precision, float64 otherwise.
    ``flatten`` and ``positions`` may share memory with ``x``, as reshaping does; on a device
    ``flatten`` and the ``positions`` of ``ntd`` and ``nhwc`` do. Padding of device arrays is left
    out on the CPU.

    Raises
    ------
    ValueError
        For an unknown layout or reduction, a wrong number of axes, an empty axis, NaN or infinity;
        a mask of another shape, with other values, of feature maps, or one that keeps nothing of a
        sample; ``flatten`` of padded samples, whose units would not be the same ones.

    Examples
    --------
    >>> import numpy as np, likewise as lw
    >>> hidden = np.arange(12.0).reshape(2, 3, 2)  # two sequences of three tokens
    >>> lw.reduce(hidden, "ntd", "last", mask=[[1, 1, 0], [1, 1, 1]])
    array([[ 2.,  3.],
           [10., 11.]])
    """
    if layout not in _LAYOUTS:
        raise ValueError(f"reduce: layout must be one of {list(_LAYOUTS)}, got {layout!r}")
    if how not in _REDUCTIONS:
        raise ValueError(f"reduce: how must be one of {list(_REDUCTIONS)}, got {how!r}")
    (array,), library = read("reduce", check_finite, x=x)
    if array.ndim != len(layout):
        raise ValueError(
            f"reduce: layout {layout!r} needs {len(layout)} axes, got shape {array.shape}"
        )
    if array.size == 0:
        raise ValueError(f"reduce: every axis of x must be non-empty, got shape {array.shape}")
    sizes = dict(zip(layout, array.shape, strict=True))
    samples, units = sizes["n"], sizes.get("c", sizes.get("d", 1))
    positions = array.size // (samples * units)
    if mask is not None:
        kept = _kept(mask, layout, (samples, positions))
        if not kept.all():
            (host,), library = library.on_cpu([array], _MASKED)
            order = [layout.index(axis) for axis in ("n", "t", "d" if "d" in layout else "c")]
            return library.give(_masked(host.transpose(order), kept, how))
    # Steps in elements of the array as it lies.
    units_first = layout in ("nchw", "nct")
    sample, position, unit = units * positions, units, 1
    if units_first:
        position, unit = 1, positions
    elif layout == "tnd":
        sample, position = units, samples * units
    shape, steps = (samples, positions, units), (sample, position, unit)
    if units_first and how in ("flatten", "mean"):
        shape, steps = (samples, units, positions), (sample, unit, position)
    if how in ("centre", "first", "last"):
        at = positions - 1 if how == "last" else 0
        if how == "centre":
            at = positions // 2 if "t" in layout else _middle(sizes["h"], sizes["w"])
        view = library.strided(array, (samples, units), (sample, unit), at * position)
        result = library.give(library.copied(view))
    elif how == "mean":
        view = library.contiguous(library.strided(array, shape, steps, 0), shape)
        result = library.give(library.position_means(view, units_first, (samples, units)))
    else:
        flat = (samples, units * positions)
        if how == "positions":
            flat = (samples * positions, units)
        if steps != (shape[1] * shape[2], shape[2], 1):  # other than the array lies
            array = library.contiguous(library.strided(array, shape, steps, 0), shape)
        result = library.reshaped(array, flat)
    library.finish()
    return result


def _middle(height: int, width: int) -> int:
    return (height // 2) * width + width // 2


def _kept(mask: Any, layout: str, shape: tuple[int, int]) -> Array:
    """Where there are tokens, as booleans on the CPU."""
    if "t" not in layout:
        raise ValueError(f"reduce: mask goes with sequences, got layout {layout!r}")
    (given,), library = read("reduce", False, mask=mask)
    ((values,), _) = library.on_cpu([given], _MASKED)
    if values.shape != shape:
        raise ValueError(f"reduce: mask must have shape (n, t) = {shape}, got {values.shape}")
    kept: Array = values != 0
    if not np.isin(values, (0, 1)).all():
        raise ValueError(
            f"reduce: mask must hold 0 and 1 only, got {values[~np.isin(values, (0, 1))][0]:g}"
        )
    if not kept.any(axis=1).all():
        empty = int(np.argmin(kept.any(axis=1)))
        raise ValueError(f"reduce: mask must keep a position of every sample, none of {empty}")
    return kept


def _masked(rows: Array, kept: Array, how: str) -> Array:
    """Of rows ``(n, t, units)`` those that are kept."""
    if how == "positions":
        return rows[kept]
    if how == "mean":
        sums = rows.sum(axis=1, dtype=np.float64, where=kept[:, :, np.newaxis])
        means: Array = (sums / kept.sum(axis=1)[:, np.newaxis]).astype(rows.dtype)
        return means
    if how == "flatten":
        raise ValueError(
            "reduce: how='flatten' makes a unit of every position, so mask must keep all of them, "
            f"got one that keeps {int(kept.sum())} of {kept.size}"
        )
    number = {"first": 1, "last": kept.sum(axis=1), "centre": kept.sum(axis=1) // 2 + 1}[how]
    at = np.argmax(kept.cumsum(axis=1) == np.reshape(number, (-1, 1)), axis=1)
    return rows[np.arange(len(rows)), at]
