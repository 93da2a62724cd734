"""Streams of large means and extreme sizes: the digits of all samples at once."""

from __future__ import annotations

import numpy as np
import pytest
from test_accumulator import STREAMED, batches, in_turns, items

import likewise as lw

pytestmark = [
    pytest.mark.device,
    pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning"),
]

# Means in deviations, sizes and dtypes. Plain sums lose the square of the first, unbiased CKA its
# fourth power, and overflow or vanish at the last.
SETTINGS = [
    (0, 1.0, np.float64),
    (1e4, 1.0, np.float64),
    (1e6, 1.0, np.float64),
    (1e6, 1e150, np.float64),
    (0, 1e-150, np.float64),
    (1e6, 1.0, np.float32),
    (10, 1e30, np.float32),
    (10, 1e-30, np.float32),
]
PREDICTED = [("linear_predictivity", {"cv": 3}), ("linear_predictivity", {"cv": 3, "alphas": [9]})]


def far_items(name, options, mean, scale, dtype):
    """Items whose first samples are equal, and what is left of them without mean and scale."""
    if name == "hsic" and abs(np.log10(scale)) > 60:
        scale **= 0.4  # its value goes with the fourth power
    rng = np.random.default_rng(5)
    arrays = items(n=210)
    for array in arrays:
        array[:8] = array[8]
    far = [(a + mean * rng.choice([-1, 1], a.shape[1])).astype(dtype) for a in arrays]
    if name != "linear_predictivity" or "alphas" not in options:
        far = [(a * dtype(scale)).astype(dtype) for a in far]
    wide = [a.astype(np.longdouble) for a in far]
    near = [(a - a.mean(axis=0)).astype(np.float64) for a in wide]
    if name == "linear_predictivity" and "alphas" not in options:
        near = [a / scale for a in near]  # for the oracle
    return far, (near if options.get("center", True) else [a.astype(np.float64) for a in far])


def expected_of(name, options, arrays):
    if name != "linear_predictivity":
        return np.asarray(lw.pairwise(arrays, name, **options))
    given = options["cv"], options.get("alphas")
    return np.array([[in_turns(x, y, *given).mean() for y in arrays] for x in arrays])


def agree(found, expected, name):
    """To 1e-10; distances of items from themselves to sqrt(2 * 200 eps), similarities to 200 eps"""
    found, expected = np.asarray(found), np.asarray(expected)
    same = np.eye(len(expected), dtype=bool)
    size = np.abs(expected[~same]).max() if name in ("hsic", "procrustes", "shape_distance") else 1
    atol = np.where(same, 3e-7, 1e-10) * size
    assert np.all(np.abs(found - expected) <= atol), np.abs((found - expected) / size)


@pytest.mark.parametrize(("mean", "scale", "dtype"), SETTINGS)
@pytest.mark.parametrize(("name", "options"), STREAMED + PREDICTED, ids=str)
def test_large_means_and_extreme_sizes_cost_nothing(name, options, mean, scale, dtype):
    far, near = far_items(name, options, mean, scale, dtype)
    expected = expected_of(name, options, near)
    stream = lw.scale.Accumulator(name, **options)
    for batch in batches(far, [1, 5, 0, 99, 65, 40]):  # one sample, then equal ones
        stream.update(batch)
    fresh = lw.scale.Accumulator(name, **options)
    fresh.state = stream.state  # its scores are in float64
    agree(fresh.compute(), expected, name)

    if name == "linear_predictivity":  # its folds depend on the order
        return
    workers = [lw.scale.Accumulator(name, **options) for _ in range(4)]  # one has nothing to do
    for worker, parts in zip(workers, ((0, 3), (1,), (2, 4)), strict=False):
        for part in parts:
            worker.update(batches(far, [6, 100, 3, 61, 40])[part])
    for order in ([0, 1, 2, 3], [3, 2, 0, 1], [1, 3, 2, 0]):
        whole = lw.scale.Accumulator(name, **options)
        for k in order:
            one = lw.scale.Accumulator(name, **options)
            one.state = workers[k].state
            whole.merge(one)
        agree(whole.compute(), expected, name)


