"""What every measure must score, from the definitions of ``reference``.

An oracle takes two representations and the options of the measure. It raises :class:`Undecided`
where rounding decides (a rank, a tie, a choice) or where the definition leaves the answer open.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from reference import assignment, cca, kernels, neighbours, procrustes, regression, rsa, transport
from reference.exact import (
    Array,
    Undecided,
    centred,
    constant,
    directions,
    near_one,
    power_of,
    varying,
)


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


def _of_varying(oracle: Callable[..., Any]) -> Callable[..., float]:
    """NaN of what does not vary."""
    return lambda x, y, **options: np.nan if constant(x, y) else float(oracle(x, y, **options))


ORACLES: dict[str, Callable[..., float]] = {
    "cca": _of_varying(cca.cca),
    "cka": _of_varying(cka),
    "cknna": _of_varying(partial(neighbours.cknna, near_ties=False)),
    "hsic": _of_varying(hsic),
    "jaccard_knn": _of_varying(partial(neighbours.jaccard_knn, near_ties=False)),
    "linear_predictivity": _of_varying(linear_predictivity),
    "mutual_knn": _of_varying(partial(neighbours.mutual_knn, near_ties=False)),
    "permutation_match": _of_varying(assignment.permutation_match),
    "procrustes": procrustes_score,
    "pwcca": _of_varying(cca.pwcca),
    "rsa": _of_varying(rsa_score),
    "semi_match": _of_varying(assignment.semi_match),
    "shape_distance": shape_distance,
    "soft_match": _of_varying(transport.soft_match),
    "svcca": _of_varying(cca.svcca),
}
