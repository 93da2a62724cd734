"""Checks of what is said of units: how alike, how spread, in which groups, collapsed or cut off."""

from __future__ import annotations

import numpy as np
import scipy.cluster.hierarchy as hierarchy
from fuzz_checks import Call, Check, best_total, matrix, pair, placed, same
from fuzz_data import Case
from reference import collapse, information, kernels
from reference.assignment import correlations
from reference.exact import Undecided, centred, constant, near_one, power_of, varying

import likewise as lw


def unit_similarity(rng: np.random.Generator, call: Call) -> None:
    x, y = pair(rng)
    share = 2e-7 if x.itemsize == 4 else 1e-11
    same(call(lw.unit_similarity, x, y), correlations(x, y), 1, share)
    stream = lw.scale.UnitAccumulator()
    for part in np.array_split(np.arange(len(x)), 3):
        stream.update(x[part], y[part])
    same(call(stream.compute), correlations(x, y), 1, 2e-5 if x.itemsize == 4 else 2e-7)
    bins, correct = int(rng.integers(3, 9)), bool(rng.random() < 0.5)
    found = call(
        lw.unit_similarity,
        x,
        y,
        similarity="mutual_information",
        bins=bins,
        bias_correction=correct,
    )
    expected = [[information.mutual_information(a, b, bins, correct) for b in y.T] for a in x.T]
    same(found, expected, 1, share)


def unit_statistics(rng: np.random.Generator, call: Call) -> None:
    x = np.maximum(pair(rng)[0], 0)
    found = call(lw.unit_statistics, placed(rng, x))
    wide, power = near_one(x), power_of(x)
    mean = wide.mean(axis=0)
    least = mean[mean > 0].min() if (mean > 0).any() else np.nan
    same(found.mean, np.ldexp(mean, power))
    same(found.deviation, np.ldexp(np.sqrt(((wide - mean) ** 2).mean(axis=0)), power))
    same(found.active, (x != 0).mean(axis=0))
    same(found.spectrum, np.ldexp(np.sort(mean)[::-1], power))
    if not np.abs(x).max() < 1e30 * np.finfo(x.dtype).tiny:  # a quotient of what has few digits
        same(found.spread, mean.max() / least)


def match_units(rng: np.random.Generator, call: Call) -> None:
    values = matrix(rng)
    threshold = float(rng.normal() * np.abs(values).max())
    found = call(lw.match_units, placed(rng, values), threshold=threshold)
    rows = np.arange(len(values))
    best, tie = values.max(axis=1), 2e-6 if values.itemsize == 4 else 2e-12
    assert (values[rows, found.greedy] >= best - tie * np.abs(best)).all()
    first = np.argmax(values, axis=1)
    assert (found.greedy <= first).all(), "not the first of equal ones"
    kept = found.one_to_one >= 0
    partners = found.one_to_one[kept]
    assert len(set(partners.tolist())) == kept.sum() == min(values.shape)
    near = near_one(values)
    same(np.float64(near[rows[kept], partners].sum()), best_total(values, True), len(values))
    assert np.array_equal(found.one_to_one_similarity[kept], values[rows[kept], partners])
    assert np.isnan(found.one_to_one_similarity[~kept]).all()
    assert found.matched == (found.one_to_one_similarity[kept] >= threshold).sum()
    assert found.matched + found.unmatched == len(values)
    assert found.same_partner == (found.greedy == found.one_to_one).mean()


def cluster_units(rng: np.random.Generator, call: Call) -> None:
    x, y = pair(rng)
    units = np.hstack([centred(side).astype(np.float64) for side in (x, y)])
    both = np.hstack([varying(x), varying(y)])
    weights = np.abs(correlations(units, units))
    dx = x.shape[1]
    inside = bool(rng.random() < 0.5)
    if not inside:
        weights[:dx, :dx] = weights[dx:, dx:] = 0
    np.fill_diagonal(weights, 0)
    weights[weights < 1e-15] = 0
    if ((weights > 0) & (weights < 1e-9)).any():
        raise Undecided("units whose correlation rounding has made")
    kept = weights.sum(axis=1) > 0
    if kept.sum() < 2:
        raise Undecided("fewer than two units that vary together")
    assert (kept <= both).all()
    count = int(rng.integers(2, kept.sum() + 1))
    # Of equal heights SciPy takes any; heights of single linkage do not depend on which.
    found = call(
        lw.cluster_units,
        x,
        y,
        count,
        method="hierarchical",
        linkage="single",
        edges="all" if inside else "between",
    )
    labels = np.concatenate([found.labels_x, found.labels_y])
    assert np.array_equal(labels >= 0, kept), "which units have a label"
    distances = 1 - weights[np.ix_(kept, kept)][np.triu_indices(kept.sum(), 1)]
    tree = hierarchy.linkage(distances, "single")
    same(hierarchy.cophenet(found.tree), hierarchy.cophenet(tree), 1, 1e-9)
    assert np.array_equal(labels[kept], hierarchy.fcluster(found.tree, count, "maxclust") - 1)


