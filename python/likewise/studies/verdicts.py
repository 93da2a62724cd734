"""Findings with verdicts: how a number and its control decide a claim.

A claim holds where evidence this strong would be found in at most `LEVEL` of the runs in which it
is not true; it does not hold where that is so of the opposite. All else is undecided: no control,
too few units, NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from likewise.report import Finding
from likewise.report.findings import Verdict

__all__ = ["above", "bounded", "compared", "given", "plural", "sign_test", "undecided"]

LEVEL = 0.05


def compared(
    statement: str,
    values: ArrayLike,
    controls: ArrayLike,
    units: str,
    note: str = "",
    *,
    smaller: bool = False,
) -> Finding:
    """Values (units,) above their controls (units,) or one control for all, by the sign test.

    `smaller` turns the claim round. Number and control are means over the units; units without a
    value or a control are left out.
    """
    one, other = np.broadcast_arrays(
        np.asarray(values, dtype=np.float64).ravel(), np.asarray(controls, dtype=np.float64).ravel()
    )
    kept = ~(np.isnan(one) | np.isnan(other))
    if not kept.any():
        return undecided(statement, math.nan, math.nan, units=plural(0, units), note=note)
    one, other = one[kept], other[kept]
    gains = other - one if smaller else one - other
    number, control, counted = float(one.mean()), float(other.mean()), plural(len(one), units)
    return _tested(statement, number, control, (sign_test(gains), sign_test(-gains)), counted, note)


def above(statement: str, value: float, draws: ArrayLike, units: str, note: str = "") -> Finding:
    """A number above what `draws` of its control gave: p is the share that reach it."""
    control = np.asarray(draws, dtype=np.float64).ravel()
    if math.isnan(value) or np.isnan(control).any() or not control.size:
        return undecided(statement, value, units=units, note=note)
    above, below = (
        (1 + int(reached.sum())) / (1 + control.size)
        for reached in (control >= value, control <= value)
    )
    return _tested(statement, value, float(control.mean()), (above, below), units, note)


def given(
    statement: str, number: float, control: float, p_value: float, units: str, note: str = ""
) -> Finding:
    """A number above its control, by the two-sided p-value of a test that was made elsewhere."""
    if math.isnan(number - control) or math.isnan(p_value):
        return undecided(statement, number, control, units=units, note=note)
    p = p_value / 2 if number > control else 1 - p_value / 2
    return _tested(statement, number, control, (p, 1 - p), units, note)


def bounded(
    statement: str,
    number: float,
    bound: float,
    units: str,
    note: str = "",
    *,
    control: float | None = None,
) -> Finding:
    """A number that nothing random has a part in, at most this bound; which is its control, too."""
    verdict: Verdict = "undecided"
    if not math.isnan(number) and not math.isnan(bound):
        verdict = "holds" if number <= bound else "does not hold"
    shown = bound if control is None else control
    return Finding(statement, number, shown, units=units, verdict=verdict, note=note)


def undecided(
    statement: str, number: float, control: float = math.nan, *, units: str = "", note: str = ""
) -> Finding:
    """A number that nothing is there to judge by."""
    return Finding(statement, number, control, units=units, note=note)


def sign_test(gains: Sequence[float] | np.ndarray) -> float:
    """P(so many of these are above 0, or more), were both signs equally likely; zeros left out."""
    signs = np.sign(gains)
    n, above = int(np.count_nonzero(signs)), int((signs > 0).sum())
    if n == 0:
        return 1.0
    return float(sum(math.comb(n, k) for k in range(above, n + 1)) / 2**n)


def plural(count: int, noun: str) -> str:
    """`1 layer`, `3 layers`."""
    return f"{count} {noun}{'s' * (count != 1)}"


def _tested(
    statement: str,
    number: float,
    control: float,
    p_values: tuple[float, float],
    units: str,
    note: str,
) -> Finding:
    """By the p-values of the claim and of its opposite."""
    verdicts: tuple[Verdict, Verdict] = ("holds", "does not hold")
    found = [v for v, p in zip(verdicts, p_values, strict=True) if p <= LEVEL]
    verdict = found[0] if found else "undecided"
    return Finding(statement, number, control, p_values[0], units=units, verdict=verdict, note=note)
