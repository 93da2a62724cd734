"""The input policy, row by row, for every registered measure."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from reference import rsa, transport

import likewise as lw

pytestmark = pytest.mark.device

N, D = 40, 5


@pytest.fixture(params=lw.measures())
def measure(request):
    m = lw.measure(request.param)

    def score(x, y, **options):
        result = m(x, y, **options)
        return np.asarray(result[0] if isinstance(result, tuple) else result)

    score.__name__ = request.param
    return score


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    return rng.standard_normal((N, D)), rng.standard_normal((N, D + 2))


def stacked(pair, count=4):
    rng = np.random.default_rng(1)
    return tuple(np.stack([a * rng.uniform(1, 2, a.shape) for _ in range(count)]) for a in pair)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_located(measure, pair, bad):
    for side in (0, 1):
        spoiled = [a.copy() for a in pair]
        spoiled[side][7, 3] = spoiled[side][30, 0] = bad
        name = "xy"[side]
        with pytest.raises(
            ValueError, match=rf"{name} must be finite, got {bad} at index \(7, 3\)"
        ):
            measure(*spoiled)
    x, y = stacked(pair)
    y[2, 0, 1] = bad
    with pytest.raises(ValueError, match=rf"y must be finite, got {bad} at index \(2, 0, 1\)"):
        measure(x, y)


@pytest.mark.filterwarnings("ignore::likewise.DegenerateWarning")
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_without_the_look_no_score_looks_fine(measure, pair, bad):
    x, y = stacked(pair)
    y[2, 0, 1] = bad
    try:
        scores = measure(x, y, check_finite=False)
    except (lw.ConvergenceError, ValueError):
        return
    assert not np.isfinite(scores[2])
    np.testing.assert_allclose(scores[[0, 1, 3]], measure(x[[0, 1, 3]], y[[0, 1, 3]]))


@pytest.mark.filterwarnings("ignore::likewise.DegenerateWarning")
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_without_the_look_no_entry_of_a_grid_looks_fine(measure, pair, bad):
    spoiled = pair[0].copy()
    spoiled[0, 1] = bad
    try:
        scores = lw.pairwise([spoiled, pair[1]], measure.__name__, check_finite=False)
    except lw.ConvergenceError:
        return
    assert not np.isfinite(scores[0]).any()
    assert not np.isfinite(scores[:, 0]).any()
    assert np.isfinite(scores[1, 1])


def test_samples_must_match_and_orientation_is_never_guessed(measure, pair):
    x, y = pair
    for other in (y[:-1], y.T, y[None, :-1]):
        with pytest.raises(ValueError, match=r"same number of samples \(axis -2\), got shapes"):
            measure(x, other)


@pytest.mark.parametrize("shape", [(1, 5), (0, 5), (3, 1, 5), (3, 0, 5)])
def test_too_few_samples_are_refused(measure, shape):
    with pytest.raises(ValueError, match=r"at least \d+ samples \(axis -2\), got shape"):
        measure(np.ones(shape), np.ones(shape))


def test_no_features_are_refused(measure, pair):
    for x, y, name in ((pair[0][:, :0], pair[1], "x"), (pair[0], pair[1][:, :0], "y")):
        with pytest.raises(ValueError, match=f"{name} must have at least one feature"):
            measure(x, y)


@pytest.mark.parametrize("value", [1.0, np.ones(6), [1.0, 2.0]])
def test_a_vector_is_no_representation(measure, pair, value):
    with pytest.raises(ValueError, match=r"x must have shape \(\.\.\., n_samples, n_features\)"):
        measure(value, pair[1])


def test_batch_axes_must_broadcast(measure, pair):
    x, y = stacked(pair)
    with pytest.raises(ValueError, match=r"batch.* must broadcast, got shapes"):
        measure(x[:3], y)


@pytest.mark.parametrize("batch", [(0,), (3, 0), (0, 2)])
def test_an_empty_batch_gives_an_empty_result(measure, batch):
    scores = measure(np.ones((*batch, N, D)), np.ones((*batch, N, D), np.float32))
    assert scores.shape == batch
    assert scores.dtype == np.float64


def test_a_constant_unit_contributes_nothing_and_is_counted(measure, pair):
    x, y = pair
    with_constant = np.insert(x, 2, 3.5, axis=1)
    expected = measure(x, y)
    with pytest.warns(lw.DegenerateWarning, match="1 constant unit ") as seen:
        score = measure(with_constant, y)
    assert len(seen) == 1
    assert seen[0].filename == __file__
    if measure.__name__ in ("permutation_match", "semi_match"):  # means over units, it being one
        expected = expected * D / (D + 1)
    if measure.__name__ == "soft_match":  # it is sent where other units leave most
        expected = transport.soft_match(with_constant, y)
    if measure.__name__ == "rsa":  # correlations look along units: for them it is data
        expected = rsa.rsa(with_constant, y)
    np.testing.assert_allclose(score, expected, rtol=1e-10, atol=1e-12)


def test_constant_units_that_broadcasting_repeats_count_once(measure, pair):
    x, y = pair[0], stacked(pair)[1]
    x[:, 0] = 1
    y[2, :, 1] = 1
    with pytest.warns(lw.DegenerateWarning, match="2 constant units") as seen:
        measure(x, y)
    assert len(seen) == 1


def test_a_constant_representation_scores_nan_and_spares_the_batch(measure, pair):
    x, y = stacked(pair)
    expected = measure(x, y)
    x[1] = 0.1  # the mean of 0.1 is not exactly 0.1: rounding must not look like signal
    with pytest.warns(lw.DegenerateWarning, match="1 constant representation") as seen:
        scores = measure(x, y)
    assert len(seen) == 1
    assert np.isnan(scores[1])
    np.testing.assert_allclose(np.delete(scores, 1), np.delete(expected, 1), rtol=1e-10)


@pytest.mark.filterwarnings("ignore::likewise.LikewiseWarning")
def test_batches_with_constant_items_are_their_single_calls(batched_function):
    # Every choice of constant items on both sides, whatever is next to them; also broadcast.
    def scores(x, y):
        result = batched_function(x, y)
        return np.asarray(result[0] if isinstance(result, tuple) else result)

    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((2, 3, 12, 4))
    flat = np.full((12, 4), 0.1)
    alone = {
        (i, j, *constant): scores(flat if constant[0] else x[i], flat if constant[1] else y[j])
        for i, j in np.ndindex(3, 3)
        for constant in np.ndindex(2, 2)
    }
    close = partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-12)
    for mask in np.ndindex(*(2,) * 6):
        of_x, of_y = mask[:3], mask[3:]
        a, b = (
            np.where(np.reshape(m, (3, 1, 1)), flat, side) for m, side in ((of_x, x), (of_y, y))
        )
        close(scores(a, b), [alone[k, k, of_x[k], of_y[k]] for k in range(3)])
        close(scores(a[0], b), [alone[0, k, of_x[0], of_y[k]] for k in range(3)])
        if of_x == of_y:
            pairs = [[alone[i, j, of_x[i], of_y[j]] for j in range(3)] for i in range(3)]
            close(scores(a[:, None], b), pairs)
