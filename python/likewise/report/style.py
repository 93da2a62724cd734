"""Colours, numbers and the style sheet that all reports share."""

from __future__ import annotations

import math

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


STYLE_SHEET = f"""
:root {{ color-scheme: light; }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: {PAPER}; color: {INK}; font: 16px/1.55 {FONT}; }}
main {{ max-width: 1160px; margin: 0 auto; padding: 40px 28px 72px; }}
.kicker {{ margin: 0 0 6px; color: {QUIET}; font-size: 14px; letter-spacing: 0.02em; }}
h1 {{ margin: 0 0 14px; font-size: 34px; line-height: 1.2; font-weight: 650;
     letter-spacing: -0.015em; max-width: 26em; }}
h2 {{ margin: 48px 0 6px; font-size: 21px; line-height: 1.3; font-weight: 640; }}
h3 {{ margin: 22px 0 4px; font-size: 16px; font-weight: 640; }}
p {{ margin: 0 0 12px; max-width: 46em; }}
.lead {{ font-size: 18px; color: #36424e; }}
table.findings {{ width: 100%; margin-top: 26px; }}
.findings th, .findings td {{ white-space: normal; padding-right: 18px; }}
.findings tbody th {{ font-weight: 600; min-width: 20em; }}
.findings td[data-name="Evidence"] {{ white-space: nowrap; }}
.findings td[data-name="Over"] {{ min-width: 6.5em; }}
.findings th .control {{ display: block; font-size: 14px; font-weight: 400; }}
.verdict {{ white-space: nowrap; padding: 2px 10px; border-radius: 999px; background: #eceff2; }}
.verdict.holds {{ background: #d8efe6; color: #0a5a45; }}
.verdict.does-not-hold {{ background: #f6dde6; color: #7d1f52; }}
@media (max-width: 760px) {{
  main {{ padding: 24px 16px 48px; }}
  h1 {{ font-size: 26px; }}
  .findings thead {{ display: none; }}
  .findings tr {{ display: block; padding: 12px 0; border-bottom: 1px solid {RULE}; }}
  .findings th, .findings td {{ display: block; border: 0; padding: 2px 0; }}
  .findings td[data-name] {{ display: inline-block; min-width: 0; margin-right: 16px; }}
  .findings tbody th {{ min-width: 0; }}
  .findings td[data-name]::before {{ content: attr(data-name) ": "; color: {QUIET}; }}
  dl {{ grid-template-columns: 1fr !important; }}
}}
.control {{ color: {QUIET}; }}
.caption {{ color: {QUIET}; font-size: 15px; margin-top: 4px; }}
.choices {{ position: sticky; top: 0; z-index: 5; margin: 34px 0 0; padding: 10px 0;
     background: {PAPER}; border-bottom: 1px solid {RULE}; display: flex; flex-wrap: wrap;
     gap: 6px 10px; align-items: center; font-size: 15px; border: 0; }}
.choices legend {{ float: left; padding: 0; margin-right: 6px; color: {QUIET}; }}
.choices label {{ position: relative; cursor: pointer; }}
.choices input {{ position: absolute; opacity: 0; inset: 0; cursor: pointer; }}
.choices span {{ display: block; padding: 4px 14px; border: 1px solid {RULE};
     border-radius: 999px; }}
.choices input:checked + span {{ background: {INK}; border-color: {INK}; color: {PAPER}; }}
.choices input:focus-visible + span {{ outline: 2px solid #2a83b8; outline-offset: 2px; }}
.scroll {{ overflow-x: auto; }}
.plot {{ min-width: 1060px; }}
table {{ border-collapse: collapse; font-size: 15px; font-variant-numeric: tabular-nums;
     margin: 10px 0 6px; }}
th, td {{ padding: 6px 22px 6px 0; text-align: left; vertical-align: baseline;
     border-bottom: 1px solid {RULE}; white-space: nowrap; }}
th {{ font-weight: 640; }}
td .control {{ font-size: 13px; margin-left: 6px; }}
tbody th {{ font-weight: 400; }}
details {{ margin-top: 18px; }}
summary {{ cursor: pointer; font-weight: 640; }}
dl {{ display: grid; grid-template-columns: 140px 1fr; gap: 4px 24px; font-size: 15px;
     margin: 8px 0; }}
dt {{ color: {QUIET}; }}
dd {{ margin: 0; max-width: 52em; }}
"""
