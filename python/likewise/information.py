"""Mutual information between units, from binned activations."""

from __future__ import annotations

import numpy as np

from likewise._border.arrays import NUMPY, Array


def bin_edges(x: Array, bins: int) -> Array:
    """Edges ``(d, bins - 2)`` between quantiles of the values of each unit that are not zero.

    Zeros, which a rectifier makes many of, have the first bin for themselves.
    """
    shares = np.arange(1, bins - 1) / (bins - 1)
    edges = np.zeros((x.shape[1], bins - 2))
    for unit, column in enumerate(x.T):
        values = column[column != 0]
        if values.size:
            edges[unit] = np.quantile(values.astype(np.float64), shares)
    return edges


def unit_codes(x: Array, edges: Array) -> Array:
    """Bin of every value, ``(d, n)``: 0 for zeros, then by ``edges``; NaN in any."""
    codes = np.empty((x.shape[1], x.shape[0]), np.uint8)
    for unit, column in enumerate(x.T):
        codes[unit] = 1 + np.searchsorted(edges[unit], column, side="right")
        codes[unit][column == 0] = 0
    return codes


def unknown_units(x: Array) -> Array:
    """Which units have a NaN, as only an unchecked call may, ``(d,)``."""
    return np.asarray(np.isnan(x).any(axis=0))


def mutual_information(x: Array, y: Array, bins: int, correct: bool) -> Array:
    """``(dx, dy)`` in nats, for ``x (n, dx)`` and ``y (n, dy)``; NaN for units that have one."""
    codes_x, codes_y = (unit_codes(side, bin_edges(side, bins)) for side in (x, y))
    out = np.empty((x.shape[1], y.shape[1]))
    NUMPY.engine.mutual_information(codes_x, codes_y, bins, correct, out, NUMPY.run)
    out[unknown_units(x)] = out[:, unknown_units(y)] = np.nan
    return out


def joint_counts(x: Array, y: Array, edges: tuple[Array, Array]) -> Array:
    """Joint histograms ``(dx, dy, bins, bins)`` of the units of two networks.

    The first count of a pair with NaN is negative, and stays so when histograms are added.
    """
    bins = edges[0].shape[1] + 2
    codes_x, codes_y = map(unit_codes, (x, y), edges)
    counts = np.zeros((len(codes_x), len(codes_y), bins, bins), np.int64)
    NUMPY.engine.add_joint_counts(codes_x, codes_y, counts, NUMPY.run)
    counts[unknown_units(x)[:, None] | unknown_units(y), 0, 0] -= NUMPY.engine.UNKNOWN_PAIR
    return counts


def information_of_counts(counts: Array, correct: bool) -> Array:
    """The same from joint histograms ``(dx, dy, bins, bins)``."""
    out = np.empty(counts.shape[:2])
    flat = counts.reshape(-1, *counts.shape[2:])
    NUMPY.engine.information_of_counts(flat, correct, out.reshape(-1), NUMPY.run)
    return out
