"""Representational dissimilarity matrices (RDMs)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from likewise._border.arrays import NUMPY, Array, read
from likewise._border.pairs import require_representation
from likewise._border.types import AnyArray, ArrayT
from likewise.errors import DegenerateWarning, warn
from likewise.measure.frames import near_one

__all__ = ["rdm"]

Dissimilarity = Literal[
    "correlation", "cosine", "euclidean", "sqeuclidean", "mahalanobis", "crossnobis"
]

DISSIMILARITIES = ("correlation", "cosine", "euclidean", "sqeuclidean")

_CHUNK_BYTES = 16 * 2**20


def rdm(
    x: AnyArray[ArrayT],
    *,
    dissimilarity: Dissimilarity = "correlation",
    precision: AnyArray[ArrayT] | None = None,
    check_finite: bool = True,
) -> ArrayT:
    """Dissimilarities of all pairs of samples, condensed as SciPy's ``pdist`` does it.

    ``out[k]`` belongs to the k-th pair ``i < j``, row by row. With samples ``x_i``::

        correlation   1 - corr(x_i, x_j), over units
        cosine        1 - cos(x_i, x_j)
        euclidean     |x_i - x_j|
        sqeuclidean   |x_i - x_j|^2
        mahalanobis   sqrt((x_i - x_j)' precision (x_i - x_j))
        crossnobis    mean of (x_i - x_j)' precision (y_i - y_j) over all pairs of different repeats
                      x and y (Walther et al. 2016): the squared Mahalanobis distance without the
                      bias of noise, so that it may be negative; not divided by the units

    Computed in double, each to a relative error below 1e-12 (Mahalanobis: times the condition of
    the precision), also between nearly equal samples, far from the origin or beside a unit of great
    size; equal samples are at exactly 0, parallel ones too under an angle. A sample whose units are
    all equal (correlation) or zero (cosine) is at 1 from every other, with a
    :class:`DegenerateWarning`. Squared distances beyond the largest number are infinite.

    Parameters
    ----------
    x
        ``(..., n, d)``, at least 2 samples; of "crossnobis" ``(..., repeats, n, d)``.
    dissimilarity
        See above; SciPy's names.
    precision
        Inverse covariance of the noise ``(d, d)``, symmetric and positive definite; "mahalanobis"
        needs it, "crossnobis" takes it (default: the identity), nothing else does.
    check_finite
        Look for NaN and infinity first.

    Returns
    -------
    ``(..., n (n - 1) / 2)`` in the dtype and library of x.

    Raises
    ------
    ValueError
        An unknown dissimilarity; a precision that is missing, not wanted, of another shape or not
        positive definite; fewer than 2 samples, no units, NaN or infinity.
    InputTypeError
        For inputs that cannot be used as they are (complex, sparse, mixed libraries).
    """
    _require_dissimilarity(dissimilarity, precision)
    if dissimilarity not in DISSIMILARITIES:
        return _of_noise(x, dissimilarity, precision, check_finite)
    (array,), library = read("rdm", check_finite, x=x)
    require_representation("rdm", "x", array, 2)
    *batch, n, _ = array.shape
    out = library.empty((*batch, n * (n - 1) // 2), array.dtype)
    without = library.zeros(tuple(batch), np.int64)
    library.engine.rdm(array, out, without, dissimilarity, False, library.run)
    if found := library.finish(without):
        warn_without("rdm", int(found[0].sum()), dissimilarity)
    return library.give(out)


def _of_noise(x: Any, dissimilarity: str, precision: Any, check_finite: bool) -> Any:
    """Dissimilarities whose unit is the noise."""
    (array,), library = read("rdm", check_finite, x=x)
    require_representation("rdm", "x", array, 2)
    root = None
    if precision is not None:
        (matrix,), other = read("rdm", True, precision=precision)
        if type(other) is not type(library):
            read("rdm", False, x=x, precision=precision)  # which says that one must be moved
        root = _precision_root(other.on_cpu([matrix])[0][0])
    (array,), library = library.on_cpu([array])
    if dissimilarity == "crossnobis":
        return library.give(_crossnobis(array, root))
    n = array.shape[-2]
    out = np.empty((*array.shape[:-2], n * (n - 1) // 2), array.dtype)
    assert root is not None
    _fill_mahalanobis(array, root, out)
    return library.give(out)


def _require_dissimilarity(dissimilarity: str, precision: Any) -> None:
    """Raise ``ValueError`` for an unknown one, for a precision that is missing or not wanted."""
    names = (*DISSIMILARITIES, "mahalanobis", "crossnobis")
    if dissimilarity not in names:
        known = ", ".join(map(repr, names))
        raise ValueError(f"rdm: dissimilarity must be one of {known}, got {dissimilarity!r}")
    if precision is None and dissimilarity == "mahalanobis":
        raise ValueError("rdm: dissimilarity='mahalanobis' needs a precision (d, d)")
    if precision is not None and dissimilarity in DISSIMILARITIES:
        raise ValueError("rdm: precision goes with 'mahalanobis' and 'crossnobis' alone")


def _precision_root(matrix: Array) -> Array:
    """L of precision = L L'."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"rdm: precision must have shape (d, d), got {matrix.shape}")
    if not np.allclose(matrix, matrix.T, rtol=1e-6):
        raise ValueError("rdm: precision must be symmetric")
    try:
        return np.linalg.cholesky(matrix.astype(np.float64))
    except np.linalg.LinAlgError:
        raise ValueError("rdm: precision must be positive definite") from None


def _require_square(precision: Any, units: int) -> None:
    if precision.shape != (units, units):
        raise ValueError(f"rdm: precision must have shape {(units, units)}, got {precision.shape}")


def fill_rdm(array: Array, dissimilarity: str, out: Array, *, in_units: bool = False) -> int:
    """Fills the condensed RDMs, in the dtype of NumPy's array or float64; returns the number of
    samples without variance or length.

    ``in_units``: distances in units of a power of two in which the largest of each RDM is near 1.
    """
    without = np.zeros(array.shape[:-2], np.int64)
    NUMPY.engine.rdm(array, out, without, dissimilarity, in_units, NUMPY.run)
    return int(without.sum())


def _fill_mahalanobis(array: Array, root: Array, out: Array) -> None:
    points = _whitened(array, root)
    distances = np.empty(out.shape)
    fill_rdm(points, "euclidean", distances)
    # Nearly equal samples: from the difference, which whitening has rounded.
    sizes = np.abs(points).max(axis=-1)
    first, second = np.triu_indices(array.shape[-2], 1)
    step = max(_CHUNK_BYTES // (8 * array.shape[-1]), 1)
    for index in np.ndindex(array.shape[:-2]):
        bounds = np.maximum(sizes[index][first], sizes[index][second])
        near = np.flatnonzero(distances[index] < 1e-3 * bounds)
        for begin in range(0, len(near), step):
            some = near[begin : begin + step]
            differences = array[index][first[some]].astype(np.float64) - array[index][second[some]]
            distances[index][some] = np.linalg.norm(differences @ root, axis=-1)
    out[...] = distances


def _whitened(array: Array, root: Array) -> Array:
    """Samples in float64 whose Euclidean distances are the Mahalanobis distances of these."""
    _require_square(root, array.shape[-1])
    centred = array.astype(np.float64)
    centred -= centred.mean(axis=-2, keepdims=True)
    return np.asarray(centred @ root)


def warn_without(function: str, without: int, dissimilarity: str) -> None:
    if without:
        warn(
            f"{function}: {without} sample{'s' * (without != 1)} without "
            f"{'variance' if dissimilarity == 'correlation' else 'length'} (dissimilarity 1)",
            DegenerateWarning,
        )


def warn_flat(function: str, flat: int) -> None:
    if flat:
        warn(
            f"{function}: {flat} RDM{'s' * (flat != 1)} whose entries are all equal (score NaN)",
            DegenerateWarning,
        )


def warn_clipped(function: str, clipped: int) -> None:
    if clipped:
        warn(
            f"{function}: {clipped} RDM{'s' * (clipped != 1)} without squared Euclidean distances "
            "(negative eigenvalues of second moments count as 0)",
            DegenerateWarning,
        )


def _require_repeats(repeats: Any) -> None:
    if repeats.ndim < 3 or repeats.shape[-3] < 2:
        raise ValueError(
            "rdm: dissimilarity='crossnobis' needs x of shape (..., repeats, n, d) with at least 2 "
            f"repeats, got {repeats.shape}"
        )


def _crossnobis(repeats: Array, root: Array | None) -> Array:
    """All pairs of repeats at once: the sum of all inner products minus those within repeats."""
    _require_repeats(repeats)
    data = repeats.astype(np.float64) if root is None else _whitened(repeats, root)
    data, exponents = near_one(data, axis=(-3, -2, -1))
    count, n = data.shape[-3], data.shape[-2]
    within = np.empty((*data.shape[:-2], n * (n - 1) // 2))
    of_mean = np.empty((*data.shape[:-3], n * (n - 1) // 2))
    fill_rdm(data, "sqeuclidean", within)
    fill_rdm(data.mean(axis=-3), "sqeuclidean", of_mean)
    across = (count**2 * of_mean - within.sum(axis=-2)) / (count * (count - 1))
    with np.errstate(over="ignore", under="ignore"):  # squares that do not fit are infinite
        across = np.ldexp(across, -2 * exponents[..., 0, 0])
        return np.asarray(across.astype(repeats.dtype, copy=False))
