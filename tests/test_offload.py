"""Grids of items in host memory, compared on a device that holds a few of them at a time."""

from __future__ import annotations

import gc
import itertools
import warnings

import numpy as np
import pytest
import simulated
from conftest import DLPackOnly
from simulated import layers
from test_cuda_grids import GRID_MEASURES

import likewise as lw
from likewise._border import device as _device
from likewise._border import offload as _offload

pairwise, cross = simulated.cpu(lw.pairwise), simulated.cpu(lw.cross)


@pytest.fixture
def small_runs(monkeypatch):
    """Items come one or two at a time; returns how many runs have been sent."""
    sent = []
    bring = _offload._Held.bring

    def counted(self, runs):
        before = set(self._buffers)
        bring(self, runs)
        sent.extend(set(self._buffers) - before)

    monkeypatch.setattr(_offload._Held, "bring", counted)
    monkeypatch.setattr(_offload, "_SHARE", (8 << 30) // 6000)
    return sent


def ten_layers(dtype=np.float64):
    rng = np.random.default_rng(8)
    widths = (3, 3, 8, 1, 12, 5, 5, 2, 14, 4)
    return [rng.standard_normal((40, width)).astype(dtype) for width in widths]


def many_runs(items):
    return _offload.runs_of([-(-item.nbytes // 256) * 256 for item in items], 6000)


def test_runs_are_as_large_as_they_may_be():
    runs = _offload.runs_of([5, 1, 3, 9, 2, 2], 6, first=10)
    assert runs == [range(10, 12), range(12, 13), range(13, 14), range(14, 16)]
    assert _offload.runs_of([7], 6) == [range(1)]


@pytest.mark.parametrize("columns", [None, 1, 2, 5])
@pytest.mark.parametrize("rows", [1, 2, 3, 6])
def test_neighbouring_blocks_share_a_run(rows, columns):
    left = [range(k, k + 1) for k in range(rows)]
    right = None if columns is None else [range(k, k + 1) for k in range(50, 50 + columns)]
    blocks = list(_offload.block_order(left, right))
    assert len(set(blocks)) == len(blocks) == (rows * (columns or 0) or rows * (rows + 1) // 2)
    before = ()
    for block, following in itertools.pairwise(blocks):
        # What the next block needs is there but for one run, so that a third buffer will do.
        assert len(set(following) - set(block) - set(before)) <= 1
        before = block


@pytest.mark.simulator
@pytest.mark.parametrize(
    ("measure", "dtype"),
    [(measure, np.float64) for measure in GRID_MEASURES.values()]
    + [(lw.measure(name), np.float32) for name in ("cka", "procrustes", "permutation_match")],
)
def test_runs_give_what_the_device_gives_at_once(measure, dtype, small_runs):
    host = ten_layers(dtype)
    there = [simulated.array(item) for item in host]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lw.LikewiseWarning)
        found = pairwise(host, measure, device="cuda")
        at_once = simulated.numpy(pairwise(there, measure))
        on_cpu = pairwise(host, measure)
        beside = cross(host[7:], host[:5], measure, device=0)
    assert isinstance(found, np.ndarray)
    assert found.dtype == dtype
    assert len(small_runs) > 3
    tolerance = 1e-12 if dtype == np.float64 else 2e-5
    np.testing.assert_allclose(found, at_once, rtol=0, atol=tolerance / 10)
    np.testing.assert_allclose(found, on_cpu, rtol=0, atol=tolerance)
    np.testing.assert_allclose(beside, found[7:, :5], rtol=0, atol=tolerance)


@pytest.mark.simulator
def test_runs_are_sent_as_seldom_as_three_buffers_allow(small_runs):
    host = ten_layers()
    runs = len(many_runs(host))
    assert runs >= 4
    pairwise(host, "procrustes", device=0)
    blocks = runs * (runs + 1) // 2
    assert len(small_runs) <= 1 + blocks - runs // 2  # one per block, fewer where rows turn
    small_runs.clear()
    cross(host[:3], host[3:], "procrustes", device=0)
    rows, columns = len(many_runs(host[:3])), len(many_runs(host[3:]))
    assert len(small_runs) <= rows * columns + 1


@pytest.mark.simulator
def test_the_next_run_is_sent_before_the_wait(small_runs, monkeypatch):
    sent, finish = [], _device.DeviceLibrary.finish

    def noted(self, *also, **options):
        sent.append(len(small_runs))
        return finish(self, *also, **options)

    monkeypatch.setattr(_device.DeviceLibrary, "finish", noted)
    pairwise(ten_layers(), "procrustes", device=0)
    assert sent[:3] == [2, 3, 4]


@pytest.mark.simulator
def test_collections_and_libraries(small_runs):
    host = layers()
    named = dict(zip("abcd", host, strict=True))
    grid = pairwise(named, "cka", device="cuda:0")
    expected = pairwise(named, "cka")
    assert (grid.rows, grid.columns) == (expected.rows, expected.columns)
    np.testing.assert_allclose(grid.values, expected.values, rtol=0, atol=1e-12)
    grid = cross(host[:1], named, "procrustes", device=0)
    assert grid.rows == ("0",)
    np.testing.assert_allclose(grid.values, pairwise(host, "procrustes")[:1], rtol=0, atol=1e-9)
    strided = [np.asfortranarray(item)[::-1, ::-1] for item in host]
    flipped = pairwise([item[::-1, ::-1] for item in host], "procrustes")
    np.testing.assert_allclose(
        pairwise(strided, "procrustes", device=0), flipped, rtol=0, atol=1e-12
    )
    whole = pairwise([DLPackOnly((9 * item).astype("i4")) for item in host], "cka", device=0)
    assert whole.dtype == np.float64
    np.testing.assert_allclose(
        whole, pairwise([(9 * item).astype("i4") for item in host], "cka"), rtol=0, atol=1e-12
    )
    assert pairwise([], "cka", device=0).shape == (0, 0)
    assert cross([], host, "cka", device=0).shape == (0, 4)
    assert pairwise(host[:1], "cka", device=0) == pytest.approx(1)


@pytest.mark.simulator
def test_tensors_come_back_as_tensors():
    torch = pytest.importorskip("torch")
    host = [torch.from_numpy(item) for item in layers(np.float32)]
    found = pairwise(host, "cka", device=torch.device("cuda"))
    assert isinstance(found, torch.Tensor)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), pairwise(host, "cka").numpy(), rtol=0, atol=1e-5)


def warnings_of(function, *args, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(*args, **options)
    return sorted(str(one.message) for one in caught)


@pytest.mark.simulator
@pytest.mark.parametrize("measure", GRID_MEASURES.values(), ids=GRID_MEASURES)
def test_warnings_are_those_of_the_whole(measure, small_runs):
    host = ten_layers()
    host[1][:, 1] = 4
    host[4][:, 2:5] = 0
    host[7][:] = -1
    there = [simulated.array(item) for item in host]
    expected = warnings_of(pairwise, there, measure)
    assert any("constant" in text for text in expected)
    assert warnings_of(pairwise, host, measure, device=0) == expected
    assert len(small_runs) > 3
    expected = warnings_of(cross, there[:5], there[3:], measure)
    assert warnings_of(cross, host[:5], host[3:], measure, device=0) == expected
    assert warnings_of(pairwise, host, measure, device=0, check_finite=False) == []


@pytest.mark.simulator
def test_choices_of_penalties_are_counted_over_all_pairs(small_runs):
    host = ten_layers()
    options = {"alphas": [1e5, 1e6], "cv": 3}
    there = [simulated.array(item) for item in host]
    expected = warnings_of(pairwise, there, "linear_predictivity", **options)
    assert any("was chosen for" in text for text in expected)
    assert warnings_of(pairwise, host, "linear_predictivity", device=0, **options) == expected


@pytest.mark.simulator
def test_items_that_are_not_finite_are_named(small_runs):
    host = layers()
    host[2][5, 1] = np.nan
    with pytest.raises(ValueError, match=r"items\[2\] must be finite, got nan at index \(5, 1\)"):
        pairwise(host, "cka", device=0)
    with pytest.raises(ValueError, match=r"items_b\['c'\] must be finite"):
        cross([], dict(zip("abcd", host, strict=True)), "cka", device=0)
    unchecked = pairwise(host, "cka", device=0, check_finite=False)
    assert (np.isnan(unchecked).sum(axis=1) == [1, 1, 4, 1]).all()


def halving(monkeypatch):
    """The list that grows when a block does not fit."""
    halved, halves = [], _offload._halves

    def noted(items):
        halved.append(items)
        return halves(items)

    monkeypatch.setattr(_offload, "_halves", noted)
    return halved


def leave_free(monkeypatch, size):
    """A device with so many bytes beside what other tests hold."""
    gc.collect()
    held = simulated.module.stats()["live_bytes"]
    monkeypatch.setenv("CUSIM_MEM", str(held + size))


HALVED = {  # and a device's bytes
    "cka": (lw.measure("cka", estimator="unbiased"), 90 << 10),
    "linear_predictivity": (lw.measure("linear_predictivity", cv=2), 440 << 10),
}


@pytest.mark.simulator
@pytest.mark.parametrize(("measure", "size"), HALVED.values(), ids=HALVED)
def test_blocks_that_do_not_fit_are_computed_in_halves(measure, size, monkeypatch):
    rng = np.random.default_rng(2)
    host = [rng.standard_normal((30, width)) for width in (20, 20, 20, 20, 20, 60)]
    halved = halving(monkeypatch)
    monkeypatch.setattr(_offload, "_SHARE", 6)
    leave_free(monkeypatch, size)
    found = pairwise(host, measure, device=0)
    assert halved
    np.testing.assert_allclose(found, pairwise(host, measure), rtol=0, atol=1e-12)


@pytest.mark.simulator
@pytest.mark.parametrize(
    ("size", "said"),
    [
        (9000, r"no room for the items: .* 4864 bytes were"),
        (20000, r"entry \(0, 0\): .* bytes were"),
    ],
)
def test_what_does_not_fit_is_said(size, said, monkeypatch):
    host = [np.random.default_rng(2).standard_normal((30, 20)) for _ in range(3)]
    leave_free(monkeypatch, size)
    with pytest.raises(MemoryError, match=rf"^pairwise: {said} asked for, \d+ are free"):
        pairwise(host, "cka", device=0)


@pytest.mark.simulator
def test_sides_that_no_kernel_takes_go_to_the_cpu(monkeypatch, small_runs):
    monkeypatch.setattr(simulated.module, "most_assigned", 6)
    monkeypatch.setattr(_device, "_told", set())
    host = ten_layers()
    host[0][:, 1] = 4
    with pytest.warns() as caught:
        found = pairwise(host, "permutation_match", device=0)
    said = [str(one.message) for one in caught]
    assert sum("on the CPU" in text for text in said) == 1
    assert any("1 constant unit " in text for text in said)
    with pytest.warns(lw.DegenerateWarning):
        expected = pairwise(host, "permutation_match")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


@pytest.mark.simulator
def test_nothing_is_left_on_the_device(small_runs):
    before = simulated.module.stats()["live_bytes"]
    pairwise(layers(), "cka", device=0)
    assert simulated.module.stats()["live_bytes"] == before
    for allocations in (0, 3, 6, 20):
        simulated.module.reset()
        simulated.module.fail_allocation(allocations)
        with pytest.raises((MemoryError, RuntimeError), match=r"asked for|MemoryAllocation"):
            pairwise(layers(), "cka", device=0)
        assert simulated.module.stats()["live_bytes"] == before


@pytest.mark.simulator
def test_what_is_on_a_device_stays_there():
    there = [simulated.array(item) for item in layers()]
    with pytest.raises(lw.InputTypeError, match="device= is for items in host memory"):
        pairwise(there, "cka", device=0)


def test_what_is_no_device_is_refused():
    for device in ("gpu", "cpu", -1, True, 1.0, "cuda:x"):
        with pytest.raises(ValueError, match=r"device must be None, 'cuda', 'cuda:1' or the index"):
            pairwise(layers(), "cka", device=device)
    if not lw.cuda.is_available():
        with pytest.raises(lw.InputTypeError, match=r"device='cuda' cannot be used: "):
            pairwise(layers(), "cka", device="cuda")
    else:
        with pytest.raises(lw.InputTypeError, match="no CUDA device 97, the last one is 0"):
            pairwise(layers(), "cka", device=97)
