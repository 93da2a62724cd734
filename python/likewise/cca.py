"""Canonical correlation analysis: mean correlations, SVCCA and projection-weighted CCA."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from likewise._border.arrays import Array
from likewise._border.pairs import Pair, give_scores, read_pair
from likewise._border.types import AnyArray, ArrayT, score_function
from likewise.measure import EngineMeasure, Found, is_number, register
from likewise.measure.moments import (
    Moments,
    UnitMoments,
    directions_at_most,
    principal_axes,
    whitening,
)

__all__ = ["CCA", "PWCCA", "SVCCA", "canonical_correlations", "cca", "pwcca", "svcca"]


@dataclass(frozen=True)
class _CanonicalMeasure(EngineMeasure):
    """What the measures of canonical correlations share."""

    name: ClassVar[str]
    streamable: ClassVar[bool] = True
    flexible: ClassVar[bool] = True
    kinds: ClassVar[int] = 2
    weighted: ClassVar[bool] = False

    @property
    def invariances(self) -> frozenset[str]:
        return frozenset({"translation", "isotropic_scaling", "permutation", "orthogonal"})

    def _spectrum(self) -> tuple[float, float]:
        """Regularisation, and the share of the variance that is kept."""
        return 0.0, 1.0

    def fill_scores(self, library: Any, a: list[Any], b: list[Any], *out: Any) -> Any:
        a, b = ([self._wide(library, item) for item in side] for side in (a, b))
        return library.engine.cca_scores(a, b, *out, self._options(), library.run)

    def fill_pairs(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        x, y = self._wide(library, x), self._wide(library, y)
        return library.engine.cca_pairs(x, y, *out, self._options(), library.run)

    def fill_correlations(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        """All of them instead of their mean."""
        return library.engine.canonical_correlations(x, y, *out, self._options(), library.run)

    def reordered(self, library: Any, x: Any, y: Any, orders: Array) -> Any:
        x, y = self._wide(library, x), self._wide(library, y)
        return self.in_orders(library, "cca_reordered", x, y, orders, self._options())

    def dropped(self, found: Found) -> int:
        return int(found.counts[1][~found.constant].sum())

    def _wide(self, library: Any, x: Any) -> Any:
        # Weights depend on singular vectors, which rounding to float32 may turn.
        return library.cast(x, np.dtype(np.float64)) if self.weighted else x

    def _options(self) -> tuple[float, float, bool]:
        return *self._spectrum(), self.weighted

    def _read(self, x: Any, y: Any, check_finite: bool) -> Pair:
        # The engine meets NaN and infinity on its way; they are looked for only if it did.
        return read_pair(self.name, x, y, check_finite=check_finite, look=False)

    def from_moments(self, moments: Sequence[Moments]) -> Array:
        """From whitened cross moments ``W'X'YV`` with ``W'X'XW = I``, or less with a ridge."""
        (m,) = moments
        rows = [self._whitening(item, m.samples) for item in m.rows()]
        same = m.columns() is m.rows()
        columns = rows if same else [self._whitening(item, m.samples) for item in m.columns()]
        scores = np.full((len(rows), len(columns)), np.nan)
        for (i, left), (j, right) in itertools.product(enumerate(rows), enumerate(columns)):
            if not left.size or not right.size:
                continue
            p, rho, _ = np.linalg.svd(left.T @ m.cross(i, j) @ right, full_matrices=False)
            weights = np.ones_like(rho)
            if self.weighted:
                weights = np.abs(p.T @ left.T @ m.rows()[i].gram).sum(axis=1)
            scores[i, j] = (weights * np.minimum(rho, 1)).sum() / weights.sum()
        dropped = 0
        if self._spectrum()[1] == 1:
            seen = zip(m.rows(), rows, strict=True)
            others = () if same else zip(m.columns(), columns, strict=True)
            dropped = sum(
                directions_at_most(item.gram, m.samples) - white.shape[1]
                for item, white in (*seen, *others)
            )
        m.warn(self.name, dropped=dropped)
        return scores

    def _whitening(self, item: UnitMoments, samples: int) -> Array:
        regularization, variance = self._spectrum()
        if item.is_constant:
            return np.empty((len(item.gram), 0))
        white = whitening(item.gram, samples)
        if not regularization and variance == 1:
            return white
        values, white = principal_axes(item.gram, white)
        if variance < 1:
            shares = np.cumsum(values[::-1]) / values.sum()
            kept = int(np.searchsorted(shares, variance)) + 1
            values, white = values[-kept:], white[:, -kept:]
        ridge = regularization * values.sum() / (len(item.gram) - item.constant_units)
        ridged: Array = white * np.sqrt(values / (values + ridge))
        return ridged


@register
@dataclass(frozen=True)
class CCA(_CanonicalMeasure):
    """Mean canonical correlation; see :func:`cca`."""

    regularization: float = 0.0

    name: ClassVar[str] = "cca"

    def __post_init__(self) -> None:
        if not (is_number(self.regularization) and 0 <= self.regularization < np.inf):
            raise ValueError(f"cca: regularization must be at least 0, got {self.regularization!r}")

    @property
    def invariances(self) -> frozenset[str]:
        always = super().invariances
        return always if self.regularization else always | {"invertible"}

    def _spectrum(self) -> tuple[float, float]:
        return float(self.regularization), 1.0


@register
@dataclass(frozen=True)
class SVCCA(_CanonicalMeasure):
    """CCA of the leading principal components; see :func:`svcca`."""

    variance: float = 0.99

    name: ClassVar[str] = "svcca"

    def __post_init__(self) -> None:
        if not (is_number(self.variance) and 0 < self.variance <= 1):
            raise ValueError(f"svcca: variance must be in (0, 1], got {self.variance!r}")

    def _spectrum(self) -> tuple[float, float]:
        return 0.0, float(self.variance)


@register
class PWCCA(_CanonicalMeasure):
    """Projection-weighted CCA; see :func:`pwcca`."""

    name = "pwcca"
    symmetric = False
    weighted = True

    @property
    def invariances(self) -> frozenset[str]:
        # Any invertible map of y, but weights are sums over the units of x.
        return frozenset({"translation", "isotropic_scaling", "permutation"})


@score_function
def cca(
    x: AnyArray[Any], y: AnyArray[Any], *, regularization: float = 0.0, check_finite: bool = True
) -> Any:
    """Mean canonical correlation of two representations.

    ``mean_k rho_k`` over the ``min(rank x, rank y)`` singular values ``rho`` of ``Zx'Zy``, where
    ``Zx = X (X'X)^(-1/2)`` on the span of the centred ``X`` (Hotelling 1936; Raghu et al. 2017).
    Which directions there are is decided on units scaled to unit norm, in float64 whatever the
    input: those with singular values above ``max(n, d) * eps`` of the largest one. Scaling units
    changes nothing then, and copies or combinations of units count once; a
    :class:`DegenerateWarning` says how many directions were dropped. (A stream keeps sums of
    products only, which resolve singular values down to about 1e-7 of the largest.)
    Range [0, 1]; 1 for representations that are invertible linear maps of each other, and also,
    with as many units as samples, for any two: a :class:`SmallSampleWarning` says so.

    Parameters
    ----------
    x, y
        ``(..., n, dx)`` and ``(..., n, dy)``, batch axes broadcast.
    regularization
        Ridge added to every covariance, in units of its mean diagonal:
        ``X'X + regularization * tr(X'X) / d * I``. Correlations shrink towards 0 along directions
        of little variance.
    check_finite
        Look for NaN and infinity first.

    Returns
    -------
    ``(...)``; NaN for a constant representation.

    Raises
    ------
    ValueError
        A negative regularization, different numbers of samples, fewer than 2 samples, no units, NaN
        or infinity.
    InputTypeError
        For inputs that cannot be used as they are (complex, sparse, mixed libraries).
    ConvergenceError
        If an SVD does not converge; names the items.

    Warns
    -----
    DegenerateWarning, SmallSampleWarning
    """
    return CCA(regularization)(x, y, check_finite=check_finite)


def canonical_correlations(
    x: AnyArray[ArrayT],
    y: AnyArray[ArrayT],
    *,
    regularization: float = 0.0,
    check_finite: bool = True,
) -> ArrayT:
    """All canonical correlations of two representations (Hotelling 1936).

    The singular values ``rho`` of ``Zx'Zy``, where ``Zx = X (X'X + ridge)^(-1/2)``, descending:
    ``(..., min(dx, dy))``, in [0, 1], zeros beyond the smaller rank. :func:`cca` is their mean
    over that rank; parameters, errors and warnings (in its name) are the same.
    """
    measure = CCA(regularization)
    pair = read_pair("canonical_correlations", x, y, check_finite=check_finite)
    pair = pair._replace(unchecked=check_finite)  # for differences that overflow
    count = min(pair.x.shape[-1], pair.y.shape[-1])
    return give_scores(pair, measure.counted_pairs(pair, measure.fill_correlations, count))


@score_function
def svcca(
    x: AnyArray[Any], y: AnyArray[Any], *, variance: float = 0.99, check_finite: bool = True
) -> Any:
    """Singular vector CCA: the mean canonical correlation of the leading principal components.

    Of each centred representation the fewest components are kept whose singular values hold
    ``sum s_k^2 >= variance * sum s^2``; :func:`cca` of these (Raghu, Gilmer, Yosinski &
    Sohl-Dickstein 2017). Range [0, 1].

    Parameters, errors and warnings are those of :func:`cca`; ``variance`` must be in (0, 1].
    """
    return SVCCA(variance)(x, y, check_finite=check_finite)


@score_function
def pwcca(x: AnyArray[Any], y: AnyArray[Any], *, check_finite: bool = True) -> Any:
    """Projection-weighted CCA: canonical correlations, weighted by what they account for in x.

    ``sum_k alpha_k rho_k / sum_k alpha_k`` with ``alpha_k = sum_j |h_k'x_j|``, ``h_k`` the
    canonical variates and ``x_j`` the centred units of x (Morcos, Raghu & Bengio 2018). Not
    symmetric. Range [0, 1]. With no more samples than ``dx + dy`` some correlations are 1 together,
    their variates arbitrary, and so are, within limits, their weights.

    Parameters, errors and warnings are those of :func:`cca`.
    """
    return PWCCA()(x, y, check_finite=check_finite)
