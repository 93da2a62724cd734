"""Arrays in device memory: what is refused, where results are, what waits for what.

Most of it runs on the simulator alone (``pytest --cuda-simulator MODULE``); numbers are compared by
the tests of each topic, which then run there too.
"""

from __future__ import annotations

import functools
import gc
import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import simulated
from simulated import cost_matrices

import likewise as lw
from likewise import _cpu, cuda
from likewise._border import device as _device


def test_functions_with_a_version_are_public():
    assert "assignment" in cuda.functions()
    for name in cuda.functions():
        folder, _, short = name.rpartition(".")
        if folder == "maps":
            pytest.importorskip("sklearn")
        assert short in (getattr(lw, folder) if folder else lw).__all__


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("there was no nvcc", "this build of likewise has no CUDA engine (there was no nvcc)"),
        ("", "the CUDA engine cannot be loaded: import of likewise._cuda halted"),
    ],
)
def test_what_is_missing_is_said(monkeypatch, reason, told):
    assert cuda.is_available() is (cuda.why_not() == "")
    monkeypatch.setattr(_cpu, "no_cuda", lambda: reason)
    monkeypatch.setitem(sys.modules, "likewise._cuda", None)
    monkeypatch.setattr(_device, "engine", _device.engine.__wrapped__)  # forgets what it found
    assert not lw.cuda.is_available()
    assert lw.cuda.why_not().startswith(told)


class CupyArray:
    """As CuPy's arrays: new ones lie on the current device, of which each has its stream."""

    __module__ = "cupy"
    current = 0

    def __init__(self, number):
        self.device = CupyDevice(number)

    def __dlpack_device__(self):
        return 2, self.device.id

    def __array_namespace__(self):
        return sys.modules["cupy"]


class CupyDevice:
    def __init__(self, number):
        self.id = number

    def __enter__(self):
        self.before, CupyArray.current = CupyArray.current, self.id

    def __exit__(self, *_):
        CupyArray.current = self.before


def test_cupy_allocates_and_runs_where_its_arrays_are(monkeypatch):
    asked = []
    streams = SimpleNamespace(
        get_current_stream=lambda device=-1: SimpleNamespace(
            ptr=100 + (CupyArray.current if device < 0 else device)
        )
    )
    cupy = SimpleNamespace(
        ndarray=CupyArray,
        cuda=streams,
        uint8="uint8",
        empty=lambda shape, dtype: CupyArray(CupyArray.current),
    )
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(_device, "why_not", lambda device=-1: asked.append(device))
    engine = SimpleNamespace(DeviceArray=lambda array, stream: (array, CupyArray.current))
    monkeypatch.setattr(_device, "engine", lambda: engine)
    library = _device.DeviceLibrary("cka", "x", CupyArray(1), 1)
    assert asked == [1]
    assert library._stream == 101
    array, current = library._allocate(7)
    assert array.device.id == current == 1
    assert CupyArray.current == 0


@pytest.mark.skipif(not lw.build_config()["cuda"], reason="built without nvcc")
def test_the_engine_without_a_device():
    code = "from likewise import cuda, _cuda; print(_cuda.why_not()); print(cuda.is_available())"
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    why, available = run.stdout.splitlines()
    assert "CUDA device" in why
    assert available == "False"


@pytest.fixture
def two_devices(monkeypatch):
    """Sends arrays to the second of two devices, while the first is the current one."""
    monkeypatch.setenv("CUSIM_DEVICES", "2")
    yield functools.partial(simulated.module.upload, device=1)
    gc.collect()  # threads and arrays of this device


@pytest.mark.simulator
@pytest.mark.parametrize(
    "function",
    [
        lw.procrustes,
        lw.cka,
        lw.permutation_match,
        lw.soft_match,
        lw.rsa,
        lw.mutual_knn,
        lw.cca,
        lw.rdm,
        lw.polar,
        lw.svdvals,
        lw.linear_predictivity,
    ],
)
def test_arrays_of_a_device_that_is_not_the_current_one(two_devices, function):
    rng = np.random.default_rng(0)
    sides = rng.standard_normal((2, 70, 66 if function is lw.svdvals else 9)).astype("f4")
    given = sides[:1] if function in (lw.rdm, lw.polar, lw.svdvals) else sides
    plain = simulated.cpu(function)
    found, expected = plain(*map(two_devices, given)), plain(*given)
    if not isinstance(expected, tuple):
        found, expected = (found,), (expected,)
    for ours, theirs in zip(found, expected, strict=True):
        if not _device.is_device_array(ours):
            continue
        assert ours.device == 1
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.simulator
def test_a_grid_of_host_arrays_on_the_second_device(monkeypatch):
    monkeypatch.setenv("CUSIM_DEVICES", "2")
    items = np.random.default_rng(0).standard_normal((4, 30, 5))
    plain = simulated.cpu(lw.pairwise)
    found = plain(list(items), "cka", device="cuda:1")
    np.testing.assert_allclose(found, plain(list(items), "cka"), rtol=1e-12)


@pytest.mark.simulator
def test_the_current_device_is_set_only_where_it_is_another(two_devices):
    plain, x = simulated.cpu(lw.procrustes), np.random.default_rng(0).standard_normal((2, 30, 5))
    here, there = map(simulated.array, x), map(two_devices, x)
    simulated.module.reset()
    plain(*here)
    assert simulated.module.stats()["devices_set"] == 0
    plain(*there)
    changes = simulated.module.stats()["devices_set"]
    assert changes > 0
    assert changes % 2 == 0