def neural_collapse(rng: np.random.Generator, call: Call) -> None:
    classes, d = int(rng.integers(2, 5)), int(rng.integers(2, 9))
    members = np.concatenate(
        [np.arange(classes), rng.integers(0, classes, int(rng.integers(3, 12)))]
    )
    dtype = np.dtype(rng.choice([np.float32, np.float64]))
    features = rng.standard_normal((classes, d))[members] + 0.3 * rng.standard_normal(
        (len(members), d)
    )
    features = (features + 10.0 ** float(rng.integers(0, 3))).astype(dtype)
    weight, bias = rng.standard_normal((classes, d)), rng.standard_normal(classes)
    found = call(lw.neural_collapse, placed(rng, features), members, weight, bias)
    h = features.astype(np.float64)
    means = np.array([h[members == c].mean(axis=0) for c in range(classes)])
    distances = ((h[:, None] - means) ** 2).sum(axis=-1)
    ordered = np.sort(distances, axis=1)
    if (ordered[:, 1] - ordered[:, 0] < 1e-9 * ordered[:, 1]).any():
        raise Undecided("two nearest class means")
    expected = collapse.neural_collapse(h, members, weight, bias)
    for name, value, wanted in zip(found._fields, found, expected, strict=True):
        assert abs(value - wanted) <= 1e-7 * max(1, abs(wanted)), (
            f"{name} {value}, expected {wanted}"
        )


def minibatch_cka(rng: np.random.Generator, call: Call) -> None:
    x, y = pair(rng, 12)
    case = Case(x, y, "")
    if constant(x, y) or case.is_denormal():
        raise Undecided("nothing to align, or no digits")
    sums, terms = np.zeros(3, np.longdouble), np.zeros(3, np.longdouble)
    a, b = near_one(x), near_one(y)
    stream = lw.scale.MinibatchCKA()
    for rows in np.array_split(np.arange(len(x)), len(x) // 4):
        if constant(x[rows], y[rows]):
            raise Undecided("a batch without variance, whose HSIC is NaN")
        stream.update([x[rows]], [y[rows]])
        for k, (p, q) in enumerate(((a, a), (b, b), (a, b))):
            sums[k] += kernels.precise_hsic(p[rows], q[rows], "unbiased")
            terms[k] += kernels.precise_hsic(p[rows], q[rows])
    if (sums[:2] < (1e-2 if x.itemsize == 4 else 1e-6) * terms[:2]).any():
        raise Undecided("unbiased HSIC is a difference that rounding has made")
    expected = sums[2] / np.sqrt(sums[0] * sums[1])
    same(call(stream.compute), [[expected]], 1, 1e-3 if x.itemsize == 4 else 2e-7)


def truncation(rng: np.random.Generator, call: Call) -> None:
    from likewise.truncation import adaptedness, cluster_diameters

    weight = matrix(rng)
    weight = weight.T if len(weight) > weight.shape[1] else weight
    if weight.any():
        found = call(adaptedness, placed(rng, weight))
        u, s, _ = np.linalg.svd(near_one(weight).astype(np.float64), full_matrices=False)
        h = (u * s) @ u.T
        expected = 1 - (np.diag(h) ** 2).sum() / (h**2).sum()
        same(np.float64(found.off_diagonal), expected, 1, 2e-7)
    points, _ = pair(rng)
    labels = rng.integers(0, 3, len(points))
    near = near_one(points)
    expected = [
        np.sqrt(((near[labels == c][:, None] - near[labels == c]) ** 2).sum(axis=-1).max())
        for c in np.unique(labels)
    ]
    expected = np.ldexp(np.array(expected), power_of(points))
    same(call(cluster_diameters, placed(rng, points), labels), expected, share=1e-9)


UNITS: dict[str, Check] = {
    "cluster_units": cluster_units,
    "match_units": match_units,
    "minibatch_cka": minibatch_cka,
    "neural_collapse": neural_collapse,
    "truncation": truncation,
    "unit_similarity": unit_similarity,
    "unit_statistics": unit_statistics,
}
