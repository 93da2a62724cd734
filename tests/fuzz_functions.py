"""A check for every public function that is no measure: by another library, a slow definition or a
certificate. A check takes a generator and ``call``, which counts calls and looks at refusals.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from fuzz_checks import SHARE, Call, Check, best_total, matrix, pair, placed, same
from fuzz_data import Array, Case
from fuzz_estimators import ESTIMATORS
from fuzz_oracles import compared_rdms, dissimilarities
from fuzz_units import UNITS
from reference import transport
from reference.assignment import correlations
from reference.cca import canonical_correlations
from reference.exact import Undecided, constant, near_one, power_of
from scipy.stats import rankdata

import likewise as lw


def spectrum(x: Array) -> Array:
    """Singular values in extended precision, which have no limits of size."""
    values = np.linalg.svd(near_one(x).astype(np.float64), compute_uv=False)
    return np.ldexp(values.astype(np.longdouble), power_of(x))


def svdvals(rng: np.random.Generator, call: Call) -> None:
    x = matrix(rng)
    same(call(lw.svdvals, placed(rng, x)), spectrum(x))
    same(call(lw.svdvals, np.stack([x, 0 * x]))[0], spectrum(x))


def nuclear_norm(rng: np.random.Generator, call: Call) -> None:
    x = matrix(rng)
    same(call(lw.nuclear_norm, placed(rng, x)), spectrum(x).sum())
    same(call(lw.nuclear_norm, np.stack([0 * x, x]))[1], spectrum(x).sum())


def polar(rng: np.random.Generator, call: Call) -> None:
    x = matrix(rng)
    u, p = call(lw.polar, placed(rng, x))
    near = np.ldexp(np.longdouble(p), -power_of(x))
    if Case(x, x, "").is_denormal():
        raise Undecided("P has the few digits of denormal numbers")
    same((u @ near).astype(x.dtype), near_one(x))
    same(p, p.T)
    small = u @ u.T if len(u) < u.shape[1] else u.T @ u
    same(small, np.eye(len(small)))
    least = np.linalg.eigvalsh(near.astype(np.float64)).min()
    assert least >= -10 * SHARE[x.dtype] * float(np.abs(near).max()), f"eigenvalue {least}"


def orthogonal_procrustes(rng: np.random.Generator, call: Call) -> None:
    a = matrix(rng, reach=0.4)
    b = (
        a[rng.permutation(len(a))]
        if rng.random() < 0.5
        else a + rng.integers(-2, 3, a.shape) * a.max()
    )
    b = b.astype(a.dtype)
    r, scale = call(lw.orthogonal_procrustes, placed(rng, a), placed(rng, b))
    product = near_one(a).T @ near_one(b)
    power = power_of(a) + power_of(b)
    same(r @ r.T, np.eye(len(r)))
    size = np.sqrt((near_one(a) ** 2).sum() * (near_one(b) ** 2).sum())
    same(np.ldexp(np.longdouble(scale), -power).astype(a.dtype), spectrum(product).sum(), size)
    same((np.float64(r) * product).sum().astype(a.dtype), spectrum(product).sum(), size)


def costs(rng: np.random.Generator) -> Array:
    """With ties, forbidden pairs or neither."""
    cost = matrix(rng)
    if rng.random() < 0.3:
        cost = cost.copy()
        cost[rng.random(cost.shape) < 0.3] = np.inf
    return cost


def assignment(rng: np.random.Generator, call: Call) -> None:
    cost, maximize = costs(rng), bool(rng.random() < 0.5)
    cost = -cost if maximize else cost
    finite = np.where(np.isfinite(cost), cost, 0)
    best, power = best_total(cost, maximize), power_of(finite)
    duals = None
    if rng.random() < 0.3:
        duals = tuple(rng.standard_normal(k) * float(np.abs(finite).max()) for k in cost.shape)
    if best is None:
        for function in (lw.linear_sum_assignment, lw.assignment):
            with pytest.raises(ValueError, match="infeasible"):
                function(cost, maximize=maximize)
        return
    rows, columns = call(lw.linear_sum_assignment, placed(rng, cost), maximize)
    found = call(lw.assignment, placed(rng, cost), maximize=maximize, duals=duals)
    wide = np.ldexp(np.where(np.isfinite(cost), cost, np.nan).astype(np.longdouble), -power)
    for i, j in ((rows, columns), (found.row_ind, found.col_ind)):
        assert (np.diff(i) > 0).all()
        assert len(set(j.tolist())) == len(j) == min(cost.shape)
        same(np.float64(wide[i, j].sum()), best, len(i))
    same(np.ldexp(np.longdouble(found.cost), -power).astype(np.float64), best, len(i))
    size = max(1.0, *(np.abs(np.ldexp(np.longdouble(d), -power)).max() for d in found[3:5]))
    sign = -1 if maximize else 1
    u, v = (sign * np.ldexp(np.longdouble(d), -power) for d in found[3:5])
    slack = np.where(np.isfinite(cost), sign * wide - u[:, None] - v, np.inf)
    assert slack.min() >= -1e-12 * size, f"duals beyond a cost by {-slack.min()}"
    longer = u if len(u) > len(v) else v if len(v) > len(u) else np.zeros(1)
    assert longer.max() <= 1e-12 * size, "a dual of the longer side is positive"
    same(np.float64(sign * (u.sum() + v.sum())), best, size * max(cost.shape))
    gap = np.ldexp(np.longdouble(found.gap), -power)
    assert 0 <= gap <= 1e-11 * size * max(cost.shape), f"gap {gap}"


def optimal_transport(rng: np.random.Generator, call: Call) -> None:
    cost = costs(rng)[:7, :7]
    m, n = cost.shape
    a, b = (rng.integers(0, 5, k) * 1.0 if rng.random() < 0.5 else None for k in (m, n))
    a, b = (mass if mass is not None and mass.any() else None for mass in (a, b))
    if a is not None and b is not None:
        b = b * a.sum() / b.sum()
    finite = np.where(np.isfinite(cost), cost, 0)
    near = np.where(np.isfinite(cost), near_one(finite), np.inf).astype(np.float64)
    total = next((mass.sum() for mass in (a, b) if mass is not None), 1.0)
    rows, columns = (
        np.full(k, 1 / k) if mass is None else mass / total for mass, k in ((a, m), (b, n))
    )
    try:
        best = transport.optimal_cost(near, rows, columns)
    except AssertionError:
        with pytest.raises(ValueError, match="infeasible"):
            lw.optimal_transport(cost, a, b)
        return
    plan, u, v, gap = call(lw.optimal_transport, placed(rng, cost), a, b, return_duals=True)
    assert (plan >= 0).all()
    same(plan.sum(axis=1), rows * total, total)
    same(plan.sum(axis=0), columns * total, total)
    assert (plan[~np.isfinite(cost)] == 0).all(), "sends where it is forbidden"
    used = np.where(plan > 0, near, 0)
    # HiGHS is exact to 1e-7 of its own.
    same((plan * used).sum() / total, best, 1, 1e-6)
    power = power_of(finite)
    u, v, gap = (np.ldexp(np.longdouble(part), -power) for part in (u, v, gap))
    size = max(1.0, np.abs(u).max(), np.abs(v).max())
    needed = (rows[:, None] > 0) & (columns > 0) & np.isfinite(cost)
    with np.errstate(invalid="ignore"):  # forbidden pairs
        slack = np.where(needed, near - u[:, None] - v, np.inf)
    assert slack.min() >= -1e-11 * size, f"duals beyond a cost by {-slack.min()}"
    assert 0 <= gap <= 1e-10 * size * total, f"gap {gap}"


def matches(rng: np.random.Generator, call: Call) -> None:
    x, y = pair(rng)
    dx, dy = x.shape[1], y.shape[1]
    similarity = correlations(x, y)
    share = 2e-5 if x.itemsize == 4 else 1e-11
    score, partners = call(lw.permutation_match, x, y)
    of_each = call(lw.semi_match, x, y)
    if constant(x, y):
        assert (partners == -1).all()
        assert (of_each.assignment == -1).all()
        return
    matched = np.flatnonzero(partners >= 0)
    assert len(set(partners[matched].tolist())) == len(matched) == min(dx, dy)
    same(np.float64(score), similarity[matched, partners[matched]].mean(), 1, share)
    chosen = similarity[np.arange(dx), of_each.assignment]
    same(chosen, similarity.max(axis=1), 1, share)
    mass = float(rng.choice([1.0, 0.5, 0.9]))
    soft = call(lw.soft_match, x, y, mass=mass)
    same(np.float64(soft.plan.sum()), mass, 1, share)
    assert (soft.plan >= 0).all()
    assert soft.plan.sum(axis=1).max() <= (1 + share) / dx
    assert soft.plan.sum(axis=0).max() <= (1 + share) / dy
    same(np.float64(soft.score), (soft.plan * similarity).sum() / mass, 1, 2 * share)


def canonical(rng: np.random.Generator, call: Call) -> None:
    x, y = pair(rng)
    regularization = float(rng.choice([0, 0.1]))
    found = call(lw.canonical_correlations, x, y, regularization=regularization)
    expected = np.zeros(min(x.shape[1], y.shape[1]))
    if constant(x, y):
        expected[:] = np.nan
    else:
        rho = canonical_correlations(x, y, regularization)
        expected[: len(rho)] = rho[: len(expected)]
    same(found, expected, 1, 2e-4 if x.itemsize == 4 else 2e-7)


def rdm(rng: np.random.Generator, call: Call) -> None:
    x, _ = pair(rng)
    n, d = x.shape
    name = str(
        rng.choice(
            ["correlation", "cosine", "euclidean", "sqeuclidean", "mahalanobis", "crossnobis"]
        )
    )
    power = power_of(x)
    options: dict[str, Any] = {}
    if name in ("mahalanobis", "crossnobis"):
        root = rng.standard_normal((d, d)) + 3 * np.eye(d)
        precision = root @ root.T
        options["precision"] = precision
    near = near_one(x)
    first, second = np.triu_indices(n, 1)
    if name == "crossnobis":
        repeats = np.stack([x, x[::-1], 2 * x[rng.permutation(n)]]).astype(x.dtype)
        power = power_of(repeats)
        apart = near_one(repeats)[:, first] - near_one(repeats)[:, second]
        pairs = list(itertools.permutations(range(3), 2))
        expected = sum(((apart[i] @ precision) * apart[j]).sum(axis=1) for i, j in pairs) / 6
        found = call(lw.rdm, repeats, dissimilarity=name, **options)
        terms = np.abs(apart).max() ** 2 * np.abs(precision).max() * d
        near = np.ldexp(np.longdouble(found), -2 * power).astype(np.float64)
        if abs(2 * power) + 60 > np.finfo(x.dtype).maxexp:
            raise Undecided("squares beyond the type")
        same(near, expected, terms, 1e-6 if x.itemsize == 4 else 1e-11)
        return
    found = call(lw.rdm, x, dissimilarity=name, **options)
    if name == "mahalanobis":
        apart = near[first] - near[second]
        expected = np.sqrt(((apart @ precision) * apart).sum(axis=1))
    else:
        expected = dissimilarities(x, name)
    power *= {"euclidean": 1, "mahalanobis": 1, "sqeuclidean": 2}.get(name, 0)
    with np.errstate(over="ignore", under="ignore"):
        expected = np.ldexp(expected, power).astype(x.dtype)
    assert (found[expected == 0] <= np.finfo(x.dtype).tiny).all(), "equal samples apart"
    # A promise of relative errors, and the rounding of float32.
    rtol = (1e-12 if x.itemsize == 8 else 1.3e-7) * (100 if name == "mahalanobis" else 1)
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=np.finfo(x.dtype).tiny)


COMPARISONS = (
    "cosine", "corr", "spearman", "kendall", "tau-a", "rho-a", "cosine_cov", "corr_cov", "bures"
)  # fmt: skip


def rdms_of(rng: np.random.Generator, count: int, n: int) -> Array:
    """Squared distances, many of them equal or none."""
    kinds = [rng.integers(0, 3, (n, 4)) * 1.0, rng.standard_normal((n, 4))]
    chosen = [kinds[int(rng.integers(2))] * rng.choice([1, 0.5], n)[:, None] for _ in range(count)]
    first, second = np.triu_indices(n, 1)
    found = np.array([((z[first] - z[second]) ** 2).sum(axis=1) for z in chosen])
    return found.astype(rng.choice([np.float32, np.float64]))


def compare_rdms(rng: np.random.Generator, call: Call) -> None:
    name, n = str(rng.choice(COMPARISONS)), int(rng.integers(3, 9))
    both = rdms_of(rng, 5, n)
    both *= both.dtype.type(2.0 ** float(rng.choice([0, 0, -60, 50])))
    p, q = both[:2], both[2:]
    found = call(lw.compare_rdms, placed(rng, p), placed(rng, q), comparison=name)
    tolerance = 1e-6 if p.itemsize == 4 else 1e-12
    expected = [[compared_rdms([a, b], name, tolerance) for b in q] for a in p]
    same(found, expected, 1, 1e-5 if p.itemsize == 4 else 1e-9)


def rsa_noise_ceiling(rng: np.random.Generator, call: Call) -> None:
    name, n = str(rng.choice(COMPARISONS[:-1])), int(rng.integers(4, 9))
    rdms = rdms_of(rng, int(rng.integers(2, 5)), n).astype(np.float64)
    if (np.ptp(rdms, axis=1) == 0).any():
        raise Undecided("an RDM whose entries are all equal")
    found = call(lw.rsa_noise_ceiling, placed(rng, rdms), comparison=name)
    if name.startswith("c"):
        parts = rdms - (rdms.mean(axis=1, keepdims=True) if name.startswith("corr") else 0)
        parts = parts / np.linalg.norm(parts, axis=1, keepdims=True)
    else:
        parts = rankdata(rdms, axis=1)
    total = parts.sum(axis=0)
    lower = [compared_rdms([total - p, r], name) for p, r in zip(parts, rdms, strict=True)]
    upper = [compared_rdms([total, r], name) for r in rdms]
    same(np.float64(found.lower), np.mean(lower), 1, 1e-9)
    same(np.float64(found.upper), np.mean(upper), 1, 1e-9)


def noise_ceiling(rng: np.random.Generator, call: Call) -> None:
    x, _ = pair(rng)
    count = int(rng.integers(2, 5))
    noise = float(rng.choice([0, 0.1, 3])) * (np.abs(x).max() or 1)
    repeats = np.stack([x + noise * rng.standard_normal(x.shape) for _ in range(count)])
    repeats = repeats.astype(x.dtype)
    found = call(
        lw.noise_ceiling, placed(rng, repeats.reshape(-1, x.shape[1])).reshape(repeats.shape)
    )
    wide = near_one(repeats)
    means = wide.mean(axis=0)
    within = ((wide - means) ** 2).sum(axis=(0, 1)) / (len(x) * (count - 1))
    between = count * ((means - means.mean(axis=0)) ** 2).sum(axis=0) / (len(x) - 1)
    same_all = (repeats == repeats[0, 0]).all(axis=(0, 1))
    signal = np.where(same_all, 0, np.maximum(between - within, 0))
    ceiling = np.sqrt(signal / np.where(same_all, 1, between))
    if ((between < 1e-12 * (means**2).max(axis=0)) & ~same_all).any():
        raise Undecided("variance that rounding has made")
    # The root of a difference.
    same(found**2, ceiling**2, 1, 1e-6 if x.itemsize == 4 else 1e-9)


def reduce(rng: np.random.Generator, call: Call) -> None:
    layout, how = (
        str(rng.choice(["nchw", "ntd"])),
        str(rng.choice(["flatten", "mean", "centre", "positions"])),
    )
    shape = rng.integers(1, 6, 4 if layout == "nchw" else 3)
    x = rng.standard_normal(shape).astype(rng.choice([np.float16, np.float32, np.float64]))
    x = x[::-1] if rng.random() < 0.3 else np.asfortranarray(x) if rng.random() < 0.3 else x
    found = call(lw.reduce, x, layout, how)
    wide = x.astype(np.float64)
    maps = wide.transpose(0, 2, 3, 1) if layout == "nchw" else wide[:, :, None]
    n, h, w, c = maps.shape
    expected = {
        "flatten": wide.reshape(n, -1),
        "mean": maps.mean(axis=(1, 2)),
        "centre": maps[:, h // 2, w // 2],
        "positions": maps.reshape(-1, c),
    }[how]
    assert found.dtype == (np.float64 if x.dtype == np.float64 else np.float32)
    same(found, expected, 1, 1e-6 if x.dtype != np.float64 else 1e-14)


FUNCTIONS: dict[str, Check] = {
    "assignment": assignment,
    "canonical_correlations": canonical,
    "compare_rdms": compare_rdms,
    "matches": matches,
    "noise_ceiling": noise_ceiling,
    "nuclear_norm": nuclear_norm,
    "optimal_transport": optimal_transport,
    "orthogonal_procrustes": orthogonal_procrustes,
    "polar": polar,
    "rdm": rdm,
    "reduce": reduce,
    "rsa_noise_ceiling": rsa_noise_ceiling,
    "svdvals": svdvals,
    **ESTIMATORS,
    **UNITS,
}
