"""What the run found as plain numbers: means over pairs of networks, and the raw scores."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from likewise.studies.matching.experiment import Result
from likewise.studies.matching.groups import Groups
from likewise.studies.matching.networks import HIDDEN, LAYERS, Numbers
from likewise.studies.matching.partners import PairPartners
from likewise.studies.matching.sparse import knee


@dataclass(frozen=True)
class Knee:
    """Of the mean path of a layer."""

    penalty: float
    loss: float
    weights: float
    least_loss: float
    """At the penalty that predicts best."""
    most_weights: float
    """At the smallest penalty."""
    trivial: float
    """Loss at the largest penalty, where nothing has a weight."""


def partner_mean(result: Result, layer: str, what: Callable[[PairPartners], float]) -> float:
    """Mean over pairs of networks."""
    return float(np.mean([what(one) for one in result.partners[layer].values()]))


def untrained_mean(result: Result, layer: str, what: Callable[[PairPartners], float]) -> float:
    """The same before training."""
    return float(np.mean([what(one) for one in result.untrained[layer].values()]))


def path_of(result: Result, layer: str) -> tuple[Numbers, Numbers]:
    """Loss and weights per unit for each penalty, means over pairs of networks."""
    paths = result.paths[layer].values()
    return np.mean([p.loss for p in paths], axis=0), np.mean([p.weights for p in paths], axis=0)


def knee_of(result: Result, layer: str) -> Knee:
    """Where the mean path of a layer bends."""
    loss, weights = path_of(result, layer)
    k = knee(loss, result.settings.knee)
    return Knee(
        penalty=result.settings.penalties[k],
        loss=float(loss[k]),
        weights=float(weights[k]),
        least_loss=float(loss.min()),
        most_weights=float(weights[-1]),
        trivial=float(loss[0]),
    )


def shared_share(result: Result, layer: str, method: str, *, shuffled: bool = False) -> float:
    """Share of the groups that hold units of both networks, over all pairs."""
    found = (result.shuffled_groups if shuffled else result.groups)[layer].values()
    clusters = [getattr(one, method) for one in found]
    return float(sum(one.shared for one in clusters) / sum(map(_groups_of, clusters)))


def contrast_of(result: Result, layer: str, method: str) -> tuple[float, float]:
    """Mean |r| inside groups and between them, means over pairs."""
    return _contrast(list(result.groups[layer].values()), method)


def matched_units(result: Result, layer: str) -> tuple[float, float, float]:
    """Units above the upper threshold, below the lower, and living ones; means over pairs."""
    settings = result.settings
    return (
        partner_mean(result, layer, lambda p: p.correlation.above(settings.matched)),
        partner_mean(result, layer, lambda p: p.correlation.below(settings.unmatched)),
        partner_mean(result, layer, lambda p: len(p.correlation.similarity)),
    )


def middle_of(result: Result) -> Numbers:
    """Test accuracy of the average of two networks as they are and matched, mean over pairs."""
    values: Numbers = np.mean([one.middle for one in result.averages.values()], axis=0)
    return values


def numbers(result: Result) -> dict[str, Any]:
    """By layer, means over pairs of networks; None where something is not defined."""
    return {
        "accuracies": result.accuracies,
        "layers": {layer: _layer(result, layer) for layer in LAYERS},
        "average": dict(zip(("as they are", "matched"), middle_of(result), strict=True)),
        "largest_duality_gap": max(
            path.gap for paths in result.paths.values() for path in paths.values()
        ),
    }


def grids(result: Result) -> dict[str, Numbers]:
    """Correlation and information matrices, means, lasso paths, lines of averages."""
    out: dict[str, Numbers] = {"accuracies": np.array(result.accuracies)}
    for layer in LAYERS:
        statistics = result.statistics[layer]
        for name in ("within", "means", "active", "alive"):
            out[f"{layer}.{name}"] = getattr(statistics, name)
        out[f"{layer}.lasso_loss"] = np.array([p.loss for p in result.paths[layer].values()])
        out[f"{layer}.lasso_weights"] = np.array([p.weights for p in result.paths[layer].values()])
        for (a, b), pair in statistics.pairs.items():
            for name, matrix in vars(pair).items():
                out[f"{layer}.{a}-{b}.{name}"] = matrix
            matching = result.partners[layer][a, b].correlation.matching
            out[f"{layer}.{a}-{b}.greedy"] = matching.greedy
            out[f"{layer}.{a}-{b}.one_to_one"] = matching.one_to_one
    out["averages.line"] = np.array([one.line for one in result.averages.values()])
    out["averages.by_layer"] = np.array([one.by_layer for one in result.averages.values()])
    return out


def _layer(result: Result, layer: str) -> dict[str, Any]:
    above, below, living = matched_units(result, layer)
    out: dict[str, Any] = {
        "units": result.statistics[layer].alive.shape[1],
        "dead": (~result.statistics[layer].alive).sum(axis=1),
        "living": living,
        "matched": above,
        "unmatched": below,
        "inside": partner_mean(result, layer, lambda p: p.inside),
        "best_pairs": partner_mean(result, layer, lambda p: p.best),
        "best_pairs_kept": partner_mean(result, layer, lambda p: p.kept),
        "knee": vars(knee_of(result, layer)),
    }
    for kind in ("correlation", "information", "shuffled", "same_position", "shuffled_information"):
        for what in ("greedy", "one_to_one", "same"):
            out[f"{kind}_{what}"] = partner_mean(result, layer, _reader(kind, what))
            out[f"untrained_{kind}_{what}"] = untrained_mean(result, layer, _reader(kind, what))
    for method in ("spectral", "tree"):
        inside, outside = contrast_of(result, layer, method)
        out[method] = {
            "shared": shared_share(result, layer, method),
            "shared_shuffled": shared_share(result, layer, method, shuffled=True),
            "r_inside": _or_none(inside),
            "r_outside": _or_none(outside),
        }
    if layer in HIDDEN:
        networks = range(result.settings.networks)
        out["spread"] = [_or_none(result.statistics[layer].spectrum(k)[1]) for k in networks]
    return out


def _reader(kind: str, what: str) -> Callable[[PairPartners], float]:
    return lambda pair: float(getattr(getattr(pair, kind), what))


def _contrast(found: list[Groups], method: str) -> tuple[float, float]:
    pairs = np.array([one.contrast(getattr(one, method)) for one in found])
    inside, outside = pairs.mean(axis=0)
    return float(inside), float(outside)


def _groups_of(clusters: Any) -> int:
    return len({*clusters.labels_x.tolist(), *clusters.labels_y.tolist()})


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
