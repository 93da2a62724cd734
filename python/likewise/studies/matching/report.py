"""Findings, pictures, tables and notes of the study."""

from __future__ import annotations

from typing import Any

import numpy as np

from likewise.report import Cell, Finding, Panel
from likewise.report.charts import NO_LEGEND, bars, curve, points
from likewise.report.panels import Json, axis, category_axis, log_axis
from likewise.report.style import ALIKE_SCALE, CONTRASTS, CONTROL, DEPTHS
from likewise.studies.digits import HELD_OUT
from likewise.studies.matching import pictures
from likewise.studies.matching.experiment import Result
from likewise.studies.matching.groups import Groups
from likewise.studies.matching.networks import HIDDEN, LAYERS, UNITS, Numbers
from likewise.studies.matching.sparse import TRIVIAL, knee
from likewise.studies.outcome import Outcome
from likewise.studies.texts import Text
from likewise.studies.verdicts import compared, undecided

_COLOURS = (*DEPTHS[:4], DEPTHS[5])
_COMPARED = "layer comparison"
_RING: Json = {"symbol": "circle-open", "line": {"width": 2.5}}
_PARTNERS = {
    "living": "living",
    "correlation_greedy": "greedy r",
    "correlation_one_to_one": "one-to-one r",
    "information_one_to_one": "information",
    "same_position_one_to_one": "same position",
    "untrained_correlation_one_to_one": "before training",
    "inside": "inside",
    "correlation_same": "same partner, r",
    "information_same": "information",
    "matched": "matched / unmatched",
    "best_pairs_kept": "best pairs kept",
}
_GROUPS = (
    *("penalty at the knee", "loss there", "units there", "least loss", "most units"),
    *("loss of nothing", "mixed groups of the tree", "mixed spectral clusters"),
    *("|r| inside / outside", "spread of means"),
)


def findings(result: Result) -> list[Finding]:
    """Claims about units and their partners; every unit of evidence is a layer of a pair."""
    settings = result.settings
    claim = Text(__file__, **vars(settings)).claim
    alike, same = result.over("correlation_one_to_one"), result.over("correlation_same", HIDDEN)
    controls = [result.over(f"{kind}_one_to_one") for kind in ("shuffled", "same_position")]
    controls.append(result.over("correlation_one_to_one", before=True))
    share, start = (result.share("matched", HIDDEN, before=before) for before in (False, True))
    low = result.share("unmatched", HIDDEN)
    greedy, inside = result.over("correlation_greedy"), result.over("inside")
    best, kept = (result.over(f"best_pairs{end}", HIDDEN) for end in ("", "_kept"))
    kept = kept / np.maximum(best, 1)
    chance = 1 / np.maximum(result.over("living", HIDDEN), 1)
    few = result.over_paths(lambda p: float(p.weights[knee(p.loss, settings.knee)]))
    half = result.over_paths(lambda p: float(p.weights[-1]) / 2)
    mixed = {
        method: [result.shared(method, shuffled=shuffled) for shuffled in (False, True)]
        for method in ("tree", "spectral")
    }
    plain, average = result.middle_of()
    layers = np.array([one.by_layer for one in result.averages.values()])  # pairs, orders, layers
    spread = [value for layer in HIDDEN for value in result.spreads(layer)]
    lone, networks = f"{low.size} {_COMPARED}s", f"{len(spread)} layers of networks"
    return [
        claim(compared, "alike", alike, np.max(controls, axis=0), _COMPARED),
        claim(compared, "common", share, start, _COMPARED),
        claim(undecided, "alone", float(low.mean()), units=lone),
        claim(compared, "kept", same, 0.5, _COMPARED),
        claim(compared, "own", greedy, inside, _COMPARED),
        claim(compared, "information", kept, chance, _COMPARED),
        claim(compared, "few", few, half, _COMPARED, smaller=True),
        *(claim(compared, method, *shares, _COMPARED) for method, shares in mixed.items()),
        claim(compared, "average", average, plain, "pair"),
        claim(compared, "layer", layers[:, 1], layers[:, 0], _COMPARED),
        claim(undecided, "spread", float(np.median(spread)), units=networks),
    ]


def outcome(result: Result) -> Outcome:
    """What `likewise study matching` prints and writes."""
    tops = result.settings.tops
    chance = {"held_out": HELD_OUT, "chance": tops**2 / HELD_OUT}
    text = Text(__file__, **vars(result.settings), **chance)
    found = numbers(result)
    stacked = {"barmode": "stack"}
    return Outcome(
        result,
        text,
        findings(result),
        found,
        grids(result),
        figures=[
            text.figure("strength", _strength(result), height=430, layout=stacked),
            text.figure("units", pictures.units(result), height=500),
            text.figure("matrices", pictures.matrices(result), height=340),
            text.figure("sparse", _sparse(result), height=420),
            text.figure("averages", _averages(result)),
        ],
        tables=[
            text.table("partners", ["", *_PARTNERS.values()], _partners(found["layers"])),
            text.table("groups", ["", *_GROUPS], _groups(found["layers"])),
        ],
        choices=("Layer", LAYERS, pictures.SHOWN_FIRST),
    )


