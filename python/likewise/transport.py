"""Optimal transport, and the soft matching of units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, NamedTuple, overload

import numpy as np

from likewise._border.arrays import Array, read, require_finite
from likewise._border.device import too_large
from likewise._border.pairs import Pair, batch_size, give_scores
from likewise._border.types import AnyArray, ArrayT
from likewise.measure import Kind, register
from likewise.measure.units import Correlation, UnitMeasure

__all__ = ["SoftMatch", "SoftMatching", "Transport", "optimal_transport", "soft_match"]

Score = Literal["similarity", "distance"]

# Sums of given marginals may differ by this much, relatively.
_SUM_TOLERANCE = 1e-6


class Transport(NamedTuple, Generic[ArrayT]):
    """An optimal plan and the proof that it is one; see :func:`optimal_transport`."""

    plan: ArrayT
    """``(..., m, n)``, the mass sent from every row to every column."""
    u: ArrayT
    """``(..., m)`` float64, the dual variables of the rows."""
    v: ArrayT
    """``(..., n)`` float64, the dual variables of the columns."""
    gap: ArrayT
    """``(...)`` float64, at least 0: how far ``sum(plan * cost)`` can be from the optimum."""


class SoftMatch(NamedTuple, Generic[ArrayT]):
    """Units of x with their partners in y, in shares."""

    score: ArrayT
    """``(...)``"""
    plan: ArrayT
    """``(..., dx, dy)``; rows sum to at most ``1 / dx``, columns to at most ``1 / dy``."""


@overload
def optimal_transport(
    cost: AnyArray[ArrayT],
    a: AnyArray[ArrayT] | None = None,
    b: AnyArray[ArrayT] | None = None,
    *,
    return_duals: Literal[False] = False,
    check_finite: bool = True,
) -> ArrayT: ...


@overload
def optimal_transport(
    cost: AnyArray[ArrayT],
    a: AnyArray[ArrayT] | None = None,
    b: AnyArray[ArrayT] | None = None,
    *,
    return_duals: Literal[True],
    check_finite: bool = True,
) -> Transport[ArrayT]: ...


def optimal_transport(
    cost: AnyArray[ArrayT],
    a: AnyArray[ArrayT] | None = None,
    b: AnyArray[ArrayT] | None = None,
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
    both: dict[str, Any] = {"a": a, "b": b}
    given = {name: value for name, value in both.items() if value is not None}
    # With the cost once more: all must come from one library.
    masses = read("optimal_transport", False, cost=cost, **given)[0][1:] if given else []
    why = "masses are given" if given else too_large(library, "most_transported", max(m, n))
    if why:
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

    @property
    def on_devices(self) -> bool:
        return self.mass == 1

    def why_on_cpu(self, library: Any, widest: int) -> str:
        if self.mass < 1:
            return "a part of the mass is transported"
        return too_large(library, "most_transported", widest)

    def empty_partners(self, pair: Pair) -> Any:
        if self.mass < 1 and self.mass < (least := float(np.finfo(pair.x.dtype).tiny)):
            raise ValueError(
                f"soft_match: mass must be at least {least:.3g} for a plan in {pair.x.dtype}, got "
                f"{self.mass!r}"
            )
        return pair.library.empty((*pair.batch, pair.x.shape[-1], pair.y.shape[-1]), pair.x.dtype)

    def fill_scores(self, library: Any, a: list[Any], b: list[Any], *out: Any) -> Any:
        return library.engine.soft_match_scores(a, b, *out, self._options(), library.run)

    def fill_matches(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        return library.engine.soft_match_pairs(x, y, *out, self._options(), library.run)

    def reordered(self, library: Any, x: Any, y: Any, orders: Array) -> Any:
        return self.in_orders(library, "soft_match_reordered", x, y, orders, self._options())

    def match(self, x: Any, y: Any, *, check_finite: bool = True) -> SoftMatch[Any]:
        """The score and the plan."""
        pair = self.there(self._read(x, y, check_finite))
        scores, plan = self.matches(pair)
        return SoftMatch(give_scores(pair, scores), pair.library.give(plan))

    def _options(self) -> tuple[bool, float]:
        return self.score == "distance", float(self.mass)


def soft_match(
    x: AnyArray[ArrayT],
    y: AnyArray[ArrayT],
    *,
    similarity: Correlation = "correlation",
    score: Score = "similarity",
    mass: float = 1.0,
    check_finite: bool = True,
) -> SoftMatch[ArrayT]:
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
