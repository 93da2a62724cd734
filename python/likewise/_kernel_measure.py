"""What the measures of kernel matrices share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from likewise import _cpu
from likewise._border import engine as _engine
from likewise._border.arrays import Array
from likewise._border.pairs import Pair, empty_scores, give_scores, read_pair
from likewise.errors import (
    DegenerateWarning,
    OverflowWarning,
    warn,
    warn_degenerate,
    warn_small_sample,
)
from likewise.measure import Kind, reordered_products
from likewise.measure.legacy import LegacyMeasure
from likewise.measure.moments import Moments

__all__ = ["Bandwidth", "Estimator", "Kernel", "KernelMeasure"]

Kernel = Literal["linear", "rbf", "polynomial"]
Estimator = Literal["biased", "unbiased"]
Bandwidth = float | tuple[Literal["median"], float]

# What the engine's status codes say about a representation (1 is a constant one).
_NO_BANDWIDTH = 2
_NOT_POSITIVE = 3
_OVERFLOW = 4

# Reordering n x n Gram matrices takes as long per n as this share of a product of features...
_ENTRIES_PER_PRODUCT = 0.15
_MOST_SAMPLES = 8192  # ...and 1 GiB for so many samples
_ROUNDING_OF_SUMS = 64 * np.finfo(np.float64).eps


class _Prepared(NamedTuple):
    array: Array
    mean: Array
    norms: Array
    scale: float
    sigma: float
    constant_units: int


@dataclass(frozen=True)
class KernelMeasure(LegacyMeasure):
    """What CKA and HSIC share."""

    kernel: Kernel = "linear"
    estimator: Estimator = "biased"
    bandwidth: Bandwidth = ("median", 0.5)
    degree: int = 3
    coef0: float = 1.0
    gamma: float | None = None

    name: ClassVar[str]
    normalize: ClassVar[bool]
    kind: ClassVar[Kind] = "similarity"
    symmetric: ClassVar[bool] = True
    is_metric: ClassVar[bool] = False
    differentiable: ClassVar[bool] = True

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

    def prepare(self, items: Sequence[Array]) -> list[_Prepared]:
        """Means, norms of the centred samples and the bandwidth of each item."""
        count = len(items)
        means = [np.empty((2, item.shape[1]), item.dtype) for item in items]
        norms = [np.empty(item.shape[0]) for item in items]
        scales, sigmas = np.empty(count), np.empty(count)
        constants = np.empty(count, np.int64)
        _cpu.kernel_prepare(
            items, means, norms, scales, sigmas, constants, self._options(), _engine.threads()
        )
        rest = zip(scales.tolist(), sigmas.tolist(), constants.tolist(), strict=True)
        return [
            _Prepared(item, mean, norm, *facts)
            for item, mean, norm, facts in zip(items, means, norms, rest, strict=True)
        ]

    def compare(self, a: list[_Prepared], b: list[_Prepared] | None) -> Array:
        """Scores of all pairs; the kernel matrices of all items are streamed once, together."""
        other = a if b is None else b
        scores = np.empty((len(a), len(other)))
        status = np.zeros(len(a), np.int32), np.zeros(len(other), np.int32)
        _cpu.kernel_scores(
            [item[:5] for item in a],
            None if b is None else [item[:5] for item in b],
            scores,
            *status,
            self._options(),
            _engine.threads(),
        )
        seen = a if b is None else a + b
        codes = status[0] if b is None else np.concatenate(status)
        self._warn(codes, np.array([item.constant_units for item in seen], np.int64))
        if scores.size:
            widest = max(item.array.shape[1] for item in seen)
            self._warn_small_sample(a[0].array.shape[0], widest, widest)
        return scores

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
        m.warn(self.name, flexible=self.estimator == "biased")
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

    def _reordered(self, x: Array, y: Array, orders: Iterable[Array]) -> Array:
        """Of the linear kernel: norms do not change, ``|X'Y|^2`` is summed anew for each order."""
        if self.kernel != "linear" or not np.isfinite(self(x, y, check_finite=False)):
            found = [self(x, y[order], check_finite=False) for block in orders for order in block]
            return np.array(found, float)
        n, traces, sides, factor = len(x), [], [], 1.0
        dual = n < _ENTRIES_PER_PRODUCT * x.shape[1] * y.shape[1] and n <= _MOST_SAMPLES
        for side in (x, y):
            centred = side - side[0].astype(np.float64)
            centred -= centred.mean(axis=0)
            scale = max(centred.max(), -centred.min())
            centred /= scale  # squares of squares neither overflow
            norms = np.einsum("ij,ij->i", centred, centred)
            traces.append(norms)
            sides.append(centred @ centred.T if dual else centred)
            if self.normalize:
                inner = centred @ centred.T if n < side.shape[1] else centred.T @ centred
                own = self._linear_hsic(n, (inner**2).sum(), norms.sum() ** 2, (norms**2).sum())
                factor /= np.sqrt(own)
            else:
                factor *= scale
        found = []
        for block in orders:
            fourth = (traces[0] * traces[1][block]).sum(axis=1)
            if dual:
                squares = 2 * reordered_products(sides[0], sides[1], block) + fourth
            else:
                squares = np.array([((sides[0].T @ sides[1][order]) ** 2).sum() for order in block])
            hsic = self._linear_hsic(n, squares, traces[0].sum() * traces[1].sum(), fourth)
            found.append(hsic * factor if self.normalize else hsic * factor * factor)
        return np.concatenate(found)

    def reordered_on_device(self, library: Any, x: Any, y: Any, orders: Array) -> Any:
        """Of all kernels: rows and columns of the kernel matrix of y change places."""
        if orders.shape[1] > _MOST_SAMPLES:
            return None
        scores = library.empty((len(orders),), np.float64)
        library.engine.kernel_reordered(x, y, orders, scores, self._options(), library.run)
        return scores

    def on_device(self, library: Any, a: list[Any], b: list[Any] | None) -> Any:
        """Scores of all pairs of device arrays."""
        scores, *findings = self.scores_on_device(library, a, b)
        self._finish(library, *findings)
        widest = max(item.shape[1] for item in (a if b is None else a + b))
        self._warn_small_sample(a[0].shape[0], widest, widest)
        return scores

    def scores_on_device(self, library: Any, a: list[Any], b: list[Any] | None) -> tuple[Any, ...]:
        """The same without finishing the call, and what there is to warn of."""
        count, other = len(a), len(a if b is None else b)
        scores = library.empty((count, other), np.float64)
        items = count if b is None else count + other
        status, constants = (library.empty((items,), np.int64) for _ in range(2))
        library.engine.kernel_scores(
            a, b or [], b is None, scores, status, constants, self._options(), library.run
        )
        return scores, status, constants

    def _on_device(self, pair: Pair) -> Any:
        library = pair.library
        scores = empty_scores(pair)
        status, constants = (library.empty((2, *pair.batch), np.int64) for _ in range(2))
        library.engine.kernel_pairs(
            pair.x, pair.y, scores, status, constants, self._options(), library.run
        )
        self._finish(library, status, constants)
        self._warn_small_sample(pair.x.shape[-2], pair.x.shape[-1], pair.y.shape[-1])
        return give_scores(pair, scores)

    def _finish(self, library: Any, *findings: Any) -> None:
        found = library.finish(*findings)
        if found is not None:
            self._warn(*found)

    def _fill_gradients(
        self, pair: Pair, scores: Array, by_x: Array | None, by_y: Array | None
    ) -> None:
        status = np.empty((*pair.batch, 2), np.int32)
        constants = np.empty((*pair.batch, 2), np.int64)
        unusual = _cpu.kernel_gradients(
            pair.x,
            pair.y,
            scores,
            status,
            constants,
            by_x,
            by_y,
            self._options(),
            _engine.threads(),
        )
        if unusual:
            self._warn(status, constants)
        self._warn_small_sample(pair.x.shape[-2], pair.x.shape[-1], pair.y.shape[-1])

    def _fill_gradients_on_device(self, pair: Pair, by_x: Any, by_y: Any) -> None:
        library = pair.library
        library.engine.kernel_gradients(pair.x, pair.y, by_x, by_y, self._options(), library.run)

    def __call__(self, x: Any, y: Any, *, check_finite: bool = True) -> Any:
        pair = read_pair(self.name, x, y, check_finite=check_finite, min_samples=self.min_samples)
        if pair.library.engine is not _cpu:
            return self._on_device(pair)
        scores = empty_scores(pair)
        status = np.empty((*pair.batch, 2), np.int32)
        constants = np.empty((*pair.batch, 2), np.int64)
        unusual = _cpu.kernel_scores_paired(
            pair.x, pair.y, scores, status, constants, self._options(), _engine.threads()
        )
        if unusual:
            self._warn(status, constants)
        self._warn_small_sample(pair.x.shape[-2], pair.x.shape[-1], pair.y.shape[-1])
        return give_scores(pair, scores)

    def _bandwidth(self) -> tuple[bool, Any]:
        """Whether it is a multiple of the median distance, and the number."""
        value: Any = self.bandwidth
        if isinstance(value, (tuple, list)):
            named = len(value) == 2 and value[0] == "median"
            return True, value[1] if named else None
        return False, value

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

    def _warn(self, status: Array, constant_units: Array) -> None:
        constant = status == 1
        if constant_units.any() or status.any():
            warn_degenerate(self.name, int(constant_units[~constant].sum()), int(constant.sum()))
        for code, reason in (
            (_NO_BANDWIDTH, "a median distance of 0, pass bandwidth as a number"),
            (_NOT_POSITIVE, f"no positive {self.estimator} HSIC with itself"),
        ):
            count = int((status == code).sum())
            if count:
                warn(
                    f"{self.name}: {count} representation{'s' * (count != 1)} with {reason} "
                    "(score NaN)",
                    DegenerateWarning,
                )
        self._warn_overflow(int((status == _OVERFLOW).sum()))

    def _warn_overflow(self, count: int) -> None:
        if count:
            warn(
                f"{self.name}: {count} representation{'s' * (count != 1)} with a score beyond the "
                "range of its type (inf); it is in units of the product of the two kernels: divide "
                "the samples by their scale, or use cka, which has no units",
                OverflowWarning,
            )

    def _warn_small_sample(self, samples: int, dx: int, dy: int) -> None:
        if self.estimator == "biased":
            warn_small_sample(self.name, samples, dx, dy)


def _positive(value: Any) -> bool:
    try:
        return bool(0 < value < math.inf)
    except TypeError:
        return False