def _partners(layers: dict[str, dict[str, Any]]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for layer, one in layers.items():
        cells: dict[str, Cell] = {name: one[name] for name in _PARTNERS}
        for what in ("greedy", "one_to_one"):
            name = f"correlation_{what}"
            cells[name] = one[name], one[f"shuffled_{what}"]
        name = "information_one_to_one"
        cells[name] = one[name], one[f"shuffled_{name}"]
        cells["living"] = f"{one['living']:g} of {UNITS[layer]}"
        cells["matched"] = f"{one['matched']:g} / {one['unmatched']:g}"
        cells["best_pairs_kept"] = f"{one['best_pairs_kept']:g} of {one['best_pairs']:g}"
        rows.append([layer, *cells.values()])
    return rows


def _groups(layers: dict[str, dict[str, Any]]) -> list[list[Cell]]:
    return [
        [
            layer,
            *map(float, vars(one["knee"]).values()),
            *((one[m]["shared"], one[m]["shared_shuffled"]) for m in ("tree", "spectral")),
            f"{one['tree']['r_inside']:.2f} / {one['tree']['r_outside']:.2f}",
            ", ".join(f"{value:.1f}" for value in one.get("spread", [])),
        ]
        for layer, one in layers.items()
    ]


def _strength(result: Result) -> list[Panel]:
    """How alike partners are in each layer, with all controls; and who has one."""
    settings, places, one = result.settings, range(len(LAYERS)), "correlation_one_to_one"
    lines = [
        curve(places, values.mean(axis=1), name, colour, dash=dash)
        for name, colour, dash, values in (
            ("greedy", CONTRASTS[0], "solid", result.over("correlation_greedy")),
            ("one to one", CONTRASTS[1], "solid", result.over(one)),
            ("before training", CONTROL, "solid", result.over(one, before=True)),
            (
                "same position, other image",
                CONTROL,
                "dash",
                result.over("same_position_one_to_one"),
            ),
            ("shuffled", CONTROL, "dot", result.over("shuffled_one_to_one")),
        )
    ]
    high, low = settings.matched, settings.unmatched
    above, below = (result.share(name).mean(axis=1) for name in ("matched", "unmatched"))
    shares = [
        bars(places, values, name, colour) | {"width": 0.62}
        for name, values, colour in (
            (f"r > {high}", above, ALIKE_SCALE[3][1]),
            (f"{low} to {high}", 1 - above - below, ALIKE_SCALE[1][1]),
            (f"r < {low}", below, "#c9ced4"),
        )
    ]
    r, share = axis("mean r", range=[-0.02, 1.04]), axis("share of living units", range=[0, 1])
    names = category_axis(LAYERS)
    return [
        Panel("mean correlation with partners", names, r, lines),
        Panel("how alike one-to-one partners are", names, share, shares),
    ]


def _sparse(result: Result) -> list[Panel]:
    """Loss and units used along the lasso path."""
    traces: tuple[list[Json], list[Json]] = [], []
    for layer, colour in zip(LAYERS, _COLOURS, strict=True):
        bend = result.knee_of(layer)
        ends = (bend.loss, bend.weights)
        for panel, values, end in zip(traces, result.path_of(layer), ends, strict=True):
            panel.append(curve(result.settings.penalties, values, layer, colour, marks=4))
            ring = points([bend.penalty], [end], f"{layer}, knee", colour, size=15, **_RING)
            panel.append(ring | NO_LEGEND)
    error = axis("half squared error", range=[0, 1.08 * TRIVIAL])
    weights = axis("units with a weight", rangemode="tozero")
    return [
        Panel("held-out loss", log_axis("penalty"), error, traces[0]),
        Panel("units used for a unit", log_axis("penalty"), weights, traces[1]),
    ]


def _averages(result: Result) -> list[Panel]:
    """Accuracy between two networks, and with one layer averaged."""
    found = result.averages.values()
    shares = np.linspace(0, 1, result.settings.shares)
    orders = {"as they are": CONTROL, "matched": CONTRASTS[1]}
    line, by_layer = (
        [
            curve(x, y, *look)
            for y, look in zip(np.mean(values, axis=0), orders.items(), strict=True)
        ]
        for x, values in (
            (shares, [one.line for one in found]),
            (range(len(LAYERS)), [one.by_layer for one in found]),
        )
    )
    share, up = axis("share of the second network"), axis("test accuracy", range=[0, 1.04])
    return [
        Panel("from one network to the other", share, up, line),
        Panel("one layer averaged", category_axis(LAYERS), axis(range=[0, 1.04]), by_layer),
    ]


def numbers(result: Result) -> dict[str, Any]:
    """By layer, means over pairs of networks; NaN where something is not defined."""
    return {
        "accuracies": result.accuracies,
        "layers": {layer: _layer(result, layer) for layer in LAYERS},
        "average": dict(zip(("as they are", "matched"), result.middle_of().mean(1), strict=True)),
        "largest_duality_gap": result.over_paths(lambda path: path.gap).max(),
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
        "knee": result.knee_of(layer),
        **trained,
        **{f"untrained_{name}": value for name, value in before.items()},
    }
    place = LAYERS.index(layer)
    for method in ("spectral", "tree"):
        inside, outside = _contrast(result.groups[layer].values(), method)
        out[method] = {
            "shared": result.shared(method)[place].mean(),
            "shared_shuffled": result.shared(method, shuffled=True)[place].mean(),
            "r_inside": inside,
            "r_outside": outside,
        }
    if layer in HIDDEN:
        out["spread"] = result.spreads(layer)
    return out


def _means(pairs: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([pair[name] for pair in pairs])) for name in pairs[0]}


def _contrast(found: Any, method: str) -> tuple[float, float]:
    """Mean |r| inside groups and between them, means over pairs."""
    pairs: list[Groups] = list(found)
    inside, outside = np.mean([one.contrast(getattr(one, method)) for one in pairs], axis=0)
    return float(inside), float(outside)