@pytest.mark.parametrize("crossed", [False, True])
def test_later_samples_may_be_of_another_size(crossed):
    """The power of two that sums are in grows with them: nothing overflows, nothing is lost."""
    scales = 10.0 ** np.array([-200, -100, 0, 60, 120])
    arrays = [array * np.repeat(scales, 40)[:, None] for array in items()]
    for size in (40, 200):
        stream = lw.scale.Accumulator("cka", estimator="unbiased")
        for batch in batches(arrays, [size] * (200 // size)):
            stream.update(*([batch[:2], batch[2:]] if crossed else [batch]))
        parts = [lw.scale.Accumulator("cka", estimator="unbiased") for _ in range(5)]
        for part, batch in zip(parts, batches(arrays, [40] * 5), strict=True):
            part.update(*([batch[:2], batch[2:]] if crossed else [batch]))
        for part in reversed(parts[:-1]):
            part.merge(parts[-1] if part is parts[-2] else parts[parts.index(part) + 1])
        near = [array / 1e120 for array in arrays]
        expected = lw.pairwise(near, "cka", estimator="unbiased")
        expected = np.asarray(expected)[:2, 2:] if crossed else expected
        for found in (stream, parts[0]):
            np.testing.assert_allclose(found.compute(), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("mean", "scale", "dtype"), SETTINGS)
def test_unit_correlations_of_large_means_and_extreme_sizes(mean, scale, dtype):
    far, near = far_items("units", {}, mean, scale, dtype)
    parts = [lw.scale.UnitAccumulator() for _ in range(3)]
    for part, batch in zip(parts, batches(far, [6, 100, 104]), strict=True):
        part.update(*batch[:2])
    parts[2].merge(parts[0])
    parts[2].merge(parts[1])
    whole = lw.scale.UnitAccumulator()
    whole.state = parts[2].state
    expected = np.corrcoef(near[0] / scale, near[1] / scale, rowvar=False)[:6, 6:]
    np.testing.assert_allclose(whole.compute(), expected, rtol=0, atol=1e-10)


def test_a_first_sample_far_away_costs_what_is_told():
    """Sums lose the square of the distance between the first batch and the mean, in deviations; it
    is at most n over the samples of the first batch, because these count in the deviation too."""
    arrays = items(n=2000)
    for array in arrays:
        array[0] += 1e5
    stream = lw.scale.Accumulator("cka")
    for batch in batches(arrays, [1, 999, 1000]):
        stream.update(batch)
    expected = lw.pairwise(arrays, "cka")
    np.testing.assert_allclose(stream.compute(), expected, rtol=0, atol=2000 * 1e-15)


@pytest.mark.parametrize("crossed", [False, True])
@pytest.mark.parametrize(
    ("scales", "dtype"),
    [
        ((1e-150,) * 3, np.float64),
        ((1e150,) * 3, np.float64),
        ((1e-150, 1e-40, 1e100), np.float64),
        ((1e30,) * 3, np.float32),
    ],
    ids=str,
)
def test_sizes_cost_minibatch_cka_nothing(scales, dtype, crossed):
    """Each side is in powers of two that grow: HSIC is of the second degree in both."""
    arrays = [array.astype(dtype) for array in items(n=180)]
    parts = [
        [array * dtype(scale) for array in batch]
        for scale, batch in zip(scales, batches(arrays, [60] * 3), strict=True)
    ]
    sides = [(part[:2], part[2:]) if crossed else (part,) for part in parts]
    stream, halves = lw.scale.MinibatchCKA(), [lw.scale.MinibatchCKA() for _ in range(2)]
    for number, side in enumerate(sides):
        stream.update(*side)
        halves[number > 0].update(*side)
    copy = lw.scale.MinibatchCKA()
    copy.state = halves[0].state
    halves[1].merge(halves[0])
    copy.merge(halves[1])  # the first batch twice
    wide = [[np.float64(array) / scales[2] for array in part] for part in parts]
    products = [lw.pairwise(part, "hsic", estimator="unbiased") for part in wide]
    for found, shares in ((stream, (1, 1, 1)), (halves[1], (1, 1, 1)), (copy, (2, 1, 1))):
        total = sum(share * product for share, product in zip(shares, products, strict=True))
        expected = total / np.sqrt(np.outer(np.diag(total), np.diag(total)))
        expected = expected[:2, 2:] if crossed else expected
        atol = 1e-10 if dtype == np.float64 else 1e-6
        np.testing.assert_allclose(found.compute(), expected, rtol=0, atol=atol)


def test_hsic_of_minibatches_is_in_units_of_the_data():
    x, y = items()[:2]
    stream = lw.scale.MinibatchCKA()
    for size, rows in ((1.0, slice(0, 60)), (1e40, slice(60, 200))):
        stream.update([x[rows] * size * 1e60], [y[rows] * size * 1e-60])
    parts = [lw.hsic(x[r], y[r], estimator="unbiased") for r in (slice(0, 60), slice(60, 200))]
    expected = (parts[0] + parts[1] * 1e160) / 2
    np.testing.assert_allclose(stream.compute_hsic()[0, 0], expected, rtol=1e-12)


def test_a_score_of_nothing_has_no_unit():
    # Nothing in common: exactly 0, whatever the unit, whose fourth power no number holds.
    x = np.array([[1.0], [-1], [1], [-1]]) * 2.0**300
    y = np.array([[1.0], [1], [-1], [-1]]) * 2.0**300
    stream = lw.scale.Accumulator("hsic", estimator="biased")
    stream.update([x], [y])
    assert stream.compute()[0, 0] == lw.hsic(x, y) == 0
