"""Colours, numbers and the style sheet that all reports share."""

from __future__ import annotations

import math
from pathlib import Path

INK = "#1c2733"
QUIET = "#5b6875"
RULE = "#d9dfe5"
PAPER = "#ffffff"
CONTROL = "#8a949e"
CONTROL_BAND = "rgba(138, 148, 158, 0.25)"

# Light to dark: more alike is darker in every heat map; grey is always the control.
ALIKE_SCALE = ((0.0, "#f1f6fb"), (0.35, "#a9cbe6"), (0.7, "#3f83bf"), (1.0, "#0b3a70"))
CONTROL_SCALE = ((0.0, "#fafafa"), (1.0, "#3d434a"))

DEPTHS = ("#35b0a1", "#2a83b8", "#5b57b0", "#8a2f7c", "#b3264f", "#d1602a")
CONTRASTS = ("#d97a06", "#0f8a6a", "#b0417f")

FONT = '"Inter", "Segoe UI", "Helvetica Neue", Arial, sans-serif'


def number(value: float, digits: int = 2) -> str:
    """Fixed decimals with a true minus sign, never "-0.00"; NaN is written out."""
    if math.isnan(value):
        return "NaN"
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def short(value: float) -> str:
    """Three digits that count: `0.0123`, `12.3`, `6e−10`; a dash for NaN."""
    if math.isnan(value):
        return "–"
    size = abs(value)
    if value == 0 or 1e-3 <= size < 1e4:
        return number(value, max(0, 2 - math.floor(math.log10(size))) if value else 0)
    return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e").replace("-", "−")


def control_text(mean: float, sd: float, digits: int = 3) -> str:
    """Mean and standard deviation of a control: `0.130 ± 0.004`."""
    return f"{number(mean, digits)} ± {number(sd, digits)}"


def style_sheet() -> str:
    """``page.css`` with the colours above."""
    values = {"paper": PAPER, "ink": INK, "quiet": QUIET, "rule": RULE, "font": FONT}
    names = " ".join(f"--{name}: {value};" for name, value in values.items())
    text = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return f":root {{ color-scheme: light; {names} }}\n{text}"
