"""Pictures of one layer and pair: images that drive matched units, and matrices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from likewise.report import Panel, number
from likewise.report.charts import curve, heat_map, of_choice, texts
from likewise.report.panels import Json
from likewise.report.style import CONTRASTS
from likewise.studies.digits import SIDE
from likewise.studies.matching.experiment import Result
from likewise.studies.matching.networks import (
    LAYERS,
    Field,
    Numbers,
    receptive_field,
    untrained,
)

SHOWN_FIRST = LAYERS.index("conv2")
RANKS = (("best pair", 0.0), ("a quarter down", 0.25), ("median", 0.5), ("worst", 1.0))

_GREYS = ((0.0, "#ffffff"), (1.0, "#2b333c"))
_FRAME = "#e4572e"

_FIRST, _SECOND = CONTRASTS[0], CONTRASTS[1]
_BARE: Json = {"showgrid": False, "showticklabels": False, "showline": False, "ticks": ""}

# In pixels of the images.
_PITCH, _ROW = SIDE + 1, SIDE + 4
_BETWEEN_NETWORKS, _LABELS, _HEADER = 4, 22, 4


@dataclass(frozen=True)
class ShownPair:
    """One-to-one partners of the first pair of networks."""

    name: str
    unit: int
    partner: int
    r: float
    shared: int
    """Images among the strongest of both."""


def shown_pairs(result: Result, layer: str) -> Iterator[ShownPair]:
    """From the best to the worst pair of living units."""
    a, b = result.settings.pairs[0]
    statistics = result.statistics[layer]
    found = result.partners[layer][a, b].correlation
    partner_of = found.matching.one_to_one
    ranked = [unit for unit in found.ranked() if statistics.alive[b, partner_of[unit]]]
    for name, rank in RANKS:
        unit = int(ranked[round(rank * (len(ranked) - 1))])
        partner = int(partner_of[unit])
        both = np.intersect1d(
            statistics.tops[a].images[:, unit], statistics.tops[b].images[:, partner]
        )
        r = float(statistics.pairs[a, b].correlation[unit, partner])
        yield ShownPair(name, unit, partner, r, len(both))


def units(result: Result) -> list[Panel]:
    """The images that drive both units of a pair most, for pairs from best to worst."""
    shown = result.settings.shown
    traces = [
        of_choice(trace, choice, SHOWN_FIRST)
        for choice, layer in enumerate(LAYERS)
        for trace in _stimuli(result, layer)
    ]
    width, height = _second(shown) + shown * _PITCH, len(RANKS) * _ROW
    across = {"range": [-_LABELS, width], "constrain": "domain", "constraintoward": "left"}
    down = {"range": [height - 2, -_HEADER], "scaleanchor": "x"}
    return [Panel("", _BARE | across, _BARE | down, traces)]


def matrices(result: Result) -> list[Panel]:
    """Correlations between and within two networks, as they are and in matched order."""
    titles = ("between, as numbered", "between, matched", "within the first", "within the second")
    of_layers = [_ordered(result, layer) for layer in LAYERS]
    return [
        Panel(
            title,
            *_square(column),
            [of_choice(_matrix(m[column]), k, SHOWN_FIRST) for k, m in enumerate(of_layers)],
        )
        for column, title in enumerate(titles)
    ]


def _ordered(result: Result, layer: str) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Correlations between as numbered and matched, within the first and within the second."""
    a, b = result.settings.pairs[0]
    statistics = result.statistics[layer]
    between = statistics.pairs[a, b].correlation
    found = result.partners[layer][a, b].correlation
    partner_of = found.matching.one_to_one
    dead = np.flatnonzero(~found.alive)
    dead = dead[np.argsort(~statistics.alive[b, partner_of[dead]], kind="stable")]
    rows = np.concatenate([found.ranked(), dead])
    columns = partner_of[rows]
    return (
        between,
        between[np.ix_(rows, columns)],
        statistics.within[a][np.ix_(rows, rows)],
        statistics.within[b][np.ix_(columns, columns)],
    )


def _square(column: int) -> tuple[Json, Json]:
    """Axes of a matrix whose size changes with the layer."""
    plain = _BARE | {"constrain": "domain"}
    anchor = "x" if column == 0 else f"x{column + 1}"
    return plain, plain | {"autorange": "reversed", "scaleanchor": anchor}


def _matrix(values: Numbers) -> Json:
    cells = heat_map(np.round(values, 4), numbered=False)[0]
    return cells | {"hovertemplate": "units %{y} and %{x}: %{z:.2f}<extra></extra>"}


@dataclass
class _Mosaic:
    """Images side by side, with frames on them."""

    pixels: Numbers
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)

    def put(self, image: Numbers, left: int, top: int) -> None:
        self.pixels[top : top + SIDE, left : left + SIDE] = image

    def frame(self, seen: Field, position: int, left: int, top: int) -> None:
        """Around what a unit sees at a position, as far as it lies in the image."""
        row, column = divmod(position, SIDE // seen.step)
        x0, x1 = (left + edge for edge in _edges(seen, column))
        y0, y1 = (top + edge for edge in _edges(seen, row))
        self.x += [x0, x1, x1, x0, x0, np.nan]
        self.y += [y0, y0, y1, y1, y0, np.nan]


def _edges(seen: Field, position: int) -> tuple[float, float]:
    start = seen.start + position * seen.step
    return max(start, 0) - 0.5, min(start + seen.size, SIDE) - 0.5


def _second(shown: int) -> int:
    """Where the images of the second network begin."""
    return shown * _PITCH + _BETWEEN_NETWORKS


def _stimuli(result: Result, layer: str) -> list[Json]:
    settings, statistics = result.settings, result.statistics[layer]
    second = _second(settings.shown)
    seen = receptive_field(untrained(settings, 0), layer)
    mosaic = _Mosaic(np.full((len(RANKS) * _ROW, second + settings.shown * _PITCH), np.nan))
    labels = []
    for row, pair in enumerate(shown_pairs(result, layer)):
        labels.append(
            f"<b>{pair.name}</b><br>r = {number(pair.r)}<br>{pair.shared} of {settings.tops} shared"
        )
        sides = ((pair.unit, 0), (pair.partner, second))
        for network, (unit, start) in zip(settings.pairs[0], sides, strict=True):
            tops = statistics.tops[network]
            for k in range(settings.shown):
                left, top = start + k * _PITCH, row * _ROW
                mosaic.put(result.probe[tops.images[k, unit], 0].numpy(), left, top)
                if seen is not None:
                    mosaic.frame(seen, int(tops.positions[k, unit]), left, top)
    middles = [row * _ROW + SIDE / 2 - 0.5 for row in range(len(labels))]
    titles = ["<b>unit of the first network</b>", "<b>its partner in the second</b>"]
    right = {"textposition": "middle right"}
    return [
        heat_map(np.round(mosaic.pixels, 3), colours=_GREYS, numbered=False)[0]
        | {"hoverinfo": "skip", "hovertemplate": None},
        curve(mosaic.x, mosaic.y, "", _FRAME, marks=0),
        texts([1.0 - _LABELS] * len(labels), middles, labels, **right),
        texts([-0.5, second - 0.5], [1.4 - _HEADER] * 2, titles, **right),
    ]