@pytest.mark.simulator
def test_libraries_have_a_context_for_each_thread_at_work_and_device(two_devices):
    """And not for each that ever was."""
    plain, x = simulated.cpu(lw.procrustes), np.random.default_rng(0).standard_normal((2, 30, 5))

    def call(send):
        plain(*map(send, x))

    def one_after_the_other(count):
        before = simulated.module.stats()["contexts"]
        for _ in range(count):
            for send in (two_devices, simulated.array):
                thread = threading.Thread(target=call, args=(send,))
                thread.start()
                thread.join()
        return simulated.module.stats()["contexts"] - before

    one_after_the_other(1)
    assert one_after_the_other(5) == 0


@pytest.mark.simulator
def test_an_old_driver_is_named(monkeypatch):
    monkeypatch.setenv("CUSIM_DRIVER", "12080")
    assert lw.cuda.why_not() == (
        "this build needs an NVIDIA driver for CUDA 13.0, version 580 or newer, and that of this "
        "machine is for CUDA 12.8"
    )


@pytest.mark.parametrize("folder", ["cu13", "cublas", "cusolver"])
def test_libraries_are_looked_for_where_wheels_put_them(monkeypatch, folder):
    """Those of CUDA 13 in one folder, those of CUDA 12 in one of their own each."""
    found = []
    module = SimpleNamespace(set_library_directories=found.extend)
    monkeypatch.setattr(_device.importlib, "import_module", lambda name: module)
    places = SimpleNamespace(submodule_search_locations=["/site/nvidia"])
    monkeypatch.setattr(_device.importlib.util, "find_spec", lambda name: places)
    _device.engine.__wrapped__()
    assert f"/site/nvidia/{folder}/lib" in found


def live_bytes():
    return simulated.module.stats()["live_bytes"]


@pytest.mark.simulator
@pytest.mark.parametrize(
    "dtype", ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]
)
@pytest.mark.parametrize("step", [1, 2, -1])
def test_every_type_and_layout_is_read(dtype, step):
    wide = np.random.default_rng(1).integers(0, 2 if dtype == "?" else 90, (4, 5, 14)).astype(dtype)
    cost = wide[:, ::step, ::step].swapaxes(0, 1)
    found = lw.assignment(simulated.array(cost))
    expected = simulated.cpu(lw.assignment)(cost)
    np.testing.assert_array_equal(simulated.numpy(found.cost), expected.cost)


@pytest.mark.simulator
def test_arrays_of_two_places_are_refused():
    here, there = cost_matrices((4, 4)), simulated.array(cost_matrices((4, 4)))
    for u, v in ((here[0], simulated.array(here[0])), (simulated.array(here[0]), here[0])):
        with pytest.raises(lw.InputTypeError, match="one library and device"):
            simulated.cpu(lw.assignment)(there, duals=(u, v))


@pytest.mark.simulator
def test_complex_arrays_are_refused():
    with pytest.raises(lw.InputTypeError, match=r"cost is complex \(complex128\); pass real"):
        lw.assignment(simulated.array(np.ones((3, 3), complex)))


@pytest.mark.simulator
def test_nan_without_the_look_stays_nan():
    a = np.stack([np.eye(4), np.eye(4)])
    a[1, 2, 3] = np.nan
    found = simulated.numpy(lw.nuclear_norm(simulated.array(a), check_finite=False))
    assert found[0] == pytest.approx(4, abs=1e-12)
    assert np.isnan(found[1])


@pytest.mark.simulator
@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("neural_collapse", lambda x: lw.neural_collapse(x, np.arange(12) % 3)),
        ("cluster_diameters", lambda x: lw.truncation.cluster_diameters(x, np.arange(12) % 3)),
        ("adaptedness", lambda x: lw.truncation.adaptedness(x).scales),
    ],
)
def test_functions_without_a_version_say_so(monkeypatch, name, function):
    x = np.random.default_rng(0).standard_normal((12, 20))
    expected = function(x)
    monkeypatch.setattr(_device, "_told", set())
    with pytest.warns(lw.DeviceWarning, match=f"{name}: this has no version for CUDA devices"):
        found = function(simulated.array(x))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.simulator
def test_nan_is_located():
    u = np.ones(4)
    u[2] = np.nan
    cost = simulated.array(cost_matrices((4, 4)))
    with pytest.raises(ValueError, match=r"u must be finite, got nan at index \(2,\)"):
        lw.assignment(cost, duals=(simulated.array(u), simulated.array(np.ones(4))))


@pytest.mark.simulator
def test_without_the_look_nothing_waits():
    cost = cost_matrices()
    there = simulated.array(cost)
    before = simulated.module.stats()["launches"]
    rows, cols = lw.linear_sum_assignment(there, check_finite=False)
    assert simulated.module.stats()["launches"] == before  # streams are lazy
    np.testing.assert_array_equal(
        simulated.numpy(cols), simulated.cpu(lw.linear_sum_assignment)(cost)[1]
    )
    assert simulated.numpy(rows).shape == (3, 6)


@pytest.mark.simulator
def test_without_the_look_no_solution_is_no_number():
    cost = cost_matrices()
    cost[1, 2, 2] = np.nan
    found = lw.assignment(simulated.array(cost), check_finite=False)
    cols, total = simulated.numpy(found.col_ind), simulated.numpy(found.cost)
    assert (cols[1] == -1).all()
    assert np.isnan(total[1])
    assert (cols[[0, 2]] >= 0).all()


@pytest.mark.simulator
def test_nothing_leaks():
    there = simulated.array(cost_matrices())
    before = live_bytes()
    lw.assignment(there)
    assert live_bytes() == before
    simulated.module.fail_allocation(2)
    with pytest.raises(RuntimeError, match="MemoryAllocation"):
        lw.assignment(there)
    simulated.module.reset()
    assert live_bytes() == before
