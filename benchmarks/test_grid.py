"""A whole grid: one collection of representations, every measure that a peer has, and the sum."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest

from .data import Array, mixed_widths
from .tables import RATIO, Row, Table
from .test_kernels import tensors_of
from .test_neighbours import shared, topk
from .test_rsa import rsatoolbox_scores
from .timing import Contestant, Race

pytestmark = pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")

WIDTHS = (64, 128, 192, 256, 384, 512)
Score = Callable[[Array, Array], float]
Scores = Callable[[list[Array]], Array]


class Peer(NamedTuple):
    """Who computes the measure, and how: one pair, or all of a list, with the imported module."""

    name: str
    module: str
    prepare: Callable[[Any], Score | Scores]
    options: Mapping[str, Any] = MappingProxyType({})
    tolerance: float = 1e-6
    whole_lists: bool = False


def torch_procrustes(torch: Any) -> Score:
    def unit(x: Array) -> Any:
        t = torch.from_numpy(x)
        t = t - t.mean(0)
        return t / t.norm()

    return lambda x, y: torch.linalg.svdvals(unit(x).T @ unit(y)).sum().item()


def netrep(alpha: float, metrics: Any) -> Score:
    metric = metrics.LinearMetric(alpha=alpha, score_method="angular")
    return metric.fit_score


def netrep_cca(metrics: Any) -> Score:
    """Its cosine is the sum of the correlations divided by the root of both widths."""
    angle = netrep(0.0, metrics)

    def score(x: Array, y: Array) -> float:
        widths = x.shape[1], y.shape[1]
        return float(np.cos(angle(x, y)) * np.sqrt(np.prod(widths)) / min(widths))

    return score


def pytorch_cka(cka: Any) -> Scores:
    def scores(items: list[Array]) -> Array:
        tensors = tensors_of(items)
        return cka.cka_from_features(tensors, tensors).numpy()

    return scores


def rsatoolbox_spearman(rsatoolbox: Any) -> Scores:
    return lambda items: rsatoolbox_scores(rsatoolbox, items)()


def torch_topk(torch: Any) -> Score:
    def score(x: Array, y: Array) -> float:
        mask = torch.zeros(len(x), len(x), dtype=torch.bool)
        return shared(mask, *(topk(torch, torch.from_numpy(s - s.mean(axis=0))) for s in (x, y)))

    return score


def correlations(x: Array, y: Array) -> Array:
    x, y = (side - side.mean(axis=0) for side in (x, y))
    return (x / np.linalg.norm(x, axis=0)).T @ (y / np.linalg.norm(y, axis=0))


def scipy_match(optimize: Any) -> Score:
    def score(x: Array, y: Array) -> float:
        r = correlations(x, y)
        return float(r[optimize.linear_sum_assignment(r, maximize=True)].mean())

    return score


def pot(ot: Any) -> Score:
    def score(x: Array, y: Array) -> float:
        r = correlations(x, y)
        a, b = (np.full(size, 1 / size) for size in r.shape)
        return float((ot.emd(a, b, 1 - r, numItermax=10_000_000) * r).sum())

    return score


def ridge_cv(linear_model: Any) -> Score:
    def score(x: Array, y: Array) -> float:
        scores = []
        for test in np.array_split(np.random.RandomState(0).permutation(len(x)), 5):
            train = np.setdiff1d(np.arange(len(x)), test)
            scale = ((x - x.mean(axis=0)) ** 2).sum() / x.shape[1]
            model = linear_model.RidgeCV(np.logspace(-6, 4, 21) * scale, alpha_per_target=True)
            a, b = model.fit(x[train], y[train]).predict(x[test]), y[test]
            a, b = a - a.mean(axis=0), b - b.mean(axis=0)
            norms = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
            scores.append(((a * b).sum(axis=0) / norms).mean())
        return float(np.mean(scores))

    return score


PEERS = {
    "procrustes": Peer("torch svdvals", "torch", torch_procrustes, {"score": "similarity"}),
    "shape_distance": Peer(
        "netrep, alpha = 0.5",
        "netrep.metrics",
        partial(netrep, 0.5),
        {"alpha": 0.5},
    ),
    "cca": Peer("netrep, alpha = 0", "netrep.metrics", netrep_cca),
    "cka": Peer("pytorch-cka", "cka", pytorch_cka, {"estimator": "unbiased"}, whole_lists=True),
    "rsa": Peer("rsatoolbox", "rsatoolbox", rsatoolbox_spearman, whole_lists=True),
    "mutual_knn": Peer("torch topk (own rewrite)", "torch", torch_topk, tolerance=1e-3),
    "permutation_match": Peer("SciPy, correlations by NumPy", "scipy.optimize", scipy_match),
    "soft_match": Peer("POT, correlations by NumPy", "ot", pot),
    # Its penalty is chosen by leaving one out, ours by generalised cross-validation.
    "linear_predictivity": Peer(
        "scikit-learn RidgeCV", "sklearn.linear_model", ridge_cv, tolerance=0.01
    ),
}

_totals: dict[str, tuple[float, float]] = {}


@pytest.mark.sizes("workload", full=[(24, 2000, WIDTHS)], quick=[(6, 120, (8, 12, 20))])
@pytest.mark.parametrize("name", PEERS)
def test_measure(race: Race, name: str, workload: tuple[int, int, tuple[int, ...]]) -> None:
    count, n, widths = workload
    items = mixed_widths(count, n, widths, np.float64)
    peer = PEERS[name]
    sample = np.random.default_rng(0).permutation(count)[: 2 * 6].reshape(-1, 2)
    pairs = [(int(i), int(j)) for i, j in np.sort(sample, axis=1)]
    few = pairs[: 2 if name == "linear_predictivity" else len(pairs)]
    found: dict[str, Array] = {}

    def agreement(scores: Array) -> float:
        """With ours, which is checked first."""
        first = found.setdefault("ours", np.asarray(scores))
        return float(np.abs(first[: len(scores)] - scores).max())

    symmetric = name != "linear_predictivity"
    units = count * (count - 1) // (2 if symmetric else 1)
    table = race(
        f"whole grid: {name}, {count} items, n = {n}, d = {widths[0]}-{widths[-1]}, float64",
        [
            Contestant(
                name="likewise, pairwise",
                build=lambda lw: partial(lw.pairwise, items, name, **peer.options),
                answer=lambda grid: np.array([grid[pair] for pair in pairs]),
                units=units,
            ),
            Contestant(
                name=peer.name,
                module=peer.module,
                build=lambda module: (
                    partial(whole, peer.prepare(module), items, pairs)
                    if peer.whole_lists
                    else partial(loop, peer.prepare(module), items, few)
                ),
                units=units if peer.whole_lists else len(few),
                how="the whole list in one call"
                if peer.whole_lists
                else f"loop over {len(few)} of {units} pairs, scaled",
            ),
        ],
        unit="pair",
        error=agreement,
        tolerance=peer.tolerance,
    )
    ours, other = table.rows
    if ours.value is not None and other.value is not None:
        _totals[name] = (ours.value * units, other.value * units)


def loop(score: Score, items: list[Array], pairs: list[tuple[int, int]]) -> Array:
    return np.array([score(items[i], items[j]) for i, j in pairs])


def whole(scores: Scores, items: list[Array], pairs: list[tuple[int, int]]) -> Array:
    grid = scores(items)
    return np.array([grid[pair] for pair in pairs])


def test_sum_of_all(report: Callable[[Table], None]) -> None:
    if len(_totals) < len(PEERS):
        pytest.skip("runs after all measures of this file, with all their peers installed")
    ours, peers = (sum(total[k] for total in _totals.values()) for k in (0, 1))
    ratios = [peer / own for own, peer in _totals.values()]
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    rows = [
        Row(name="likewise", value=ours, how=f"sum over {len(ratios)} measures"),
        Row(name="the peers", value=peers, comparison=peers / ours, goal=15.0),
        Row(name="geometric mean of the ratios", comparison=mean, goal=8.0),
    ]
    report(Table("whole grid: every measure that a peer has", "grid", "cpu", RATIO, rows))
