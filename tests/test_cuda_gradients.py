"""Gradients on devices, against those of the CPU."""

from __future__ import annotations

import numpy as np
import pytest
import simulated

import likewise as lw

pytestmark = [
    pytest.mark.simulator,
    pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning"),
]

MEASURES = [
    lw.measure("cka"),
    lw.measure("cka", kernel="rbf", estimator="unbiased"),
    lw.measure("hsic", kernel="polynomial", degree=2),
    lw.measure("rsa", comparison="cosine"),
    lw.measure("rsa", comparison="corr_cov", dissimilarity="euclidean"),
    lw.measure("procrustes"),
    lw.measure("procrustes", score="euclidean", scale=False),
    lw.measure("shape_distance", alpha=0.4),
]
by_name = pytest.mark.parametrize("measure", MEASURES, ids=str)


def data(dtype, n=30, dx=6, dy=40):
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((2, n, dx)), rng.standard_normal((n, dy)) + 3
    y[:, :dx] += x[0]
    return x.astype(dtype), y.astype(dtype)


def on_cpu(measure, x, y, **options):
    return type(measure).gradients.__wrapped__(measure, x, y, **options)


@by_name
def test_are_the_same_again_without_a_look(measure):
    x, y = data(np.float32)
    for once, again in zip(
        measure.gradients(x, y), measure.gradients(x, y, check_finite=False), strict=True
    ):
        np.testing.assert_array_equal(once, again)


@by_name
def test_stay_in_the_library_of_the_inputs(measure):
    there = map(simulated.array, data(np.float64))
    found = on_cpu(measure, *there, wanted=(False, True))
    assert simulated.numpy(found.score).shape == (2,)
    assert found.x is None
    assert simulated.numpy(found.y).shape == (2, 30, 40)
