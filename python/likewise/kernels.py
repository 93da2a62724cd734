"""Centred kernel alignment (CKA) and the Hilbert-Schmidt independence criterion (HSIC)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np

from likewise._border.arrays import NUMPY, Array
from likewise._border.pairs import Pair, read_pair
from likewise._border.types import AnyArray, score_function
from likewise.errors import DegenerateWarning, OverflowWarning, warn
from likewise.measure import EngineMeasure, Found, register
from likewise.measure.moments import Moments

__all__ = ["CKA", "HSIC", "cka", "hsic"]

Kernel = Literal["linear", "rbf", "polynomial"]
Estimator = Literal["biased", "unbiased"]
Bandwidth = float | tuple[Literal["median"], float]

# What the engine's status codes say about a representation (1 is a constant one).
_NO_BANDWIDTH = 2
_NOT_POSITIVE = 3
_OVERFLOW = 4

_ROUNDING_OF_SUMS = 64 * np.finfo(np.float64).eps


def _positive(value: Any) -> bool:
    try:
        return bool(0 < value < math.inf)
    except TypeError:
        return False


@dataclass(frozen=True)
class _KernelMeasure(EngineMeasure):
    """What CKA and HSIC share."""

    kernel: Kernel = "linear"
    estimator: Estimator = "biased"
    bandwidth: Bandwidth = ("median", 0.5)
    degree: int = 3
    coef0: float = 1.0
    gamma: float | None = None

    name: ClassVar[str]
    normalize: ClassVar[bool]
    differentiable: ClassVar[bool] = True
    kinds: ClassVar[int] = 2

    def __post_init__(self) -> None:
        for option, allowed in (
            ("kernel", ("linear", "rbf", "polynomial")),
            ("estimator", ("biased", "unbiased")),
        ):
            value = getattr(self, option)
            if value not in allowed:
                raise ValueError(
                    f"{self.name}: {option} must be one of {', '.join(map(repr, allowed))}, "
                    f"got {value!r}"
                )
        if not _positive(self._bandwidth()[1]):
            raise ValueError(
                f"{self.name}: bandwidth must be a positive number or ('median', factor) with a "
                f"positive factor, got {self.bandwidth!r}"
            )
        if not (_positive(self.degree) and self.degree == int(self.degree)):
            raise ValueError(f"{self.name}: degree must be a positive integer, got {self.degree!r}")
        if self.gamma is not None and not _positive(self.gamma):
            raise ValueError(f"{self.name}: gamma must be positive or None, got {self.gamma!r}")
        if not math.isfinite(self.coef0):
            raise ValueError(f"{self.name}: coef0 must be finite, got {self.coef0!r}")

    @property
    def streamable(self) -> bool:
        return self.kernel == "linear"

    @property
    def flexible(self) -> bool:
        return self.estimator == "biased"

    @property
    def min_samples(self) -> int:
        return 4 if self.estimator == "unbiased" else 2

    @property
    def invariances(self) -> frozenset[str]:
        always = frozenset({"translation", "orthogonal", "permutation"})
        if self.kernel == "linear":
            scaling = self.normalize
        else:
            scaling = self.kernel == "rbf" and self._bandwidth()[0]
        return always | {"isotropic_scaling"} if scaling else always

    def fill_scores(self, library: Any, a: list[Any], b: list[Any], *out: Any) -> Any:
        return library.engine.kernel_scores(a, b, *out, self._options, library.run)

    def fill_pairs(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        return library.engine.kernel_pairs(x, y, *out, self._options, library.run)

    def fill_gradients(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        return library.engine.kernel_gradients(x, y, *out, self._options, library.run)

    def reordered(self, library: Any, x: Any, y: Any, orders: Array) -> Any:
        return self.in_orders(library, "kernel_reordered", x, y, orders, self._options)

    def report(self, found: Found) -> None:
        super().report(found)
        for code, reason in (
            (_NO_BANDWIDTH, "a median distance of 0, pass bandwidth as a number"),
            (_NOT_POSITIVE, f"no positive {self.estimator} HSIC with itself"),
        ):
            count = int((found.counts[1] == code).sum())
            if count:
                warn(
                    f"{self.name}: {count} representation{'s' * (count != 1)} with {reason} "
                    "(score NaN)",
                    DegenerateWarning,
                )
        self._warn_overflow(int((found.counts[1] == _OVERFLOW).sum()))

    def _read(self, x: Any, y: Any, check_finite: bool) -> Pair:
        # The engine meets NaN and infinity on its way; they are looked for only if it did.
        return read_pair(
            self.name, x, y, check_finite=check_finite, min_samples=self.min_samples, look=False
        )

    def from_moments(self, moments: Sequence[Moments]) -> Array:
        """Of the linear kernel: ``|X'Y|^2`` and, unbiased, sums of fourth powers."""
        (m,) = moments
        rows, columns = m.rows(), m.columns()
        products = np.empty((len(rows), len(columns)))
        for i, j in np.ndindex(products.shape):
            fourth = m.fourth(i, j) if self.estimator == "unbiased" else 0.0
            traces = np.trace(rows[i].gram) * np.trace(columns[j].gram)
            products[i, j] = self._linear_hsic(
                m.samples, (m.cross(i, j) ** 2).sum(), traces, fourth
            )
        constant = [[item.is_constant for item in side] for side in (rows, columns)]
        products[np.logical_or.outer(*map(np.array, constant))] = np.nan
        m.warn(self.name, flexible=self.flexible)
        if not self.normalize:
            scores = products
            of_rows, of_columns = (frame.unit for frame in m.frames)
            with np.errstate(over="ignore"):
                for _ in range(2):  # one by one: products of units may be infinite, and scores 0
                    scores = scores * of_rows[:, None] * of_columns
            self._warn_overflow(int((np.isinf(scores) & np.isfinite(products)).sum()))
            return np.asarray(scores)
        own = []
        for side, items in enumerate((rows, columns)):
            norms = []
            for k, item in enumerate(items):
                fourth = m.fourth_alone(side, k) if self.estimator == "unbiased" else 0.0
                squares, trace = (item.gram**2).sum(), np.trace(item.gram)
                norm = self._linear_hsic(m.samples, squares, trace**2, fourth)
                # Below this it is rounding of the terms that it is the difference of.
                rounding = _ROUNDING_OF_SUMS * (trace / m.samples) ** 2
                norms.append(np.sqrt(norm) if norm > rounding else np.nan)
            own.append(np.array(norms))
        return np.asarray(products / np.outer(*own))

    def _linear_hsic(self, n: int, squares: Any, traces: Any, fourth: Any) -> Any:
        """From ``|X'Y|^2``, ``tr(X'X) tr(Y'Y)`` and ``sum |x|^2 |y|^2`` of centred samples."""
        if self.estimator == "biased":
            return squares / (n - 1) ** 2
        # Song et al. (2012), whose kernel matrices lack their diagonals.
        return (squares - fourth + traces / ((n - 1) * (n - 2)) - 2 * fourth / (n - 2)) / (
            n * (n - 3)
        )

    def _bandwidth(self) -> tuple[bool, Any]:
        """Whether it is a multiple of the median distance, and the number."""
        value: Any = self.bandwidth
        if isinstance(value, (tuple, list)):
            named = len(value) == 2 and value[0] == "median"
            return True, value[1] if named else None
        return False, value

    @cached_property
    def _options(self) -> tuple[str, str, bool, float, bool, int, float, float]:
        median, bandwidth = self._bandwidth()
        return (
            self.kernel,
            self.estimator,
            self.normalize,
            float(bandwidth),
            median,
            int(self.degree),
            float(self.coef0),
            0.0 if self.gamma is None else float(self.gamma),
        )

    def _warn_overflow(self, count: int) -> None:
        if count:
            warn(
                f"{self.name}: {count} representation{'s' * (count != 1)} with a score beyond the "
                "range of its type (inf); it is in units of the product of the two kernels: divide "
                "the samples by their scale, or use cka, which has no units",
                OverflowWarning,
            )


@register
class CKA(_KernelMeasure):
    """Centred kernel alignment; see :func:`cka`."""

    name = "cka"
    normalize = True

    @property
    def range(self) -> tuple[float, float]:
        return (-1.0, 1.0) if self.estimator == "unbiased" else (0.0, 1.0)


@register
class HSIC(_KernelMeasure):
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


_CKA = CKA()
_at_once = NUMPY.engine.kernel_at_once(_CKA._options)
_PLAIN = (_CKA.kernel, _CKA.estimator, _CKA.bandwidth, _CKA.degree, _CKA.coef0, _CKA.gamma)


@score_function
def cka(
    x: AnyArray[Any],
    y: AnyArray[Any],
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
    options = (kernel, estimator, bandwidth, degree, coef0, gamma)
    plain = options == _PLAIN
    # What torch compiles may not meet the engine on its way.
    if plain and type(x) is np.ndarray and (found := _at_once(x, y)) is not None:
        return found
    measure = _CKA if plain else CKA(*options)
    return measure(x, y, check_finite=check_finite)


@score_function
def hsic(
    x: AnyArray[Any],
    y: AnyArray[Any],
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
