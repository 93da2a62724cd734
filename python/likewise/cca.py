"""Canonical correlation analysis: mean correlations, SVCCA and projection-weighted CCA."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from likewise import _cpu
from likewise._border import engine as _engine
from likewise._border.arrays import Array, require_no_overflow
from likewise._border.pairs import Pair, batch_size, empty_scores, give_scores, read_pair
from likewise.errors import named_convergence, warn_degenerate, warn_small_sample
from likewise.measure import Kind, compare_reordered, is_number, prepare_batch, register
from likewise.measure.legacy import LegacyMeasure
from likewise.measure.moments import (
    DeviceMoments,
    Moments,
    UnitMoments,
    directions_at_most,
    principal_axes,
    whitening,
)

__all__ = ["CCA", "PWCCA", "SVCCA", "canonical_correlations", "cca", "pwcca", "svcca"]


class _Prepared(NamedTuple):
    data: Array
    """Whitened representation, scaled to Frobenius norm 1."""
    norm: float
    constant_units: int
    dropped_directions: int
    loadings: Array
    """Inner products of the whitened directions with the centred units; empty if not wanted."""
    width: int
    """Number of units before whitening."""


@dataclass(frozen=True)
class _CanonicalMeasure(LegacyMeasure):
    """What the measures of canonical correlations share."""

    name: ClassVar[str]
    streamable: ClassVar[bool] = True
    kind: ClassVar[Kind] = "similarity"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    symmetric: ClassVar[bool] = True
    is_metric: ClassVar[bool] = False
    min_samples: ClassVar[int] = 2
    weighted: ClassVar[bool] = False

    @property
    def invariances(self) -> frozenset[str]:
        return frozenset({"translation", "isotropic_scaling", "permutation", "orthogonal"})

    def _spectrum(self) -> tuple[float, float]:
        """Regularisation, and the share of the variance that is kept."""
        return 0.0, 1.0

    def prepare(self, items: Sequence[Array]) -> list[_Prepared]:
        """Whitened items; see ``csrc/cca/cca.h``."""
        # Weights depend on singular vectors, which rounding to float32 may turn.
        exact = [item.astype(np.float64, copy=False) for item in items] if self.weighted else items
        with named_convergence(self.name):
            whitened = _cpu.cca_prepare(
                list(exact), *self._spectrum(), self.weighted, _engine.threads()
            )
        require_no_overflow(self.name, [norm for _, norm, *_ in whitened], items)
        return [
            _Prepared(*facts, item.shape[1]) for facts, item in zip(whitened, items, strict=True)
        ]

    def compare(self, a: list[_Prepared], b: list[_Prepared] | None) -> Array:
        """Scores of all pairs, narrow items merged into large products."""
        scores = self._scores(a, b)
        self._warn(a if b is None else a + b)
        return scores

    def _reordered(self, x: Array, y: Array, orders: Iterable[Array]) -> Array:
        """Each side prepared once: orders of the samples are orders of the prepared rows."""
        return compare_reordered(self, x, y, orders)

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

    def from_device_moments(self, moments: Sequence[DeviceMoments]) -> Any:
        """The same of sums on a device."""
        (m,) = moments
        scores = m.library.empty(m.shape, np.float64)
        dropped = m.dropped()
        m.library.engine.cca_scores_of_moments(
            m.sums, scores, *m.findings, dropped, self._device_options(), m.library.run
        )
        m.warn(self.name, dropped=dropped if self._spectrum()[1] == 1 else None)
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

    def _scores(self, a: list[_Prepared], b: list[_Prepared] | None) -> Array:
        scores = np.empty((len(a), len(a if b is None else b)))
        with named_convergence(self.name):
            _cpu.cca_compare(
                [item.data for item in a],
                [item.norm for item in a],
                [item.loadings for item in a] if self.weighted else [],
                [] if b is None else [item.data for item in b],
                [] if b is None else [item.norm for item in b],
                b is None,
                self.weighted,
                scores,
                _engine.threads(),
            )
        return scores

    def reordered_on_device(self, library: Any, x: Any, y: Any, orders: Array) -> Any:
        """The same of device arrays."""
        scores = library.empty((len(orders),), np.float64)
        wide = [library.cast(side, np.dtype(np.float64)) for side in (x, y)]
        library.engine.cca_reordered(*wide, orders, scores, self._device_options(), library.run)
        return scores

    def on_device(self, library: Any, a: list[Any], b: list[Any] | None) -> Any:
        """Scores of all pairs of device arrays."""
        items = a if b is None else a + b
        scores = library.empty((len(a), len(a if b is None else b)), np.float64)
        self._run_on_device(
            library,
            items,
            lambda wide, *rest: library.engine.cca_scores(
                wide[: len(a)], wide[len(a) :], b is None, scores, *rest
            ),
        )
        return scores

    def _run_on_device(self, library: Any, items: list[Any], run: Callable[..., None]) -> None:
        """Decompositions are made in double, whatever the items are in."""
        counts = [batch_size(item.shape[:-2]) for item in items]
        constants, dropped = (library.empty((sum(counts),), np.int64) for _ in range(2))
        wide = [library.cast(item, np.dtype(np.float64)) for item in items]
        run(wide, constants, dropped, self._device_options(), library.run)
        found = library.finish(constants, dropped)
        if found is None or not sum(counts):
            return
        widths = np.repeat([item.shape[-1] for item in items], counts)
        constant = found[0] == widths
        units, directions = (int(counts[~constant].sum()) for counts in found)
        warn_degenerate(self.name, units, int(constant.sum()), directions)
        warn_small_sample(self.name, items[0].shape[-2], int(widths.max()), 0)

    def _device_options(self) -> tuple[float, float, bool]:
        return *self._spectrum(), self.weighted

    def __call__(self, x: Any, y: Any, *, check_finite: bool = True) -> Any:
        pair = read_pair(self.name, x, y, check_finite=check_finite)
        scores = empty_scores(pair)
        if pair.library.engine is not _cpu:
            engine = pair.library.engine
            self._run_on_device(
                pair.library,
                [pair.x, pair.y],
                lambda wide, *rest: engine.cca_pairs(*wide, scores, *rest),
            )
            return give_scores(pair, scores)
        if self.weighted and scores.size:
            a, b = (prepare_batch(self.prepare, batch) for batch in (pair.x, pair.y))
            scores.flat[:] = [self._scores([p], [q])[0, 0] for p, q in zip(a, b, strict=True)]
            self._warn(_once(a + b))
        if self.weighted:
            return give_scores(pair, scores)
        correlations, ranks = self._correlations(pair)
        if scores.size:
            np.divide(correlations.sum(axis=-1), np.maximum(ranks, 1), out=scores)
        return give_scores(pair, scores)

    def _correlations(self, pair: Pair) -> tuple[Array, Array]:
        """Canonical correlations ``(..., min(dx, dy))``, zeros beyond the rank, and ranks."""
        count = min(pair.x.shape[-1], pair.y.shape[-1])
        values = np.empty((*pair.batch, count))
        ranks = np.empty(pair.batch, np.int64)
        if not ranks.size:
            return values, ranks
        sides = [prepare_batch(self.prepare, batch) for batch in (pair.x, pair.y)]
        with named_convergence(self.name):
            _cpu.canonical_correlations(
                [item.data for item in sides[0]],
                [item.norm for item in sides[0]],
                [item.data for item in sides[1]],
                [item.norm for item in sides[1]],
                values.reshape(-1, count),
                _engine.threads(),
            )
        ranks.flat[:] = [min(a.data.shape[1], b.data.shape[1]) for a, b in zip(*sides, strict=True)]
        self._warn(_once(sides[0] + sides[1]))
        return values, ranks

    def _warn(self, items: list[_Prepared]) -> None:
        varying = [item for item in items if item.norm > 0]
        units = sum(item.constant_units for item in varying)
        dropped = sum(item.dropped_directions for item in varying)
        constant = sum(item.norm == 0 for item in items)
        warn_degenerate(self.name, units, constant, dropped)
        if items:
            warn_small_sample(self.name, len(items[0].data), max(i.width for i in items), 0)


def _once(items: list[_Prepared]) -> list[_Prepared]:
    """Without those that broadcasting repeats."""
    return list({id(item): item for item in items}.values())


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


def cca(x: Any, y: Any, *, regularization: float = 0.0, check_finite: bool = True) -> Any:
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
    x: Any, y: Any, *, regularization: float = 0.0, check_finite: bool = True
) -> Any:
    """All canonical correlations of two representations (Hotelling 1936).

    The singular values ``rho`` of ``Zx'Zy``, where ``Zx = X (X'X + ridge)^(-1/2)``, descending:
    ``(..., min(dx, dy))``, in [0, 1], zeros beyond the smaller rank. :func:`cca` is their mean
    over that rank; parameters, errors and warnings (in its name) are the same.
    """
    measure = CCA(regularization)
    pair = read_pair("canonical_correlations", x, y, check_finite=check_finite)
    if pair.library.engine is _cpu:
        correlations, _ = measure._correlations(pair)
        return give_scores(pair, correlations)
    engine, count = pair.library.engine, min(pair.x.shape[-1], pair.y.shape[-1])
    out = pair.library.empty((*pair.batch, count), np.float64)
    measure._run_on_device(
        pair.library,
        [pair.x, pair.y],
        lambda wide, *rest: engine.canonical_correlations(*wide, out, *rest),
    )
    return give_scores(pair, out)


def svcca(x: Any, y: Any, *, variance: float = 0.99, check_finite: bool = True) -> Any:
    """Singular vector CCA: the mean canonical correlation of the leading principal components.

    Of each centred representation the fewest components are kept whose singular values hold
    ``sum s_k^2 >= variance * sum s^2``; :func:`cca` of these (Raghu, Gilmer, Yosinski &
    Sohl-Dickstein 2017). Range [0, 1].

    Parameters, errors and warnings are those of :func:`cca`; ``variance`` must be in (0, 1].
    """
    return SVCCA(variance)(x, y, check_finite=check_finite)


def pwcca(x: Any, y: Any, *, check_finite: bool = True) -> Any:
    """Projection-weighted CCA: canonical correlations, weighted by what they account for in x.

    ``sum_k alpha_k rho_k / sum_k alpha_k`` with ``alpha_k = sum_j |h_k'x_j|``, ``h_k`` the
    canonical variates and ``x_j`` the centred units of x (Morcos, Raghu & Bengio 2018). Not
    symmetric. Range [0, 1]. With no more samples than ``dx + dy`` some correlations are 1 together,
    their variates arbitrary, and so are, within limits, their weights.

    Parameters, errors and warnings are those of :func:`cca`.
    """
    return PWCCA()(x, y, check_finite=check_finite)
