"""The figures of the report."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from likewise.report import Figure, Panels
from likewise.report.curves import curve
from likewise.report.panels import Json, axis_title
from likewise.report.style import CONTRASTS, CONTROL, DEPTHS, number
from likewise.studies.circles.experiment import RELATIVE, Collaboration, Result
from likewise.studies.circles.findings import example
from likewise.studies.circles.fitting import LINEAR, SPARSE
from likewise.studies.circles.signals import Floats

_ALIVE, _DEAD = CONTRASTS[1], CONTROL
_STRIDE = 10


def figures(result: Result) -> list[Figure]:
    """In the order of the report."""
    shown = example(result)
    filtered = [] if shown is None else [_collaboration(result, shown)]
    return [_signals(result), _survival(result), *filtered, _interventions(result)]


def _signals(result: Result) -> Figure:
    settings = result.settings
    panels = Panels(1, 2, height=420, gap=(0.08, 0), bottom=58)
    signals = result.signals[0, 0]
    alive = result.survival.alive[RELATIVE][0, 0]
    panels.title(0, 0, "one run: every frequency")
    panels.title(0, 1, "the recurrence from the start")
    steps = np.arange(0, len(signals), _STRIDE)
    cut = steps[steps <= settings.dynamics_steps]
    named: set[str] = set()
    for frequency in np.argsort(alive, kind="stable"):
        name = "survives" if alive[frequency] else "dies"
        colour = _ALIVE if alive[frequency] else _DEAD
        for column, rows in enumerate((steps, cut)):
            values = signals[rows, frequency]
            line = _line(rows, values, name, colour, f"k = {frequency + 1}")
            panels.add(0, column, line | {"showlegend": name not in named})
            named.add(name)
    for fit, colour in ((LINEAR, CONTRASTS[0]), (SPARSE, CONTRASTS[2])):
        states = result.fitted.example[fit]
        for frequency in range(signals.shape[1]):
            hover = f"{fit}, k = {frequency + 1}"
            line = _line(cut, states[cut, frequency], fit, colour, hover, dash="dot")
            panels.add(0, 1, line | {"showlegend": frequency == 0})
    for column in range(2):
        panels.axes(
            0, column, {"title": axis_title("training step")}, {"title": axis_title("signal ‖F_k‖")}
        )
    return Figure(
        "signals",
        f"The signals of {settings.frequencies} frequencies during training",
        panels,
        "Left: the signal of every frequency in the first run. Green: more than twice the mean at "
        "the end; grey: not, or not yet. Right: the same with linear recurrences fitted to these "
        "steps and rolled out from the first state alone (dotted). Scores on steps and runs that "
        "were not fitted are in the table below.",
    )


def _survival(result: Result) -> Figure:
    panels = Panels(1, 2, height=430, gap=(0.08, 0), bottom=58)
    tested = result.survival
    initial = result.signals[:, 0, 0]
    rate = tested.alive[RELATIVE].mean(axis=1)
    panels.title(0, 0, "survival rate by initial signal")
    panels.title(0, 1, "survivors by initial signal and gradient")
    for number_, (x, y) in enumerate(zip(initial, rate, strict=True)):
        hover = [f"k = {k}, {number(a, 1)}, survives {number(b)}" for k, (a, b) in _numbered(x, y)]
        colour = DEPTHS[number_ % len(DEPTHS)]
        panels.add(0, 0, _points(x, y, f"embedding {number_ + 1}", colour, hover, 9))
    everywhere = np.broadcast_to(initial[:, None], tested.gradient.shape)
    for name, mask, colour in (
        ("dies", ~tested.alive[RELATIVE], _DEAD),
        ("survives", tested.alive[RELATIVE], _ALIVE),
    ):
        x, y = tested.gradient[mask], everywhere[mask]
        hover = [
            f"{name}: g {number(g, 4)}, signal {number(s, 1)}" for g, s in zip(x, y, strict=True)
        ]
        panels.add(0, 1, _points(x, y, name, colour, hover, 7))
    panels.axes(
        0,
        0,
        {"title": axis_title("initial signal")},
        {"title": axis_title("share of runs"), "range": [-0.05, 1.05]},
    )
    step = result.settings.gradient_step
    panels.axes(
        0,
        1,
        {"title": axis_title(f"relative change of the signal at step {step}")},
        {"title": axis_title("initial signal")},
    )
    return Figure(
        "survival",
        "Survival against the initial signal and its first change",
        panels,
        f"Left: one point for each frequency of each initial embedding; the share of its "
        f"{result.settings.runs} runs, with other weights and another split, in which it survived. "
        "Right: one point for each frequency and run.",
    )


def _collaboration(result: Result, shown: Collaboration) -> Figure:
    panels = Panels(1, 1, height=400, bottom=58)
    steps = [float(step) for step in result.settings.checkpoints]
    tables = [(f"{size} kept", table) for size, table in enumerate(shown.subsets, 1)]
    series = [(name, table.mean(axis=1)) for name, table in tables]
    colours = list(DEPTHS[: len(series)])
    series += [("as many that died", shown.dead), ("nothing removed", shown.whole)]
    colours += [CONTROL, "#1c2733"]
    for (name, losses), colour in zip(series, colours, strict=False):
        hover = [
            f"{name}, step {s:.0f}: {number(v, 3)}" for s, v in zip(steps, losses, strict=True)
        ]
        panels.add(0, 0, curve(steps, losses.tolist(), name, colour, hover))
    panels.axes(
        0,
        0,
        {"title": axis_title("training step")},
        {"title": axis_title("held-out loss"), "type": "log", "dtick": 1},
    )
    return Figure(
        "collaboration",
        "What the network can do with some of its circles",
        panels,
        "At every checkpoint all frequencies but the named ones are removed from the embedding and "
        "the same network is tested: mean over all choices of 1, 2, ... of the circles "
        f"{', '.join(map(str, shown.circles))}, which survive. Grey: frequencies that die. The "
        "loss axis is logarithmic.",
    )


def _interventions(result: Result) -> Figure:
    panels = Panels(1, 3, height=400, gap=(0.07, 0), bottom=84)
    panels.title(0, 0, "one frequency scaled")
    panels.title(0, 1, "the rest removed before training")
    panels.title(0, 2, "two built circles")
    for factor, values in result.perturbation.items():
        flat = values.ravel()
        hover = [f"scaled by {number(factor, 3)}: final signal {number(v, 1)}" for v in flat]
        trace = _points(np.full(flat.size, factor), flat, "scaled", DEPTHS[1], hover, 8)
        panels.add(0, 0, trace | {"showlegend": False})
    for position, (name, values) in enumerate(result.ablation.items()):
        flat = values.ravel()
        hover = [f"{name}: loss {number(v, 4)}" for v in flat]
        colour = CONTROL if name == "everything" else DEPTHS[3]
        trace = _points(np.full(flat.size, position), flat, name, colour, hover, 8)
        panels.add(0, 1, trace | {"showlegend": False})
    ratios = np.array(sorted(result.construction))
    ends = np.array([result.construction[r][-1, 1] / result.construction[r][-1, 0] for r in ratios])
    hover = [f"{number(a)} → {number(b)}" for a, b in zip(ratios, ends, strict=True)]
    panels.add(0, 2, _points(ratios, ends, "built", DEPTHS[4], hover, 8) | {"showlegend": False})
    line = _line(ratios, ratios, "unchanged", CONTROL, "unchanged", dash="dot")
    panels.add(0, 2, line | {"showlegend": False})
    panels.axes(
        0, 0, {"title": axis_title("factor at the start")}, {"title": axis_title("final signal")}
    )
    names = [name.replace(" ", "<br>") for name in result.ablation]
    panels.axes(
        0,
        1,
        {"tickvals": list(range(len(names))), "ticktext": names, "showgrid": False},
        {"title": axis_title("held-out loss"), "type": "log", "dtick": 1},
    )
    panels.axes(
        0,
        2,
        {"title": axis_title("ratio of signals at the start"), "type": "log", "dtick": 1},
        {"title": axis_title("ratio at the end"), "type": "log", "dtick": 1},
    )
    return Figure(
        "interventions",
        "What a change of the initial embedding does",
        panels,
        "Left: final signal of the frequency of median strength after scaling it at the start; one "
        "point for each run. Middle: held-out loss after as many steps when the embedding starts "
        "with some frequencies alone; grey is the control, nothing removed. Right: embeddings of "
        "two circles and nothing else; below the dotted line the weaker one fell behind.",
    )


def _numbered(x: Floats, y: Floats) -> list[tuple[int, tuple[float, float]]]:
    return list(enumerate(zip(x.tolist(), y.tolist(), strict=True), 1))


def _points(x: Floats, y: Floats, name: str, colour: str, hover: list[str], size: int) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x.tolist(),
        "y": y.tolist(),
        "name": name,
        "marker": {"color": colour, "size": size, "opacity": 0.75},
        "hovertext": hover,
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _line(
    x: NDArray[Any], y: Floats, name: str, colour: str, hover: str, dash: str = "solid"
) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x.tolist(),
        "y": y.tolist(),
        "name": name,
        "legendgroup": name,
        "line": {"color": colour, "width": 1.6, "dash": dash},
        "hovertemplate": f"{hover}<extra></extra>",
    }
