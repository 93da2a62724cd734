"""What checks of the fuzzer share: inputs in any place of memory, and what counts as the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from fuzz_data import Array, layouts, make_case
from reference.exact import near_one, power_of
from scipy.optimize import linear_sum_assignment

Call = Callable[..., Any]
Check = Callable[[np.random.Generator, Call], None]

# Shares of the largest number that a result may be off by.
SHARE = {np.dtype(np.float64): 1e-11, np.dtype(np.float32): 2e-5}


def same(found: Any, expected: Any, size: Any = None, share: float = 0.0, what: str = "") -> None:
    """Within a share of the largest expected number, or of ``size``; NaN and infinity as well."""
    found, expected = np.asarray(found), np.asarray(expected)
    found = found.astype(found.dtype.newbyteorder("="))
    assert found.shape == expected.shape, f"{what} shape {found.shape}, expected {expected.shape}"
    dtype = found.dtype if found.dtype in SHARE else np.dtype(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        expected = np.asarray(expected, np.longdouble).astype(dtype)
    finite = np.abs(expected[np.isfinite(expected)])
    size = float(finite.max(initial=0)) if size is None else float(size)
    bound = max((share or SHARE[dtype]) * size, float(np.finfo(dtype).tiny))
    both = np.isnan(found) & np.isnan(expected) | (found == expected)
    off = ~both & ~(np.abs(np.longdouble(found) - expected) <= bound)
    assert not off.any(), (
        f"{what} {found[off][:5]}, expected {expected[off][:5]} within {bound:.3g}"
    )


def placed(rng: np.random.Generator, x: Array) -> Array:
    """The same numbers somewhere else in memory."""
    places = [x, *(place for _, place in layouts(rng, x))]
    return places[int(rng.integers(len(places)))]


def pair(rng: np.random.Generator, least: int = 4) -> tuple[Array, Array]:
    case = make_case(rng, least)
    return placed(rng, case.x), placed(rng, case.y)


def matrix(rng: np.random.Generator, reach: float = 1.0) -> Array:
    """Of any shape, values, type and scale (whose exponent is multiplied by ``reach``)."""
    case = make_case(rng, 1)
    x = case.x[: int(rng.integers(1, len(case.x) + 1))]
    if power_of(x) and reach < 1:
        x = np.ldexp(x, int(power_of(x) * (reach - 1)))
    return x.T.copy() if rng.random() < 0.5 else x


def best_total(cost: Array, maximize: bool) -> float | None:
    """Sum of the best assignment; None if there is none."""
    near = np.where(np.isfinite(cost), near_one(np.where(np.isfinite(cost), cost, 0)), cost)
    try:
        return float(near[linear_sum_assignment(near.astype(np.float64), maximize)].sum())
    except ValueError:
        return None
