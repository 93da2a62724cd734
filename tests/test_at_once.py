"""Small matrices are answered at once, by the numbers of the long way, or sent there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

import likewise as lw
from likewise import _cpu

PAIRS = {
    "procrustes": _cpu.procrustes_at_once((True, True, 1.0, "angular")),
    "cka": _cpu.kernel_at_once(("linear", "biased", True, 0.5, True, 3, 1.0, 0.0)),
}
AT_ONCE = {**PAIRS, "assignment": lambda x, y: _cpu.assignment_at_once(x, False)}


def two(shape_x=(50, 16), shape_y=(50, 9), seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape_x), rng.standard_normal(shape_y)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("layout", [np.asarray, np.asfortranarray, lambda x: x[::-1, ::-1]])
def test_pairs_are_as_the_long_way_says(name, layout):
    x, y = map(layout, two())
    found = PAIRS[name](x, y)
    assert type(found) is np.float64
    assert found == lw.measure(name)(x, y) == getattr(lw, name)(x, y)


@pytest.mark.parametrize("score", ["angular", "euclidean", "similarity"])
def test_every_score_of_procrustes_is_as_the_long_way_says(score):
    x, y = two()
    found = _cpu.procrustes_at_once((True, True, 1.0, score))(x, y)
    assert found == lw.measure("procrustes", score=score)(x, y) == lw.procrustes(x, y, score=score)


@pytest.mark.parametrize("shape", [(16, 16), (9, 16), (16, 9), (1, 1), (0, 4)])
@pytest.mark.parametrize("maximize", [False, True, np.True_, 1])
def test_assignments_are_scipys(shape, maximize):
    cost = two(shape)[0]
    rows, cols = _cpu.assignment_at_once(cost, maximize)
    expected = optimize.linear_sum_assignment(cost, bool(maximize))
    assert rows.dtype == cols.dtype == np.int64
    np.testing.assert_array_equal((rows, cols), expected)


class Subclass(np.ndarray):
    pass


def misaligned(x):
    raw = np.zeros(x.nbytes + 4, np.uint8)[4:]
    raw[:] = np.frombuffer(x.tobytes(), np.uint8)
    return raw.view(x.dtype).reshape(x.shape)


OTHERS = {
    "float32": lambda x: x.astype(np.float32),
    "integers": lambda x: x.astype(np.int64),
    "complex": lambda x: x.astype(complex),
    "big-endian": lambda x: x.astype(">f8"),
    "subclass": lambda x: x.view(Subclass),
    "misaligned": misaligned,
    "list": lambda x: x.tolist(),
    "batch": lambda x: x[None],
    "vector": lambda x: x[:, 0],
    "large": lambda x: np.tile(x, (10, 10)),
    "nan": lambda x: np.where(x == x[0, 0], np.nan, x),
}


@pytest.mark.parametrize("name", AT_ONCE)
@pytest.mark.parametrize("kind", OTHERS)
def test_all_else_goes_the_long_way(name, kind):
    x, y = two()
    found = AT_ONCE[name](OTHERS[kind](x), y)
    assert (found is None) == ((name, kind) != ("assignment", "large"))
    if name in PAIRS:
        assert AT_ONCE[name](y, OTHERS[kind](x)) is None


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: x * (np.arange(16) > 0), lw.DegenerateWarning),
        (lambda x: x * 0, lw.DegenerateWarning),
        (lambda x: np.hstack([x, x + 1]), lw.SmallSampleWarning),
    ],
)
def test_what_is_to_be_said_is_said(name, change, said):
    x, y = two()
    assert PAIRS[name](change(x), y) is None
    assert PAIRS[name](y, change(x)) is None
    with pytest.warns(said):
        getattr(lw, name)(change(x), y)


@pytest.mark.parametrize("name", PAIRS)
def test_shapes_that_do_not_match_are_refused_by_the_long_way(name):
    x, y = two((50, 16), (40, 16))
    assert PAIRS[name](x, y) is None
    assert PAIRS[name](x, x[:, :0]) is None
    with pytest.raises(ValueError, match="same number of samples"):
        getattr(lw, name)(x, y)


def test_impossible_assignments_are_refused_by_the_long_way():
    cost = np.full((4, 4), np.inf)
    assert _cpu.assignment_at_once(cost, False) is None
    with pytest.raises(ValueError, match="infeasible"):
        lw.linear_sum_assignment(cost)
