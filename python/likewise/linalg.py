"""Decompositions of whole batches: singular values, nuclear norm, polar factors.

They work at every scale: what is computed neither overflows nor vanishes, and results that the
dtype does not hold are infinite, or 0.
"""

from __future__ import annotations

from typing import Any, Generic, NamedTuple

import numpy as np

from likewise._border.arrays import read
from likewise._border.engine import named_convergence
from likewise._border.tracking import is_tracked, tracked
from likewise._border.types import AnyArray, ArrayT

__all__ = [
    "OrthogonalProcrustes",
    "Polar",
    "nuclear_norm",
    "orthogonal_procrustes",
    "polar",
    "svdvals",
]


class Polar(NamedTuple, Generic[ArrayT]):
    """The factors of ``A = U P``."""

    u: ArrayT
    p: ArrayT


class OrthogonalProcrustes(NamedTuple, Generic[ArrayT]):
    """The rotation and the sum of singular values, in SciPy's order."""

    r: ArrayT
    scale: ArrayT


def svdvals(a: AnyArray[ArrayT], *, check_finite: bool = True) -> ArrayT:
    """Singular values ``(..., min(m, n))`` of ``a (..., m, n)``, descending.

    LAPACK's ``gesdd``, and ``gesvd`` where that does not converge; one-sided Jacobi rotations on a
    CUDA device.

    Raises
    ------
    ValueError
        For fewer than two axes, NaN or infinity.
    ConvergenceError
        If neither driver converges; names the items of the batch.
    """
    array, library = _matrices("svdvals", a, check_finite)
    *batch, m, n = array.shape
    out = library.empty((*batch, min(m, n)), array.dtype)
    if array.size:
        with named_convergence("svdvals"):
            library.engine.svdvals(array, out, library.run)
    library.finish()
    return library.give(out)


def nuclear_norm(a: AnyArray[ArrayT], *, check_finite: bool = True) -> ArrayT:
    """Nuclear norm ``(...)`` of ``a (..., m, n)``: the sum of its singular values, in ``[0, inf)``.

    ``|A|_* = sum_k s_k = trace((A'A)^(1/2))``. The matrix is reduced to bidiagonal form without
    being squared, and the sum of square roots is a rational approximation that does not iterate:
    backward stable, and nothing can fail to converge. Computed in double precision. On a CUDA
    device ``<P, A>`` with the polar factor P by products alone, in the precision of ``a``: relative
    error about 1e-6 in float32, 1e-12 in float64. The gradient of torch tensors that require grad
    is the polar factor.

    Raises
    ------
    ValueError
        For fewer than two axes, NaN or infinity.
    """
    if is_tracked(a):
        return tracked("tracked_nuclear_norm")(a, check_finite)
    array, library = _matrices("nuclear_norm", a, check_finite)
    batch, empty = array.shape[:-2], 0 in array.shape[-2:]
    out = library.zeros(batch, np.float64) if empty else library.empty(batch, np.float64)
    if array.size:
        library.engine.nuclear_norm(array, out, library.run)
    with np.errstate(over="ignore"):  # a sum that float32 does not hold is infinite
        result = library.cast(out, array.dtype)
    library.finish()
    return library.give(result)


def polar(a: AnyArray[ArrayT], *, check_finite: bool = True) -> Polar[ArrayT]:
    """Polar decomposition ``A = U P`` of ``a (..., m, n)``, as ``scipy.linalg.polar``.

    ``U (..., m, n)`` has orthonormal columns (rows if m < n), ``P (..., n, n)`` is symmetric
    positive semidefinite. ``U`` is the closest such matrix to ``A`` in every unitarily invariant
    norm (Higham 2008, ch. 8). From the SVD ``A = W S V'``: ``U = W V'``, ``P = V S V'``.

    Raises
    ------
    ValueError
        For fewer than two axes, NaN or infinity.
    ConvergenceError
        If the SVD does not converge; names the items of the batch.
    """
    array, library = _matrices("polar", a, check_finite)
    *batch, m, n = array.shape
    u, p = (library.zeros((*batch, k, n), array.dtype) for k in (m, n))
    if array.size:
        with named_convergence("polar"):
            library.engine.polar(array, u, p, library.run)
    library.finish()
    return Polar(library.give(u), library.give(p))


def orthogonal_procrustes(
    a: AnyArray[ArrayT], b: AnyArray[ArrayT], *, check_finite: bool = True
) -> OrthogonalProcrustes[ArrayT]:
    """The orthogonal matrix that maps ``a`` closest to ``b``, as ``scipy.linalg``'s.

    ``R = argmin |A R - B|_F`` over orthogonal matrices, ``R = U V'`` from the SVD
    ``A'B = U S V'`` (Schoenemann 1966). Nothing is centred or scaled.

    Parameters
    ----------
    a, b
        Arrays ``(..., n, d)`` of equal shape up to broadcasting of the leading axes.

    Returns
    -------
    OrthogonalProcrustes
        ``r (..., d, d)`` and ``scale (...)``, the sum of the singular values of ``A'B``.

    Raises
    ------
    ValueError
        For shapes that differ, NaN or infinity.
    ConvergenceError
        If the SVD does not converge; names the items of the batch.
    """
    (x, y), library = read("orthogonal_procrustes", check_finite, a=a, b=b)
    if x.ndim < 2 or y.ndim < 2 or x.shape[-2:] != y.shape[-2:]:
        raise ValueError(
            "orthogonal_procrustes: a and b must have the same shape (..., n, d), got "
            f"{x.shape} and {y.shape}"
        )
    try:
        batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    except ValueError:
        raise ValueError(
            "orthogonal_procrustes: the leading (batch) axes of a and b must broadcast, got "
            f"shapes {x.shape} and {y.shape}"
        ) from None
    shape = batch + x.shape[-2:]
    d = shape[-1]
    r, scale = library.zeros((*batch, d, d), x.dtype), library.zeros(batch, x.dtype)
    if d:
        x, y = library.broadcast(x, shape), library.broadcast(y, shape)
        with named_convergence("orthogonal_procrustes"):
            library.engine.orthogonal_procrustes(x, y, r, scale, library.run)
    library.finish()
    return OrthogonalProcrustes(library.give(r), library.give(scale))


def _matrices(function: str, a: Any, check_finite: bool) -> tuple[Any, Any]:
    (array,), library = read(function, check_finite, a=a)
    if array.ndim < 2:
        raise ValueError(f"{function}: a must have shape (..., m, n), got {array.shape}")
    return array, library
