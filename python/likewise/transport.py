"""Optimal transport, and the soft matching of units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from likewise import _cpu
from likewise._border import engine as _engine
from likewise._border.arrays import Array, read, require_finite
from likewise._border.device import too_large
from likewise._border.pairs import batch_size, empty_scores, give_scores, read_pair
from likewise.measure import Kind, register
from likewise.measure.units import Similarity, UnitMeasure, Units, engine_lists

__all__ = ["SoftMatch", "SoftMatching", "Transport", "optimal_transport", "soft_match"]

Score = Literal["similarity", "distance"]

# Sums of given marginals may differ by this much, relatively.
_SUM_TOLERANCE = 1e-6


class Transport(NamedTuple):
    """An optimal plan and the proof that it is one; see :func:`optimal_transport`."""

    plan: Any
    """``(..., m, n)``, the mass sent from every row to every column."""
    u: Any
    """``(..., m)`` float64, the dual variables of the rows."""
    v: Any
    """``(..., n)`` float64, the dual variables of the columns."""
    gap: Any
    """``(...)`` float64, at least 0: how far ``sum(plan * cost)`` can be from the optimum."""


class SoftMatch(NamedTuple):
    """Units of x with their partners in y, in shares."""

    score: Any
    """``(...)``"""
    plan: Any
    """``(..., dx, dy)``; rows sum to at most ``1 / dx``, columns to at most ``1 / dy``."""


def optimal_transport(
    cost: Any,
    a: Any = None,
    b: Any = None,
    *,
    return_duals: bool = False,
    check_finite: bool = True,
) -> Any:
    """The cheapest plan to send masses ``a`` of the rows to masses ``b`` of the columns, exactly.

    ``min over P >= 0 of sum_ij P_ij cost_ij`` with row sums ``a`` and column sums ``b``
    (Kantorovich 1942), by successive shortest paths. Masses are whole multiples of at most 2^-52 of
    their sum (uniform ones of their greatest common fraction), so that no rounding accumulates in a
    plan.

    Parameters
    ----------
    cost
        ``(..., m, n)``, any real type. ``inf`` forbids a pair.
    a, b
        Masses ``(..., m)`` and ``(..., n)``, at least 0, with equal sums (to 1e-6 of them, taken up
        by scaling ``b``). The default of either is the sum of the other (or 1) in equal parts.
    return_duals
        Return a :class:`Transport`: the plan with its certificate.
    check_finite
        On CPUs taken for the sake of uniformity: infinite costs have a meaning here, and the look
        for impossible ones is part of the search. On a device False leaves out the wait for its
        answer; a problem without a solution is then NaN.

    Returns
    -------
    plan
        ``(..., m, n)`` in the dtype of the cost. With equal uniform masses a permutation matrix
        divided by ``n``. Of several optima any may be returned.

    Raises
    ------
    ValueError
        "matrix contains invalid numeric entries" (NaN, ``-inf``), "cost matrix is infeasible",
        fewer than two axes, masses of another shape, negative, not finite, or of unequal sums.
    InputTypeError
        For inputs that cannot be used as they are (complex, sparse, mixed libraries).
    """
    (array,), library = read("optimal_transport", check_finite, look=False, cost=cost)
    if array.ndim < 2:
        raise ValueError(f"optimal_transport: cost must have shape (..., m, n), got {array.shape}")
    batch, (m, n) = array.shape[:-2], array.shape[-2:]
    if m == 0 or n == 0:
        raise ValueError(
            f"optimal_transport: cost must have at least one row and one column, got shape "
            f"{array.shape}"
        )
    given = {name: value for name, value in (("a", a), ("b", b)) if value is not None}
    # With the cost once more: all must come from one library.
    masses = read("optimal_transport", False, cost=cost, **given)[0][1:] if given else []
    why = "masses are given" if library.engine is not _cpu and given else ""
    if why := why or too_large(library, "most_transported", max(m, n)):
        (array, *masses), library = library.on_cpu([array, *masses], why)
    supply, demand = _marginals(dict(zip(given, masses, strict=True)), batch, m, n)
    plan = library.empty(array.shape, array.dtype)
    u, v, gap = (library.empty((*batch, *shape), np.float64) for shape in ((m,), (n,), ()))
    library.engine.transport(array, supply, demand, plan, u, v, gap, library.run)
    library.finish(items=batch_size(batch))
    result = Transport(*map(library.give, (plan, u, v, gap)))
    return result if return_duals else result.plan


def _marginals(
    given: dict[str, Array], batch: tuple[int, ...], m: int, n: int
) -> tuple[Array | None, Array | None]:
    """Masses ``(..., m)`` and ``(..., n)`` of equal sums; None if both are uniform."""
    if not given:
        return None, None
    masses: dict[str, Array] = {}
    for name, array in given.items():
        require_finite("optimal_transport", name, array)
        shape = (*batch, m if name == "a" else n)
        try:
            mass = np.ascontiguousarray(np.broadcast_to(array, shape), np.float64)
        except ValueError:
            raise ValueError(
                f"optimal_transport: {name} must have shape {shape}, got {array.shape}"
            ) from None
        if (mass < 0).any() or (mass.sum(axis=-1) == 0).any():
            raise ValueError(
                f"optimal_transport: {name} must be at least 0 with a positive sum, got masses "
                f"from {array.min()} to {array.max()}"
            )
        masses[name] = mass
    if "a" not in masses:
        masses["a"] = np.repeat(masses["b"].sum(axis=-1, keepdims=True) / m, m, axis=-1)
    if "b" not in masses:
        masses["b"] = np.repeat(masses["a"].sum(axis=-1, keepdims=True) / n, n, axis=-1)
    sums = masses["a"].sum(axis=-1, keepdims=True), masses["b"].sum(axis=-1, keepdims=True)
    if (abs(sums[0] - sums[1]) > _SUM_TOLERANCE * sums[0]).any():
        raise ValueError(
            "optimal_transport: a and b must have equal sums, got "
            f"{sums[0].ravel()[0]} and {sums[1].ravel()[0]}"
        )
    return masses["a"], np.ascontiguousarray(masses["b"] * (sums[0] / sums[1]))


@register
@dataclass(frozen=True)
class SoftMatching(UnitMeasure):
    """Soft matching of units; see :func:`soft_match`."""

    score: Score = "similarity"
    mass: float = 1.0

    name: ClassVar[str] = "soft_match"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.score not in ("similarity", "distance"):
            raise ValueError(
                f"soft_match: score must be 'similarity' or 'distance', got {self.score!r}"
            )
        if not (isinstance(self.mass, (int, float)) and 0 < self.mass <= 1):
            raise ValueError(f"soft_match: mass must be in (0, 1], got {self.mass!r}")

    @property
    def kind(self) -> Kind:
        return self.score

    @property
    def range(self) -> tuple[float, float]:
        return (0.0, 2.0 * math.sqrt(self.mass)) if self.score == "distance" else (-1.0, 1.0)

    @property
    def is_metric(self) -> bool:
        return self.score == "distance" and self.mass == 1

    def compare(self, a: list[Units], b: list[Units] | None) -> Array:
        """Scores of all pairs; correlations come from merged products."""
        scores = np.empty((len(a), len(a if b is None else b)))
        lists = engine_lists(a, b)
        distance, mass = self.score == "distance", float(self.mass)
        _cpu.soft_match_cross(distance, mass, *lists, scores, _engine.threads())
        self.warn_of(a if b is None else a + b)
        return scores

    @property
    def has_cuda(self) -> bool:
        return self.mass == 1

    def on_device(self, library: Any, a: list[Any], b: list[Any] | None) -> Any:
        """Scores of all pairs of device arrays."""
        widths = np.array([item.shape[1] for item in (a if b is None else a + b)])
        if why := too_large(library, "most_transported", int(widths.max())):
            return library.compare_on_cpu(self, a, b, why)
        scores = library.empty((len(a), len(a if b is None else b)), np.float64)
        constants = library.empty(widths.shape, np.int64)
        library.engine.soft_match_cross(
            self.score == "distance", a, b or [], b is None, scores, constants, library.run
        )
        if counts := library.finish(constants):
            self._warn(widths, counts[0])
        return scores

    def __call__(self, x: Any, y: Any, *, check_finite: bool = True) -> Any:
        return self.match(x, y, check_finite=check_finite).score

    def match(self, x: Any, y: Any, *, check_finite: bool = True) -> SoftMatch:
        """The score and the plan."""
        pair = read_pair(self.name, x, y, check_finite=check_finite, min_samples=self.min_samples)
        widths = pair.x.shape[-1], pair.y.shape[-1]
        if not self.has_cuda:
            pair = pair.on_cpu("a part of the mass is transported")
        elif why := too_large(pair.library, "most_transported", max(widths)):
            pair = pair.on_cpu(why)
        library = pair.library
        if self.mass < 1 and self.mass < (least := float(np.finfo(pair.x.dtype).tiny)):
            raise ValueError(
                f"soft_match: mass must be at least {least:.3g} for a plan in {pair.x.dtype}, got "
                f"{self.mass!r}"
            )
        scores = empty_scores(pair)
        plan = library.empty((*pair.batch, *widths), pair.x.dtype)
        constants = library.empty((*pair.batch, 2), np.int64)
        library.engine.soft_match(
            self.score == "distance",
            float(self.mass),
            pair.x,
            pair.y,
            scores,
            plan,
            constants,
            library.run,
        )
        match = SoftMatch(give_scores(pair, scores), library.give(plan))
        if counts := library.finish(constants):
            self.warn_of_pair(pair, counts[0])
        return match


def soft_match(
    x: Any,
    y: Any,
    *,
    similarity: Similarity = "correlation",
    score: Score = "similarity",
    mass: float = 1.0,
    check_finite: bool = True,
) -> SoftMatch:
    """Match the units of two representations of any widths in shares, by exact optimal transport.

    Over plans ``P >= 0`` with row sums ``1 / dx`` and column sums ``1 / dy``::

        similarity   max sum_ij P_ij S_ij             in [-1, 1]
        distance     sqrt(min sum_ij P_ij |a_i - b_j|^2)    in [0, 2], a metric

    ``S`` holds the Pearson correlations over samples of the units of x and y, ``a_i`` and ``b_j``
    are the centred units, scaled to unit norm (Khosla & Williams 2023, "Soft matching distance").
    With equal widths the plan is the best permutation, divided by the width. With ``mass < 1`` row
    and column sums are upper limits, the plan sends only this mass, wherever it costs least, and
    the similarity is divided by it. float32 correlations have the error that
    :func:`permutation_match` names.

    Parameters
    ----------
    x, y
        ``(..., n, dx)`` and ``(..., n, dy)``, batch axes broadcast.
    similarity
        "correlation". A constant unit has correlation 0 with every unit, distance 1 from units that
        vary and 0 from other constant ones.
    score
        "similarity" or "distance".
    mass
        In (0, 1], and no less than the dtype of the plan holds (2e-308, 1e-38 in float32).
    check_finite
        Look for NaN and infinity first.

    Returns
    -------
    SoftMatch
        ``score (...)`` and ``plan (..., dx, dy)``. A constant representation scores NaN and sends
        nothing.

    Raises
    ------
    ValueError
        An unknown similarity or score, a mass outside (0, 1], different numbers of samples, fewer
        than 2 samples, no units, NaN or infinity.
    InputTypeError
        For inputs that cannot be used as they are (complex, sparse, mixed libraries).

    Warns
    -----
    DegenerateWarning
        Constant units or representations, with their number.
    """
    return SoftMatching(similarity, score, mass).match(x, y, check_finite=check_finite)
