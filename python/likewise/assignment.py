"""Linear assignment, and the matching of units one to one or to their best partners."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, NamedTuple

import numpy as np

from likewise._border.arrays import NUMPY, Array, read
from likewise._border.device import too_large
from likewise._border.pairs import Pair, batch_size, give_scores
from likewise._border.types import AnyArray, ArrayT
from likewise.measure import register
from likewise.measure.units import Correlation, UnitMeasure

__all__ = [
    "Assignment",
    "Match",
    "PermutationMatch",
    "SemiMatch",
    "assignment",
    "linear_sum_assignment",
    "permutation_match",
    "semi_match",
]

# Small problems take about as long as looking these names up.
_at_once = NUMPY.engine.assignment_at_once


class Assignment(NamedTuple, Generic[ArrayT]):
    """An optimal assignment and the proof that it is one; see :func:`assignment`."""

    row_ind: ArrayT
    """``(..., min(m, n))`` int64, ascending."""
    col_ind: ArrayT
    """``(..., min(m, n))`` int64, the column of each of these rows."""
    cost: ArrayT
    """``(...)`` float64, the sum of the assigned costs."""
    u: ArrayT
    """``(..., m)`` float64, the dual variables of the rows."""
    v: ArrayT
    """``(..., n)`` float64, the dual variables of the columns."""
    gap: ArrayT
    """``(...)`` float64, at least 0: how far ``cost`` can be from the optimum."""


class Match(NamedTuple, Generic[ArrayT]):
    """Units of x with their partners in y."""

    score: ArrayT
    """``(...)`` mean similarity of the matched units."""
    assignment: ArrayT
    """``(..., dx)`` int64, the unit of y that each unit of x is matched with, -1 for none."""


def linear_sum_assignment(
    cost: AnyArray[ArrayT], maximize: bool = False, *, check_finite: bool = True
) -> tuple[ArrayT, ArrayT]:
    """The one-to-one assignment of rows to columns with the least sum of costs.

    ``min over one-to-one pairings of sum_k cost[row_ind[k], col_ind[k]]``, with all of the shorter
    side paired. SciPy's contract, for batches as well. Jonker and Volgenant, Computing 38 (1987);
    float32 costs are solved in double, so their optimum is exact too.

    Parameters
    ----------
    cost
        ``(..., m, n)``, any real type. ``inf`` forbids a pair (``-inf`` does, with ``maximize``).
    maximize
        Look for the largest sum.
    check_finite
        On CPUs taken for the sake of uniformity: infinite costs have a meaning here, and the look
        for impossible ones is part of the search. On a device False leaves out the wait for its
        answer; the indices of a problem without a solution are then -1.

    Returns
    -------
    row_ind, col_ind
        ``(..., min(m, n))`` int64 each, rows ascending. Of several optima any may be returned;
        equal costs everywhere give the identity.

    Raises
    ------
    ValueError
        "matrix contains invalid numeric entries": NaN, ``-inf`` (``inf`` with ``maximize``).
        "cost matrix is infeasible": every assignment has a forbidden pair.
        Fewer than two axes.
    """
    if (found := _at_once(cost, maximize)) is not None:
        return found
    array, library = _read_cost("linear_sum_assignment", cost, check_finite)
    if why := too_large(library, "most_assigned", max(array.shape[-2:])):
        (array,), library = library.on_cpu([array], why)
    rows, cols = _empty_pairs(array, library)
    library.engine.linear_sum_assignment(array, bool(maximize), rows, cols, library.run)
    library.finish(items=batch_size(array.shape[:-2]))
    return library.give(rows), library.give(cols)


def assignment(
    cost: AnyArray[ArrayT],
    *,
    maximize: bool = False,
    duals: tuple[AnyArray[ArrayT], AnyArray[ArrayT]] | None = None,
    check_finite: bool = True,
) -> Assignment[ArrayT]:
    """:func:`linear_sum_assignment` with its certificate, and from the duals of a similar problem.

    Linear programming duality: whenever ``u[i] + v[j] <= cost[i, j]`` for all pairs, and the duals
    of the longer side are at most 0, no assignment costs less than ``sum(u) + sum(v)`` (with
    ``maximize``: ``>=``, at least 0, more). ``gap`` is the distance of ``cost`` from that bound,
    summed in double over the slacks of the duals returned: 0 to rounding for every solution. Duals
    of the longer side are 0 where it is left over.

    Parameters
    ----------
    cost, maximize, check_finite
        As in :func:`linear_sum_assignment`.
    duals
        ``(u, v)`` of a neighbouring problem, shapes ``(..., m)`` and ``(..., n)``, for example the
        same layer at the last checkpoint. They only make the search shorter: any finite values
        lead to an optimum. The CUDA engine starts from the costs instead.

    Returns
    -------
    Assignment
        ``row_ind, col_ind, cost, u, v, gap``; all but the indices are float64.

    Raises
    ------
    ValueError
        As in :func:`linear_sum_assignment`; duals of another shape or not finite.
    """
    array, library = _read_cost("assignment", cost, check_finite)
    if why := too_large(library, "most_assigned", max(array.shape[-2:])):
        (array,), library = library.on_cpu([array], why)
        duals = None
    batch, (m, n) = array.shape[:-2], array.shape[-2:]
    start: tuple[Any, Any] = (None, None)
    if duals is not None:
        (u_start, v_start), owner = read("assignment", True, u=duals[0], v=duals[1])
        owner.finish()
        start = (
            _start_dual("u", u_start, (*batch, m), owner),
            _start_dual("v", v_start, (*batch, n), owner),
        )
    rows, cols = _empty_pairs(array, library)
    total, gap, u, v = (
        library.empty((*batch, *shape), np.float64) for shape in ((), (), (m,), (n,))
    )
    library.engine.assignment(
        array, bool(maximize), *start, rows, cols, total, u, v, gap, library.run
    )
    library.finish(items=batch_size(array.shape[:-2]))
    return Assignment(*map(library.give, (rows, cols, total, u, v, gap)))


def _read_cost(function: str, cost: Any, check: bool) -> tuple[Any, Any]:
    (array,), library = read(function, check, look=False, cost=cost)
    if array.ndim < 2:
        raise ValueError(f"{function}: cost must have shape (..., m, n), got {array.shape}")
    return array, library


def _empty_pairs(cost: Any, library: Any) -> tuple[Any, Any]:
    shape = (*cost.shape[:-2], min(cost.shape[-2:]))
    return library.empty(shape, np.int64), library.empty(shape, np.int64)


def _start_dual(name: str, dual: Any, shape: tuple[int, ...], library: Any) -> Any:
    try:
        fits = np.broadcast_shapes(dual.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"assignment: duals {name} must have shape {shape}, got {dual.shape}")
    return library.contiguous(library.cast(dual, np.dtype(np.float64)), shape)


class _HardMatching(UnitMeasure):
    """What the one-to-one and the best-partner matching share."""

    matching: ClassVar[str]
    range: ClassVar[tuple[float, float]] = (-1.0, 1.0)

    def why_on_cpu(self, library: Any, widest: int) -> str:
        return too_large(library, "most_assigned", widest) if self.matching != "semi" else ""

    def empty_partners(self, pair: Pair) -> Any:
        return pair.library.empty((*pair.batch, pair.x.shape[-1]), np.int64)

    def fill_scores(self, library: Any, a: list[Any], b: list[Any], *out: Any) -> Any:
        return library.engine.match_scores(a, b, *out, self.matching, library.run)

    def fill_matches(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        return library.engine.match_pairs(x, y, *out, self.matching, library.run)

    def reordered(self, library: Any, x: Any, y: Any, orders: Array) -> Any:
        return self.in_orders(library, "match_reordered", x, y, orders, self.matching)

    def match(self, x: Any, y: Any, *, check_finite: bool = True) -> Match[Any]:
        """The score and the partners."""
        pair = self.there(self._read(x, y, check_finite))
        scores, partners = self.matches(pair)
        return Match(give_scores(pair, scores), pair.library.give(partners))


@register
class PermutationMatch(_HardMatching):
    """Best one-to-one matching of units; see :func:`permutation_match`."""

    name: ClassVar[str] = "permutation_match"
    matching: ClassVar[str] = "permutation"


@register
class SemiMatch(_HardMatching):
    """Best partner of each unit of x; see :func:`semi_match`."""

    name: ClassVar[str] = "semi_match"
    matching: ClassVar[str] = "semi"
    symmetric: ClassVar[bool] = False


def permutation_match(
    x: AnyArray[ArrayT],
    y: AnyArray[ArrayT],
    *,
    similarity: Correlation = "correlation",
    check_finite: bool = True,
) -> Match[ArrayT]:
    """Match the units of two representations one to one, as similar as possible.

    ``score = max over one-to-one pairings of mean_k S[i_k, j_k]`` over ``min(dx, dy)`` pairs, where
    ``S[i, j]`` is the Pearson correlation over samples of unit ``i`` of x and unit ``j`` of y
    (Li et al. 2015, "Convergent learning", bipartite matching). 1 if the units of one side are the
    other's, reordered, shifted and scaled by positive factors; range [-1, 1]. float32 units are
    standardised in float64 and multiplied in blocks of 256 samples that are summed in float64:
    correlations and scores are then off by at most ``260 * 2**-24 = 1.6e-5``, as a rule by 1e-6.

    Parameters
    ----------
    x, y
        ``(..., n, dx)`` and ``(..., n, dy)``, batch axes broadcast.
    similarity
        "correlation". A constant unit has correlation 0 with every unit.
    check_finite
        Look for NaN and infinity first.

    Returns
    -------
    Match
        ``score (...)`` and ``assignment (..., dx)``, -1 for units of x that are left over. A
        constant representation scores NaN and matches nothing.

    Raises
    ------
    ValueError
        Different numbers of samples, fewer than 2 samples, no units, NaN or infinity.

    Warns
    -----
    DegenerateWarning
        Constant units or representations, with their number.
    """
    return PermutationMatch(similarity).match(x, y, check_finite=check_finite)


def semi_match(
    x: AnyArray[ArrayT],
    y: AnyArray[ArrayT],
    *,
    similarity: Correlation = "correlation",
    check_finite: bool = True,
) -> Match[ArrayT]:
    """Match every unit of x with the most similar unit of y; units of y may be used repeatedly.

    ``score = mean_i max_j S[i, j]`` with ``S`` as in :func:`permutation_match` (Li et al. 2015,
    "Convergent learning", semi-matching). Not symmetric, and never below the score of
    :func:`permutation_match` if ``dx <= dy``; range [-1, 1].

    Parameters, errors and warnings are those of :func:`permutation_match`.

    Returns
    -------
    Match
        ``score (...)`` and ``assignment (..., dx)``, the first of several equally similar units. A
        constant representation scores NaN and matches nothing (-1).
    """
    return SemiMatch(similarity).match(x, y, check_finite=check_finite)
