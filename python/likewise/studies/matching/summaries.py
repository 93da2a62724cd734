"""What the run found as plain numbers: by layer and pair of networks, means over pairs, arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from likewise.studies.matching.experiment import Result
from likewise.studies.matching.groups import Groups
from likewise.studies.matching.networks import HIDDEN, LAYERS, Numbers
from likewise.studies.matching.sparse import Path, knee


@dataclass(frozen=True)
class Knee:
    """Where the mean path of a layer bends."""

    penalty: float
    loss: float
    weights: float
    least_loss: float
    """At the penalty that predicts best."""
    most_weights: float
    """At the smallest penalty."""
    trivial: float
    """Loss at the largest penalty, where nothing has a weight."""


def over(
    result: Result, name: str, layers: Sequence[str] = LAYERS, *, before: bool = False
) -> Numbers:
    """A number of the partners in every layer and pair of networks, (layers, pairs).

    `before` training if so.
    """
    found = result.untrained if before else result.partners
    return np.array(
        [
            [pair.numbers(result.settings)[name] for pair in found[layer].values()]
            for layer in layers
        ]
    )


def shared(result: Result, method: str, *, shuffled: bool = False) -> Numbers:
    """Share of the groups that hold units of both networks, (layers, pairs)."""
    found = result.shuffled_groups if shuffled else result.groups
    return np.array([[_mixed(getattr(one, method)) for one in found[k].values()] for k in LAYERS])


def path_of(result: Result, layer: str) -> tuple[Numbers, Numbers]:
    """Loss and weights per unit for each penalty, means over pairs of networks."""
    paths = result.paths[layer].values()
    return np.mean([p.loss for p in paths], axis=0), np.mean([p.weights for p in paths], axis=0)


def knee_of(result: Result, layer: str) -> Knee:
    """Of the mean path of a layer."""
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


def paths(result: Result, what: Callable[[Path], float]) -> Numbers:
    """Of every layer and pair, (layers, pairs)."""
    return np.array([[what(one) for one in result.paths[layer].values()] for layer in LAYERS])


def middle_of(result: Result) -> Numbers:
    """Test accuracy of the average of two networks, as they are and matched: (2, pairs)."""
    return np.array([one.middle for one in result.averages.values()]).T


def spreads(result: Result, layer: str) -> list[float]:
    """Of every network, the largest by the smallest mean activation of living units."""
    return [result.statistics[layer].spectrum(k)[1] for k in range(result.settings.networks)]


def numbers(result: Result) -> dict[str, Any]:
    """By layer, means over pairs of networks; NaN where something is not defined."""
    return {
        "accuracies": result.accuracies,
        "layers": {layer: _layer(result, layer) for layer in LAYERS},
        "average": dict(zip(("as they are", "matched"), middle_of(result).mean(1), strict=True)),
        "largest_duality_gap": paths(result, lambda path: path.gap).max(),
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
    alive = result.statistics[layer].alive
    trained, before = (
        _means([pair.numbers(result.settings) for pair in found[layer].values()])
        for found in (result.partners, result.untrained)
    )
    out: dict[str, Any] = {
        "units": alive.shape[1],
        "dead": (~alive).sum(axis=1),
        "knee": knee_of(result, layer),
        **trained,
        **{f"untrained_{name}": value for name, value in before.items()},
    }
    place = LAYERS.index(layer)
    for method in ("spectral", "tree"):
        inside, outside = _contrast(result.groups[layer].values(), method)
        out[method] = {
            "shared": shared(result, method)[place].mean(),
            "shared_shuffled": shared(result, method, shuffled=True)[place].mean(),
            "r_inside": inside,
            "r_outside": outside,
        }
    if layer in HIDDEN:
        out["spread"] = spreads(result, layer)
    return out


def _means(pairs: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([pair[name] for pair in pairs])) for name in pairs[0]}


def _mixed(clusters: Any) -> float:
    groups = {*clusters.labels_x.tolist(), *clusters.labels_y.tolist()}
    return float(clusters.shared / len(groups))


def _contrast(found: Any, method: str) -> tuple[float, float]:
    """Mean |r| inside groups and between them, means over pairs."""
    pairs: list[Groups] = list(found)
    inside, outside = np.mean([one.contrast(getattr(one, method)) for one in pairs], axis=0)
    return float(inside), float(outside)
