"""Permutation tests and bootstraps on devices, where the tests of their topic end."""

from __future__ import annotations

import numpy as np
import pytest
import simulated
from simulated import layers

import likewise as lw
from likewise import _draws
from likewise._border import device as _device
from likewise.measure import subsets as _subsets

pytestmark = pytest.mark.simulator

SIDE = 66  # too large for the kernels of small matrices
COMPARED = {"mutual_knn": {"k": 3}, "linear_predictivity": {"cv": 2}}
BOTH = pytest.mark.parametrize("name", ["permutation_test", "bootstrap"])


@pytest.fixture(autouse=True)
def intervals_of_few_samples(monkeypatch):
    """What is compared here are numbers."""
    monkeypatch.setattr(_subsets, "LEAST_SAMPLES", 8)
    for measure in ("mutual_knn", "linear_predictivity"):
        monkeypatch.delattr(_owner(type(lw.measure(measure))), "least_for_interval")


def _owner(cls):
    return next(base for base in cls.__mro__ if "least_for_interval" in vars(base))


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
@pytest.mark.parametrize("measure", ["rsa", "cka", "svcca"])
def test_draws_in_parts_are_the_same_draws(name, measure, monkeypatch):
    function = getattr(lw, name)
    whole = function(*sides(), measure, n=9)
    for limit in ("_CHUNK_BYTES", "_ORDER_BYTES", "_SUBSET_BYTES"):
        monkeypatch.setattr(_draws, limit, 2 * sum(side.nbytes for side in sides()))
    parts = function(*sides(), measure, n=9)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)


def test_wide_kernel_matrices_go_the_long_way(monkeypatch):
    short = lw.permutation_test(*sides(), "cka", n=5, kernel="rbf")
    monkeypatch.setattr("likewise._kernel_measure._MOST_SAMPLES", 11)
    long = lw.permutation_test(*sides(), "cka", n=5, kernel="rbf")
    np.testing.assert_allclose(short.null, long.null, rtol=0, atol=1e-13)
    assert (short.null != long.null).any()


@BOTH
@pytest.mark.parametrize("measure", ["cka", "procrustes", "rsa", "linear_predictivity"])
def test_one_wait_and_nothing_through_the_host(name, measure, monkeypatch):
    waits, finish = [], _device.DeviceLibrary.finish

    def finished(library, *also, **options):
        found = finish(library, *also, **options)
        if library._whole is None and found is not None:
            waits.append(library.function)
        return found

    there = [simulated.array(side) for side in sides()]
    function = simulated.cpu(getattr(lw, name))
    expected = function(*sides(), measure, n=8, **COMPARED.get(measure, {}))
    with monkeypatch.context() as patch:
        patch.setattr(_device.DeviceLibrary, "finish", finished)
        for way in ("download", "upload"):
            patch.delattr(simulated.module, way)
        for look in (True, False):
            found = function(*there, measure, n=8, check_finite=look, **COMPARED.get(measure, {}))
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_allclose(simulated.numpy(one), other, rtol=0, atol=1e-12)
    assert waits == [name]


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
def test_draws_without_a_decomposition_are_named(name, monkeypatch):
    monkeypatch.setenv("CUSIM_UNCONVERGED", "0")
    with pytest.raises(lw.ConvergenceError, match=f"{name}: .* did not converge"):
        getattr(lw, name)(*sides(), Failing(), n=8)


class Failing(type(lw.measure("procrustes"))):
    """A measure whose draws are decomposed in vain, unlike the score itself."""

    def __call__(self, x, y, *, check_finite=True):
        if len(y.shape) > 2:
            large = np.random.default_rng(1).standard_normal((1, SIDE, SIDE)).astype(np.float32)
            simulated.cpu(lw.svdvals)(simulated.array(large), check_finite=check_finite)
        return simulated.cpu(lw.procrustes)(x, y, check_finite=check_finite)


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
    with pytest.warns(lw.DeviceWarning, match="permutation_match: .* on the CPU"):
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
