"""The border: every library, layout and dtype gives the same answers."""

from __future__ import annotations

import gc
import sys
from typing import Any

import numpy as np
import pytest

import likewise as lw
from likewise._border import arrays as _array

pytestmark = pytest.mark.device


@pytest.fixture
def pair():
    """Two representations of small whole numbers, exact in every dtype."""
    rng = np.random.default_rng(0)
    return tuple(rng.integers(0, 100, (40, 6)).astype(np.float64) for _ in range(2))


def results(value, numpy=np.asarray):
    """The arrays of a result, tuples taken apart."""
    return [numpy(v) for v in (value if isinstance(value, tuple) else (value,))]


def assert_same(actual, expected, tolerance=0.0):
    for a, e in zip(actual, expected, strict=True):
        assert a.dtype == e.dtype
        np.testing.assert_allclose(a, e, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_every_library_goes_in_and_comes_out(function, dtype, pair, xp):
    x, y = (a.astype(dtype) for a in pair)
    given = xp.array(x), xp.array(y)
    assert_same(results(function(*given), xp.numpy), results(function(x, y)))


def misaligned(a):
    view = np.empty(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    view[:] = a
    assert not view.flags.aligned
    return view


def inside_packed_records(a):
    records = np.zeros(a.shape, dtype=[("tag", "i1"), ("value", a.dtype)])
    records["value"] = a
    return records["value"]


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


LAYOUTS = {
    "fortran": np.asfortranarray,
    "every_second_row": lambda a: np.repeat(a, 2, axis=0)[::2],
    "every_third_column": lambda a: np.repeat(a, 3, axis=1)[:, ::3],
    "negative_row_stride": lambda a: a[::-1].copy()[::-1],
    "negative_column_stride": lambda a: a[:, ::-1].copy()[:, ::-1],
    "both_negative_in_fortran_order": lambda a: np.asfortranarray(a[::-1, ::-1])[::-1, ::-1],
    "one_slice_of_a_stack": lambda a: np.stack([a, -a, 2 * a], axis=1)[:, 0],
    "byte_swapped": lambda a: a.astype(a.dtype.newbyteorder()),
    "read_only": read_only,
    "misaligned": misaligned,
    "packed_records": inside_packed_records,
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_every_layout_gives_the_same_answer(function, layout, dtype, pair):
    x, y = (a.astype(dtype) for a in pair)
    expected = results(function(x, y))
    tolerance = 1e-10 if dtype == "f8" else 1e-5
    given = layout(x), layout(y)
    assert_same(results(function(*given)), expected, tolerance)
    assert_same(results(function(given[0], y)), expected, tolerance)
    assert np.array_equal(given[0], x)  # inputs are never written to
    assert np.array_equal(given[1], y)


@pytest.mark.host_only("lists are read on the CPU")
def test_nested_lists_are_read_as_arrays(function, pair):
    x, y = pair
    assert_same(results(function(x.tolist(), y.tolist())), results(function(x, y)))


def test_batch_axes_may_be_broadcast_reversed_or_last(batched_function, pair):
    x, y = pair
    stack = np.stack([x, y, x + y, x * y])
    expected = [results(batched_function(x, item)) for item in stack]
    everywhere_x = np.broadcast_to(x, stack.shape)
    batch_last_in_memory = np.moveaxis(np.moveaxis(stack, 0, -1).copy(), -1, 0)
    twice_reversed = stack[::-1].copy()[::-1]
    for a in (x, x[None], everywhere_x):
        for b in (stack, batch_last_in_memory, twice_reversed):
            actual = results(batched_function(a, b))
            for k, item in enumerate(expected):
                assert_same([part[k] for part in actual], item, 1e-9)


WIDENED = {"f2": "f4", ">f4": "f4", ">f8": "f8"} | dict.fromkeys(
    ["i1", "u1", "i2", ">i4", "u4", "i8", "u8", "?"], "f8"
)


@pytest.mark.filterwarnings("ignore::likewise.DegenerateWarning")  # samples of equal bits
@pytest.mark.parametrize(("dtype", "wide"), WIDENED.items())
def test_other_dtypes_are_widened(function, dtype, wide, pair):
    x, y = ((a > 50 if dtype == "?" else a).astype(dtype) for a in pair)
    assert_same(results(function(x, y)), results(function(x.astype(wide), y.astype(wide))))


@pytest.mark.parametrize(
    ("one", "other", "wide"),
    [("f4", "f8", "f8"), ("f2", "f4", "f4"), ("i4", "f4", "f8"), ("u1", "f2", "f8")],
)
def test_mixed_dtypes_meet_in_the_wider_one(two_array_function, one, other, wide, pair):
    x, y = pair
    expected = results(two_array_function(x.astype(wide), y.astype(wide)))
    assert_same(results(two_array_function(x.astype(one), y.astype(other))), expected)


@pytest.mark.host_only("tensors of the CPU")
def test_tensors_of_every_layout_and_dtype(function, pair):
    torch = pytest.importorskip("torch")
    x, y = pair
    for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.int16):
        wide = np.float64 if dtype in (torch.float64, torch.int16) else np.float32
        expected = results(function(x.astype(wide), y.astype(wide)))
        tolerance = 1e-10 if wide == np.float64 else 1e-5
        tx, ty = (torch.tensor(a).to(dtype) for a in pair)
        for layout in (
            lambda t: t,
            lambda t: t.t().contiguous().t(),
            lambda t: t.repeat_interleave(2, dim=1)[:, ::2],
            lambda t: torch.stack([t, -t], dim=-1)[..., 0],
            lambda t: torch.nn.Parameter(t, requires_grad=False),
            lambda t: torch.complex(t.double(), -t.double()).conj().real.to(t.dtype),
            lambda t: torch.complex(-t.double(), -t.double()).conj().imag.to(t.dtype),
        ):
            actual = results(function(layout(tx), layout(ty)), lambda t: t.numpy())
            assert_same(actual, expected, tolerance)


def test_expanded_tensors_are_read_in_place(batched_function, pair):
    torch = pytest.importorskip("torch")
    x, y = (torch.tensor(a) for a in pair)
    for part, single in zip(
        results(batched_function(x.expand(3, -1, -1), y)),
        results(batched_function(x, y)),
        strict=True,
    ):
        np.testing.assert_allclose(part, np.stack([single] * 3), rtol=1e-10)


def test_results_own_their_memory(function, pair):
    x, y = (a.copy() for a in pair)
    expected = [r.copy() for r in results(function(x, y))]
    kept = results(function(x, y))
    x[:], y[:] = np.nan, np.nan
    del x, y
    gc.collect()
    for _ in range(3):  # memory that was only borrowed would be used again
        function(*(a[::-1] + 1 for a in pair))
    assert_same(kept, expected)


def test_inputs_are_let_go(function, pair, xp):
    x, y = (xp.array(a) for a in pair)
    function(x, y)
    before = sys.getrefcount(x), sys.getrefcount(y)
    for _ in range(5):
        function(x, y)
    assert (sys.getrefcount(x), sys.getrefcount(y)) == before


def test_memory_is_copied_only_where_needed(pair):
    copied = {"byte_swapped", "packed_records", "misaligned"}
    for name, layout in LAYOUTS.items():
        given = layout(pair[0])
        (seen,), _ = _array.read("f", True, x=given)
        assert np.shares_memory(seen, given) == (name not in copied), name


@pytest.mark.host_only("files and frames are read on the CPU")
def test_memory_maps_and_frames_are_arrays(pair, tmp_path):
    x, y = pair
    np.save(tmp_path / "x.npy", x)
    assert lw.cka(np.load(tmp_path / "x.npy", mmap_mode="r"), y) == lw.cka(x, y)
    pandas = pytest.importorskip("pandas")
    assert lw.cka(pandas.DataFrame(x), pandas.DataFrame(y)) == lw.cka(x, y)


@pytest.mark.host_only("arrays of ml_dtypes and of JAX are on the CPU")
@pytest.mark.parametrize("library", ["numpy", "jax"])
def test_bfloat16_is_widened(two_array_function, library):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.random.default_rng(0).standard_normal((24, 3)).astype(ml_dtypes.bfloat16)
    y = np.random.default_rng(1).standard_normal((24, 3)).astype(ml_dtypes.bfloat16)
    given: Any = (x, y)
    if library == "jax":
        jax = pytest.importorskip("jax")
        given = [jax.numpy.asarray(side) for side in (x, y)]
    found = two_array_function(*given)
    expected = two_array_function(x.astype(np.float32), y.astype(np.float32))
    for one, other in zip(_flat(found), _flat(expected), strict=True):
        kinds = [np.asarray(value).dtype for value in (one, other)]
        assert kinds[0] == kinds[1] or kinds[0].kind == "i"  # JAX has int32 alone
        np.testing.assert_array_equal(np.asarray(one), other)


def _flat(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)
