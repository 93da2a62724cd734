"""What every measure must score, from slow definitions in float64 or extended precision.

An oracle takes two representations and the options of the measure. It raises :class:`Undecided`
where rounding decides (a rank, a tie, a choice) or where the definition leaves the answer open.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from reference import kernels, neighbours, procrustes, regression, rsa, transport
from scipy.optimize import linear_sum_assignment

Array = np.ndarray

EPS = float(np.finfo(np.float64).eps)


class Undecided(Exception):  # noqa: N818
    """Rounding decides, or the definition does not: nothing can be asked."""


def power_of(x: Array) -> int:
    """Exponent of a power of two above all numbers."""
    return int(np.frexp(np.abs(x).max(initial=0))[1])


def near_one(x: Array) -> Array:
    """The numbers in extended precision and in units of a power of two, which rounds nothing."""
    return np.ldexp(x.astype(np.longdouble), -power_of(x))


def centred(x: Array) -> Array:
    """Less the mean, constant units exactly 0; see :func:`near_one`."""
    moved = near_one(x)
    moved = moved - moved[0]
    return moved - moved.mean(axis=0)


def varying(x: Array) -> Array:
    return (x != x[0]).any(axis=0)


def ranked(values: Array, bound: float, near: float = 1e-8) -> Array:
    """Which singular values are above rounding: clearly so, or clearly not."""
    share = values / values[0]
    if ((share > bound / 2) & (share < near)).any():
        raise Undecided("rank")
    return share > bound


def directions(x: Array, units: bool = True) -> tuple[Array, Array]:
    """Principal axes of the samples and singular values, of units of unit norm or as they are."""
    c = centred(x)[:, varying(x)]
    if units:
        c = c / np.sqrt((c**2).sum(axis=0))
    u, s, _ = np.linalg.svd(c.astype(np.float64), full_matrices=False)
    kept = ranked(s, max(x.shape) * EPS)
    return u[:, kept], s[kept]


def constant(*sides: Array) -> bool:
    return any(not varying(side).any() for side in sides)


def canonical_correlations(x: Array, y: Array, regularization: float = 0.0) -> Array:
    """As many as the smaller rank."""
    (u, s), (v, t) = directions(x, not regularization), directions(y, not regularization)
    if regularization:
        u, v = (
            axes * (values / np.sqrt(values**2 + regularization * (values**2).sum() / units))
            for axes, values, units in (
                (u, s, varying(x).sum()),
                (v, t, varying(y).sum()),
            )
        )
    return np.minimum(np.linalg.svd(u.T @ v, compute_uv=False), 1)


def cca(x: Array, y: Array, regularization: float = 0.0) -> float:
    if constant(x, y):
        return np.nan
    return float(canonical_correlations(x, y, regularization).mean())


def svcca(x: Array, y: Array, variance: float = 0.99) -> float:
    if constant(x, y):
        return np.nan
    sides = []
    for side in (x, y):
        u, s = directions(side, units=False)
        shares = np.cumsum(s**2) / (s**2).sum()
        if (abs(shares[:-1] - variance) < 1e-9).any():
            raise Undecided("components that hold this share, but for rounding")
        kept = int((shares < variance).sum()) + 1
        if kept < len(s) and s[kept] > (1 - 1e-6) * s[kept - 1]:
            raise Undecided("one of two components of one variance is kept, any")
        sides.append(u[:, :kept])
    return float(np.minimum(np.linalg.svd(sides[0].T @ sides[1], compute_uv=False), 1).mean())


def pwcca(x: Array, y: Array) -> float:
    if constant(x, y):
        return np.nan
    (u, _), (v, _) = directions(x), directions(y)
    p, rho, _ = np.linalg.svd(u.T @ v, full_matrices=False)
    if (-np.diff(rho) < 1e-5).any():
        raise Undecided("variates of equal correlations are any of a space")
    if len(rho) < u.shape[1] and rho[-1] < 1e-5:
        raise Undecided("a variate of correlation 0 is any of a space")
    weights = np.abs((u @ p).T @ centred(x).astype(np.float64)).sum(axis=1)
    return float(weights @ np.minimum(rho, 1) / weights.sum())


def _own(x: Array, dtype: Any, options: dict[str, Any]) -> Any:
    """HSIC with itself; not positive: 0, or a difference that rounding has made."""
    own = kernels.precise_hsic(x, x, **options)
    if options.get("estimator") == "unbiased":
        # U-centring takes from the kernel what all samples share, and leaves its rounding.
        terms = kernels.precise_hsic(x, x, **{**options, "estimator": "biased"})
        share = own / terms if terms > 0 else 0
        if 0 < share < (1e-3 if dtype == np.float32 else 1e-8):
            raise Undecided("unbiased HSIC is a difference that rounding has made")
    return own


def cka(x: Array, y: Array, **options: Any) -> float:
    if constant(x, y):
        return np.nan
    if options.get("kernel") in (None, "linear"):
        a, b = near_one(x), near_one(y)
    else:  # kernels have units
        a, b = x.astype(np.longdouble), y.astype(np.longdouble)
    own = [_own(side, x.dtype, options) for side in (a, b)]
    if not all(value > 0 for value in own):  # a median distance of 0 too
        return np.nan
    found = kernels.precise_hsic(a, b, **options) / np.sqrt(own[0]) / np.sqrt(own[1])
    return float(found)


def hsic(x: Array, y: Array, **options: Any) -> float:
    if constant(x, y):
        return np.nan
    with np.errstate(over="ignore"):
        return float(kernels.precise_hsic(x, y, **options).astype(x.dtype))


def compared(x: Array, y: Array, score: str = "angular", scale: bool = True) -> float:
    """Procrustes of sides that are centred; NaN where one is 0."""
    if not (x.any() and y.any()):
        return np.nan
    return float(procrustes.procrustes(x, y, center=False, scale=scale, score=score))


def procrustes_score(x: Array, y: Array, **options: Any) -> float:
    """The units are those of the data where nothing is scaled."""
    sides = [centred(side).astype(np.float64) for side in (x, y)]
    if options.get("scale", True):
        return compared(*sides, **options)
    powers = [power_of(side) for side in (x, y)]
    most = max(powers)
    sides = [np.ldexp(side, power - most) for side, power in zip(sides, powers, strict=True)]
    return float(np.ldexp(compared(*sides, **options), most))


def shape_distance(
    x: Array, y: Array, alpha: float = 1.0, center: bool = True, score: str = "angular"
) -> float:
    if not (x.any() and y.any()) or (center and constant(x, y)):
        return np.nan
    return compared(*(_partly_whitened(side, alpha, center) for side in (x, y)), score=score)


def _partly_whitened(x: Array, alpha: float, center: bool) -> Array:
    """``X (alpha I + (1 - alpha) (X'X)^(-1/2))``, scaled; alpha sees the units of the data."""
    z = (centred(x) if center else near_one(x)).astype(np.float64)
    if alpha == 1:
        return z
    u, s, vt = np.linalg.svd(z, full_matrices=False)
    rank = len(directions(x)[1])
    u, s, vt = u[:, :rank], s[:rank], vt[:rank]
    weights = alpha * s + (1 - alpha) * np.ldexp(np.longdouble(1), -power_of(x))
    return (u * (weights / weights.max()).astype(np.float64)) @ vt


def correlations(x: Array, y: Array) -> Array:
    sides = []
    for side in (x, y):
        c = centred(side)
        norms = np.sqrt((c**2).sum(axis=0))
        sides.append(c / np.where(norms > 0, norms, 1))
    return (sides[0].T @ sides[1]).astype(np.float64)


def permutation_match(x: Array, y: Array) -> float:
    if constant(x, y):
        return np.nan
    similarity = correlations(x, y)
    return float(similarity[linear_sum_assignment(similarity, maximize=True)].mean())


def semi_match(x: Array, y: Array) -> float:
    return np.nan if constant(x, y) else float(correlations(x, y).max(axis=1).mean())


def soft_match(x: Array, y: Array, score: str = "similarity", mass: float = 1.0) -> float:
    if constant(x, y):
        return np.nan
    similarity = correlations(x, y)
    part = mass if mass < 1 else None
    if score == "similarity":
        return float(-transport.optimal_cost(-similarity, mass=part) / mass)
    squares = [varying(side).astype(float) for side in (x, y)]
    cost = squares[0][:, None] + squares[1] - 2 * similarity
    return float(np.sqrt(max(0, transport.optimal_cost(cost, mass=part))))


def nearest(x: Array, k: int, metric: str = "cosine", center: bool = True) -> Array:
    """Masks of neighbours; see the tolerance of ties in ``mutual_knn``."""
    tolerance = 1e-6 if x.dtype == np.float32 else 1e-12
    points = near_one(x) if metric == "euclidean" or not center else centred(x)
    rounding = 1e-30  # of parallel samples, and of a sample that is the mean of all
    if metric == "cosine":
        lengths = np.sqrt((points**2).sum(axis=1))
        if ((lengths > 0) & (lengths < 1e-9 * lengths.max())).any():
            raise Undecided("a sample whose direction rounding decides")
        points = points / np.where(lengths > 0, lengths, 1)[:, None]
        squares = ((points[:, None] - points) ** 2).sum(axis=-1)
        without = lengths == 0
        squares[without] = squares[:, without] = 2  # at cosine 0
    else:
        squares = ((points[:, None] - points) ** 2).sum(axis=-1)
    found = np.zeros(squares.shape, bool)
    for i, row in enumerate(squares):
        order = [j for j in np.argsort(row, kind="stable") if j != i]
        groups = [[order[0]]]
        for previous, j in itertools.pairwise(order):
            gap = row[j] - row[previous]
            if max(tolerance / 100 * row[j], rounding) < gap < 100 * tolerance * row[j]:
                raise Undecided("nearly a tie")
            tied = gap <= tolerance * row[j] + rounding
            groups[-1].append(j) if tied else groups.append([j])
        found[i, [j for group in groups for j in sorted(group)][:k]] = True
    return found


def mutual_knn(x: Array, y: Array, k: int, **options: Any) -> float:
    if constant(x, y):
        return np.nan
    return float(neighbours.shared([nearest(side, k, **options) for side in (x, y)], k))


def jaccard_knn(x: Array, y: Array, k: int, **options: Any) -> float:
    if constant(x, y):
        return np.nan
    rows = [nearest(side, k, **options) for side in (x, y)]
    return float(neighbours.shared(rows, k, of_union=True))


def cknna(x: Array, y: Array, k: int) -> float:
    if constant(x, y):
        return np.nan
    near, cosines = [], []
    for side in (x, y):
        near.append(nearest(side, k))
        points = centred(side)
        lengths = np.sqrt((points**2).sum(axis=1))
        points = points / np.where(lengths > 0, lengths, 1)[:, None]
        cosines.append(points @ points.T)
        np.fill_diagonal(cosines[-1], 0)

    def align(i: int, j: int) -> Any:
        both = near[i] & near[j]
        return neighbours.hsic_unbiased(both * cosines[i], both * cosines[j])

    own = [align(0, 0), align(1, 1)]
    if min(abs(value) for value in own) < (1e-3 if x.dtype == np.float32 else 1e-8) / len(x):
        raise Undecided("an alignment with itself that rounding has made")
    return float(align(0, 1) / np.sqrt(own[0] * own[1])) if min(own) > 0 else np.nan


def snapped(values: Array, tolerance: float = 1e-12) -> Array:
    """Values that tie become equal; see ``rsa``."""
    order = np.argsort(values, kind="stable")
    out = values.astype(np.float64)
    for previous, k in itertools.pairwise(order):
        gap = values[k] - values[previous]
        size = max(abs(values[k]), abs(values[previous]))
        if tolerance / 10 * size < gap < 10 * tolerance * size:
            raise Undecided("nearly a tie")
        if gap <= tolerance * size:
            out[k] = out[previous]
    return out


def dissimilarities(x: Array, name: str) -> Array:
    """Condensed, in extended precision; 1 from samples without variance or length."""
    wide = near_one(x)
    if name == "correlation":
        wide = wide - wide[:, :1]
        wide = wide - wide.mean(axis=1, keepdims=True)
    if name not in ("correlation", "cosine"):
        return rsa.dissimilarities(wide, name)
    if name == "correlation":
        largest = np.abs(near_one(x)).max(axis=1)
        sizes = np.abs(wide).max(axis=1)
        if ((sizes > 0) & (sizes < 1e-9 * largest)).any():
            raise Undecided("variance that rounding may have made")
    has = np.abs(wide).max(axis=1) > 0
    found = np.array(
        [
            rsa._dissimilarity(wide[i], wide[j], "cosine") if has[i] and has[j] else 1.0
            for i, j in itertools.combinations(range(len(x)), 2)
        ]
    )
    return np.where(found < 1e-30, 0, found)  # of parallel samples


def rsa_score(x: Array, y: Array, dissimilarity: str, comparison: str) -> float:
    if constant(x, y):
        return np.nan
    rdms = [dissimilarities(side, dissimilarity) for side in (x, y)]
    return compared_rdms(rdms, comparison)


def compared_rdms(rdms: Sequence[Array], comparison: str, tolerance: float = 1e-12) -> float:
    ranked_ = comparison in ("spearman", "kendall", "tau-b", "tau-a", "rho-a")
    rdms = [snapped(rdm, tolerance) if ranked_ else np.float64(rdm) for rdm in rdms]
    for rdm in rdms:
        spread, size = np.ptp(rdm), np.abs(rdm).max()
        if not ranked_ and 0 < spread < 1e-6 * size:
            raise Undecided("differences that rounding may have made")
        if spread == 0 and comparison not in ("cosine", "cosine_cov", "tau-a", "rho-a", "bures"):
            return np.nan
        if size == 0:
            return np.nan if comparison not in ("tau-a", "rho-a") else 0.0
    return float(rsa.compare(*rdms, comparison))


def linear_predictivity(x: Array, y: Array, cv: int) -> float:
    """Penalties between which rounding chooses are undecided, as are predictions of rounding."""
    if constant(x, y):
        return np.nan
    a, b = (centred(side)[:, varying(side)] for side in (x, y))
    powers = np.frexp(np.abs(b).max(axis=0))[1]
    a, b = a.astype(np.float64), np.ldexp(b, -powers).astype(np.float64)
    targets = y.shape[1]
    alphas = regression.GRID * (a**2).sum() / min(len(a) - 1, a.shape[1])
    total = 0.0
    for train, test in regression.folds(len(a), cv, 0):
        of_x, of_y = a[train].mean(axis=0), b[train].mean(axis=0)
        u, s, vt = np.linalg.svd(a[train] - of_x, full_matrices=False)
        kept = s > 1e-12 * max(s[0], np.abs(of_x).max())
        u, s, vt = u[:, kept], s[kept], vt[kept]
        inner = b[train] - of_y
        along = u.T @ inner
        along[np.abs(along) <= 1e-13 * np.sqrt((inner**2).sum(axis=0))] = 0  # but for rounding
        rest = ((inner - u @ along) ** 2).sum(axis=0)
        if len(s) == len(train) - 1:
            rest[:] = 0
        left = alphas[:, None] / (s**2 + alphas[:, None])
        freedom = len(train) - 1 - len(s) + left.sum(axis=1)
        criteria = (left**2 @ along**2 + rest) / freedom[:, None] ** 2
        for t in range(b.shape[1]):
            flat = np.ptp(b[train, t]) == 0 or np.ptp(b[test, t]) == 0 or not len(s)
            if flat:
                continue
            best = np.flatnonzero(criteria[:, t] <= criteria[:, t].min() * (1 + 1e-7) + 1e-25)
            found = [
                _held_out(vt, s, along[:, t], alphas[k], a[test] - of_x, b[test, t]) for k in best
            ]
            if np.ptp(found) > 1e-9:
                raise Undecided("which penalty")
            total += found[0]
    return total / (cv * targets)


def _held_out(
    vt: Array, s: Array, along: Array, alpha: float, inputs: Array, target: Array
) -> float:
    weights = vt.T @ (s / (s**2 + alpha) * along)
    predicted = inputs @ weights
    terms = np.abs(inputs) @ np.abs(vt.T) @ np.abs(s / (s**2 + alpha) * along)
    if not along.any():
        return 0.0  # a constant prediction
    spread = np.ptp(predicted)
    if spread < 1e-6 * terms.max():
        raise Undecided("a prediction that rounding has made")
    if np.ptp(target) < 1e-9 * np.abs(target).max():
        raise Undecided("a target that rounding has made")
    return float(np.corrcoef(predicted, target)[0, 1])


ORACLES: dict[str, Callable[..., float]] = {
    "cca": cca,
    "cka": cka,
    "cknna": cknna,
    "hsic": hsic,
    "jaccard_knn": jaccard_knn,
    "linear_predictivity": linear_predictivity,
    "mutual_knn": mutual_knn,
    "permutation_match": permutation_match,
    "procrustes": procrustes_score,
    "pwcca": pwcca,
    "rsa": rsa_score,
    "semi_match": semi_match,
    "shape_distance": shape_distance,
    "soft_match": soft_match,
    "svcca": svcca,
}
