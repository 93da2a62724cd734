"""Centred kernel alignment (CKA) and the Hilbert-Schmidt independence criterion (HSIC)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from likewise._kernel_measure import Bandwidth, Estimator, Kernel, KernelMeasure
from likewise.measure import register

__all__ = ["CKA", "HSIC", "cka", "hsic"]


@register
class CKA(KernelMeasure):
    """Centred kernel alignment; see :func:`cka`."""

    name = "cka"
    normalize = True

    @property
    def range(self) -> tuple[float, float]:
        return (-1.0, 1.0) if self.estimator == "unbiased" else (0.0, 1.0)


@register
class HSIC(KernelMeasure):
    """Hilbert-Schmidt independence criterion; see :func:`hsic`."""

    name = "hsic"
    normalize = False
    least_for_interval = 200

    @property
    def range(self) -> tuple[float, float]:
        return (-math.inf, math.inf) if self.estimator == "unbiased" else (0.0, math.inf)

    @property
    def reference(self) -> HSIC:
        """The unbiased estimate may be a difference of large numbers even of x and x."""
        return replace(self, estimator="biased")


def cka(
    x: Any,
    y: Any,
    *,
    kernel: Kernel = "linear",
    estimator: Estimator = "biased",
    bandwidth: Bandwidth = ("median", 0.5),
    degree: int = 3,
    coef0: float = 1.0,
    gamma: float | None = None,
    check_finite: bool = True,
) -> Any:
    """Centred kernel alignment: ``HSIC(x, y) / sqrt(HSIC(x, x) HSIC(y, y))``.

    The same estimator of HSIC (:func:`hsic`) above and below the line. 1 for representations that
    are equal up to what the kernel does not see (linear: rotation, translation, one scale).

    ``estimator="biased"`` (Gretton et al. 2005) is in [0, 1] and far above 0 for unrelated data
    when samples are few: about ``d / (n + d)`` for independent Gaussians. ``"unbiased"`` (Song et
    al. 2012) is 0 on average there and in [-1, 1]: negative values are returned as they are.

    Parameters
    ----------
    x, y
        Representations ``(..., n_samples, dx)`` and ``(..., n_samples, dy)``; rows are the same
        stimuli. Leading axes are a batch and broadcast.
    kernel
        Of rows ``a``, ``b`` of the centred representation: ``"linear"`` ``a'b``; ``"rbf"``
        ``exp(-|a - b|^2 / (2 sigma^2))``; ``"polynomial"`` ``(gamma a'b + coef0)^degree``.
    estimator
        Of HSIC, see above.
    bandwidth
        ``sigma`` of the rbf kernel, or ``("median", f)``: f times the median distance of two
        different samples (pairs ``i < j``, the mean of the two middle values), per representation.
    degree, coef0, gamma
        Of the polynomial kernel; ``gamma=None`` is 1 / number of units.
    check_finite
        Look for NaN and infinity first.

    Returns
    -------
    Scores ``(...)`` in the library of the inputs. NaN, with a ``DegenerateWarning``, for a constant
    representation, a median distance of 0, or an unbiased HSIC of a representation with itself that
    is not positive.

    Torch tensors that require grad get gradients in closed form: with the projected kernel matrices
    ``C(K)`` and ``C(L)`` (``HKH``; unbiased: U-centred, Szekely & Rizzo 2014)
    ``dCKA/dK = C(L) / (|C(K)| |C(L)|) - CKA C(K) / |C(K)|^2``, then the kernel's derivative,
    through a median bandwidth too.

    Raises
    ------
    ValueError
        For unknown options, shapes that do not match, fewer than 2 (unbiased: 4) samples, NaN or
        infinity.
    InputTypeError
        For inputs that cannot be used as they are (complex, sparse, mixed libraries).

    References
    ----------
    Kornblith, Norouzi, Lee & Hinton, "Similarity of neural network representations revisited",
    ICML 2019. Song, Smola, Gretton, Bedo & Borgwardt, "Feature selection via dependence
    maximization", JMLR 13, 2012.
    """
    measure = CKA(kernel, estimator, bandwidth, degree, coef0, gamma)
    return measure(x, y, check_finite=check_finite)


def hsic(
    x: Any,
    y: Any,
    *,
    kernel: Kernel = "linear",
    estimator: Estimator = "biased",
    bandwidth: Bandwidth = ("median", 0.5),
    degree: int = 3,
    coef0: float = 1.0,
    gamma: float | None = None,
    check_finite: bool = True,
) -> Any:
    """Hilbert-Schmidt independence criterion of two representations.

    With the kernel matrices ``K`` and ``L`` of the rows and ``H = I - 11'/n``::

        biased    tr(K H L H) / (n - 1)^2
        unbiased  [tr(K~ L~) + 1'K~1 1'L~1 / ((n - 1)(n - 2)) - 2 / (n - 2) 1'K~L~1] / (n (n - 3))

    where ``K~`` and ``L~`` are ``K`` and ``L`` with a zero diagonal. In [0, inf) and (-inf, inf),
    in units of the product of the two kernels; 0 in the mean for independent data if unbiased.

    Parameters, errors and the meaning of NaN are those of :func:`cka`; gradients too, with
    ``dHSIC/dK`` a multiple of ``C(L)``. Infinity, with an ``OverflowWarning``, for scores beyond
    the range of the inputs' type.

    References
    ----------
    Gretton, Bousquet, Smola & Schoelkopf, "Measuring statistical dependence with Hilbert-Schmidt
    norms", ALT 2005. Song et al., JMLR 13, 2012 (unbiased).
    """
    measure = HSIC(kernel, estimator, bandwidth, degree, coef0, gamma)
    return measure(x, y, check_finite=check_finite)
