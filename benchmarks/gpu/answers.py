"""Assignments that the simulator of the tests found, for a device to find again.

    python -m benchmarks.gpu.answers MODULE     writes answers.npz; MODULE: the simulator

Costs must agree to rounding and certificates hold, pairs be the same where the optimum is unique.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import likewise as lw
from benchmarks.gpu.device import plain

Array = NDArray[Any]
SAVED = Path(__file__).with_name("answers.npz")


def problems() -> Iterator[tuple[str, Array]]:
    """Square and oblong costs of two precisions, with ties and with forbidden pairs."""
    rng = np.random.default_rng(4)
    yield "normal", rng.standard_normal((3, 96, 96))
    yield "single", rng.standard_normal((3, 96, 96), dtype=np.float32)
    yield "wide", rng.standard_normal((2, 40, 130))
    yield "tall", rng.standard_normal((2, 130, 40), dtype=np.float32)
    yield "ties", rng.integers(0, 20, (2, 64, 64)).astype(np.float64)
    forbidden = rng.random((2, 64, 64))
    forbidden[rng.random(forbidden.shape) < 0.3] = np.inf
    yield "forbidden", forbidden
    yield "products", np.outer(np.arange(1.0, 81.0), np.arange(1.0, 81.0))[None]


def is_unique(cost: Array) -> bool:
    """Whether every assignment without one of the optimal pairs costs more."""
    from scipy.optimize import linear_sum_assignment  # not needed where there is the device

    rows, cols = linear_sum_assignment(cost)
    best = cost[rows, cols].sum(dtype=np.float64)
    for row, col in zip(rows, cols, strict=True):
        other = cost.copy()
        other[row, col] = np.inf
        try:
            without = other[linear_sum_assignment(other)].sum(dtype=np.float64)
        except ValueError:  # infeasible
            continue
        if without <= best + 1e-9 * np.abs(best):
            return False
    return True


def solve(device: Any, cost: Array) -> dict[str, Array]:
    found = plain(lw.assignment)(device.put(cost))
    return {
        name: device.get(getattr(found, name)) for name in ("cost", "gap", "row_ind", "col_ind")
    }


def save(device: Any) -> None:
    answers: dict[str, Array] = {}
    for name, costs in problems():
        found = solve(device, costs)
        found["unique"] = np.array([is_unique(cost) for cost in costs])
        found["checksum"] = np.array(zlib.crc32(costs.tobytes()))
        answers |= {f"{name}.{part}": value for part, value in found.items()}
    np.savez_compressed(SAVED, **answers)


def worst(device: Any) -> float:
    """The largest relative error of the device's costs and certificates against the saved ones.

    Raises
    ------
    AssertionError
        Where a unique optimum has other pairs, or NumPy draws other costs than it did.
    """
    error = 0.0
    with np.load(SAVED) as saved:
        for name, costs in problems():
            if zlib.crc32(costs.tobytes()) != saved[f"{name}.checksum"]:
                raise AssertionError(f"{name}: this NumPy draws other costs; save answers again")
            found = solve(device, costs)
            alone = saved[f"{name}.unique"]
            for part in ("row_ind", "col_ind"):
                if not np.array_equal(found[part][alone], saved[f"{name}.{part}"][alone]):
                    raise AssertionError(f"{name}: {part} of a unique optimum differ")
            scale = np.abs(saved[f"{name}.cost"])
            error = max(
                error,
                float((np.abs(found["cost"] - saved[f"{name}.cost"]) / scale).max()),
                float((found["gap"] / scale).max()),
            )
    return error


if __name__ == "__main__":
    from benchmarks.gpu.device import Simulator

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module")
    save(Simulator(parser.parse_args().module))
