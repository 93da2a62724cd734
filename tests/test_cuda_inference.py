"""Permutation tests and bootstraps on devices, where the tests of their topic end."""

from __future__ import annotations

import numpy as np
import pytest
import simulated
from simulated import layers

import likewise as lw
from likewise._border import device as _device

pytestmark = pytest.mark.simulator

SIDE = 66  # too large for the kernels of small matrices
COMPARED = {"mutual_knn": {"k": 3}, "linear_predictivity": {"cv": 2}}
BOTH = pytest.mark.parametrize("name", ["permutation_test", "bootstrap"])


@pytest.fixture(autouse=True)
def intervals_of_few_samples(monkeypatch):
    """What is compared here are numbers."""
    for name in lw.measures():
        monkeypatch.setattr(type(lw.measure(name)), "least_for_interval", 8)


def sides(samples=12, dtype=np.float64):
    rng = np.random.default_rng(7)
    x = rng.standard_normal((samples, 6))
    return x.astype(dtype), (x[:, :5] + rng.standard_normal((samples, 5))).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("measure", ["procrustes", "cka", "mutual_knn", "rsa", "cca"])
def test_the_numbers_are_those_of_the_cpu(measure, dtype):
    options = COMPARED.get(measure, {})
    tolerance = 3e-6 if dtype == np.float32 else 1e-12
    for function in (lw.permutation_test, lw.bootstrap):
        found = function(*sides(dtype=dtype), measure, n=45, **options)
        expected = simulated.cpu(function)(*sides(dtype=dtype), measure, n=45, **options)
        for there, here in zip(found, expected, strict=True):
            np.testing.assert_allclose(there, here, rtol=0, atol=tolerance)
        assert found[-1].dtype == expected[-1].dtype == dtype
        if function is lw.permutation_test:
            assert found.p_value == expected.p_value


@BOTH
def test_the_look_speaks_for_the_whole_call(name):
    x, y = sides()
    y[3, 1] = np.inf
    for measure in ("procrustes", "cca"):
        with pytest.raises(
            ValueError, match=rf"^{name}: y must be finite, got inf at index \(3, 1\)"
        ):
            getattr(lw, name)(x, y, measure, n=8)
        unchecked = getattr(lw, name)(x, y, measure, n=8, check_finite=False)
        assert np.isnan(unchecked.score)
        assert np.isnan(unchecked[-1]).any()


@BOTH
def test_warnings_are_said_once_and_of_the_data(name):
    x, y = sides()
    x[:, 1] = 2
    x[1:, 2:] = 0  # halves without the first are constant but for one unit
    x[2:, 0] = 1
    with pytest.warns(lw.LikewiseWarning) as said:
        found = getattr(lw, name)(x, y, "rsa", n=9, dissimilarity="euclidean")
    with pytest.warns(lw.LikewiseWarning) as said_here:
        expected = simulated.cpu(getattr(lw, name))(x, y, "rsa", n=9, dissimilarity="euclidean")
    np.testing.assert_allclose(found[-1], expected[-1], rtol=0, atol=1e-12)
    assert [str(w.message) for w in said] == [str(w.message) for w in said_here]


def test_small_angles_in_single_precision():
    # A rotated copy: float32 products lose the directions of little variance.
    rotation = np.linalg.qr(np.random.default_rng(2).standard_normal((9, 9)))[0]
    x = layers()[2] * 10.0 ** -np.arange(0, 4.5, 0.5)
    pair = [side.astype(np.float32) for side in (x, x @ rotation + 1e-4 * layers()[2][::-1])]
    found = lw.bootstrap(*pair, n=8)
    exact = simulated.cpu(lw.bootstrap)(*(side.astype(np.float64) for side in pair), n=8)
    np.testing.assert_allclose(found.draws, exact.draws, rtol=0, atol=1e-7)
    assert found.draws.dtype == np.float32


def test_draws_that_no_kernel_compares_are_said_to_go_to_the_cpu(monkeypatch):
    monkeypatch.setattr(simulated.module, "most_assigned", 1)
    monkeypatch.setattr(_device, "_told", set())
    with pytest.warns(lw.DeviceWarning, match="permutation_test: .* on the CPU"):
        found = lw.permutation_test(*sides(), "permutation_match", n=4)
    expected = simulated.cpu(lw.permutation_test)(*sides(), "permutation_match", n=4)
    np.testing.assert_allclose(found.null, expected.null, rtol=0, atol=1e-15)
    x, y = sides()
    x[2, 0] = np.nan
    with pytest.raises(ValueError, match="permutation_test: x must be finite"):
        lw.permutation_test(x, y, "permutation_match", n=4)


@BOTH
def test_results_on_a_device_can_be_shown(name):
    there = [simulated.array(side) for side in sides()]
    text = repr(simulated.cpu(getattr(lw, name))(*there, n=8))
    assert "over 8 " in text
    assert text.endswith("on a device)")


def test_groups_may_be_on_the_device():
    x, y = sides()
    groups = np.repeat([7, 3, 5], 4)
    expected = simulated.cpu(lw.permutation_test)(x, y, "cka", n=20, groups=groups)
    there = simulated.array(groups)
    found = lw.permutation_test(x, y, "cka", n=20, groups=there)
    assert found.p_value == expected.p_value
    np.testing.assert_allclose(found.null, expected.null, rtol=0, atol=1e-12)
    found = lw.bootstrap(
        np.tile(x, (9, 1)), np.tile(y, (9, 1)), "cka", n=8, groups=np.arange(108) // 4
    )
    again = lw.bootstrap(
        np.tile(x, (9, 1)),
        np.tile(y, (9, 1)),
        "cka",
        n=8,
        groups=simulated.array(np.arange(108) // 4),
    )
    np.testing.assert_array_equal(found.draws, again.draws)
