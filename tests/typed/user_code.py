"""Code as users write it, for type checkers: ``mypy --strict`` and ``pyright`` (basic) are clean.

``assert_type`` says what an editor shows; the tests run this file too.
"""

from __future__ import annotations

from typing import assert_type

import numpy as np
from numpy.typing import NDArray

import likewise as lw
from likewise.typing import AnyArray, ArrayT, MeasureName

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def half(x: AnyArray[ArrayT], y: AnyArray[ArrayT]) -> ArrayT:
    """Functions of one's own follow the arrays as well."""
    return lw.svdvals(x)


def best(grid: lw.Grid, measure: MeasureName) -> str:
    """A measure's name is one of those that there are."""
    kind = lw.measure(measure).kind
    row = np.argmax(grid.values[0]) if kind == "similarity" else np.argmin(grid.values[0])
    return grid.columns[row]


def main() -> None:
    rng = np.random.default_rng(0)
    x: Matrix = np.reshape(rng.standard_normal(1200), (60, 20))
    y: Matrix = np.reshape(rng.standard_normal(1200), (60, 20))
    batch: np.ndarray[tuple[int, int, int], np.dtype[np.float64]] = np.stack([x, y])

    score = lw.cka(x, y, kernel="rbf")
    assert_type(score, np.float64)
    share: float = score
    assert 0 <= share <= 1
    assert_type(lw.procrustes(x, y, score="similarity"), np.float64)
    assert_type(lw.procrustes(x=batch, y=batch), NDArray[np.float64])

    grid = lw.pairwise({"a": x, "b": y}, "cka", kernel="linear")
    assert_type(grid, lw.Grid)
    assert best(grid, "cka") == "a"
    assert_type(lw.pairwise([x, y]), NDArray[np.float64])
    assert_type(lw.cross({"a": x}, [y], lw.measure("rsa", comparison="spearman")), lw.Grid)

    match = lw.permutation_match(x, y)
    assert_type(match, lw.Match[NDArray[np.float64]])
    rows, columns = lw.linear_sum_assignment(-np.abs(x[:20]))
    assert rows.shape == columns.shape
    assert_type(lw.optimal_transport(x), NDArray[np.float64])
    assert_type(lw.optimal_transport(x, return_duals=True), lw.Transport[NDArray[np.float64]])

    test = lw.permutation_test(x, y, "cka", n=20)
    calibrated = lw.calibrate({"a": x, "b": y}, n=9, aggregate="mean")
    assert_type((calibrated.threshold, calibrated.aggregate.score), tuple[float, float])
    interval = lw.bootstrap(x, y, lw.cka, n=20)
    assert_type(test.p_value, float)
    assert_type((interval.low, interval.high), tuple[float, float])
    prediction = lw.linear_predictivity(x, y, alphas=None, cv=3)
    assert prediction.per_target.shape == (20,)
    assert half(x, y).shape == (20,)

    with lw.num_threads(1):
        stream = lw.scale.Accumulator("cka")
        stream.update([x], [y])
        stream.compute()
    lw.maps.Ridge().fit(x, y).predict(x)
    if not lw.cuda.is_available():
        print(lw.cuda.why_not(), lw.__version__)


if __name__ == "__main__":
    main()
