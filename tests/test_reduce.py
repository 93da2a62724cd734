"""The one way from feature maps and sequences to representations."""

from __future__ import annotations

import numpy as np
import pytest

import likewise as lw

pytestmark = pytest.mark.device

MAPS = np.arange(2 * 3 * 4 * 5, dtype=np.float64).reshape(2, 3, 4, 5)
TOKENS = np.arange(2 * 3 * 4, dtype=np.float64).reshape(2, 3, 4)


def test_flatten_keeps_every_position():
    assert np.array_equal(lw.reduce(MAPS, "nchw", "flatten"), MAPS.reshape(2, 60))
    assert np.array_equal(lw.reduce(TOKENS, "ntd", "flatten"), TOKENS.reshape(2, 12))


def test_mean_averages_over_positions():
    np.testing.assert_allclose(lw.reduce(MAPS, "nchw", "mean"), MAPS.mean(axis=(2, 3)))
    np.testing.assert_allclose(lw.reduce(TOKENS, "ntd", "mean"), TOKENS.mean(axis=1))


def test_mean_of_float32_is_summed_in_double():
    maps = np.full((1, 1, 4096, 4096), np.float32(0.1))
    assert lw.reduce(maps, "nchw", "mean", check_finite=False)[0, 0] == np.float32(0.1)


def test_centre_takes_one_position():
    assert np.array_equal(lw.reduce(MAPS, "nchw", "centre"), MAPS[:, :, 2, 2])
    assert np.array_equal(lw.reduce(TOKENS, "ntd", "centre"), TOKENS[:, 1])


def test_positions_become_samples():
    rows = lw.reduce(MAPS, "nchw", "positions")
    assert rows.shape == (40, 3)
    # Sample-major, then row by row: position (h, w) of sample n is row n * 20 + h * 5 + w.
    assert np.array_equal(rows[1 * 20 + 3 * 5 + 4], MAPS[1, :, 3, 4])
    assert np.array_equal(lw.reduce(TOKENS, "ntd", "positions"), TOKENS.reshape(6, 4))


def test_dtypes_follow_the_policy():
    assert lw.reduce(MAPS.astype(np.float16), "nchw", "mean").dtype == np.float32
    assert lw.reduce(MAPS.astype(np.int32), "nchw", "mean").dtype == np.float64


def test_torch_in_torch_out():
    torch = pytest.importorskip("torch")
    out = lw.reduce(torch.from_numpy(MAPS).to(torch.bfloat16), "nchw", "centre")
    assert isinstance(out, torch.Tensor)
    assert out.dtype == torch.float32


AXES = {
    "nchw": (0, 3, 1, 2),
    "nhwc": (0, 1, 2, 3),
    "nct": (0, 2, 1),
    "ntd": (0, 1, 2),
    "tnd": (1, 0, 2),
}


@pytest.mark.parametrize("how", ["flatten", "mean", "centre", "first", "last", "positions"])
@pytest.mark.parametrize("layout", AXES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_layout_has_the_same_meaning(layout, how, dtype):
    """Against loops over samples and positions of the layout that has units last."""
    rng = np.random.default_rng(0)
    spaces = (3, 5) if len(layout) == 4 else (7,)
    last = rng.standard_normal((4, *spaces, 6)).astype(dtype)
    x = last.transpose(AXES[layout])
    rows = last.reshape(4, -1, 6).astype(np.float64)
    middle = (3 // 2) * 5 + 5 // 2 if len(layout) == 4 else 7 // 2
    expected = {
        "flatten": x.transpose(1, 0, 2) if layout == "tnd" else x,
        "mean": [sum(sample) / len(sample) for sample in rows],
        "centre": [sample[middle] for sample in rows],
        "first": [sample[0] for sample in rows],
        "last": [sample[-1] for sample in rows],
        "positions": [row for sample in rows for row in sample],
    }[how]
    expected = np.reshape(
        np.array(expected, dtype=np.float64), (4, -1) if how != "positions" else (-1, 6)
    )
    tolerance = 1e-14 if dtype == np.float64 else 1e-6
    for given in (x, np.ascontiguousarray(x), np.asfortranarray(x), x[..., ::-1][..., ::-1]):
        found = lw.reduce(given, layout, how)
        assert found.dtype == (np.float64 if dtype == np.float64 else np.float32)
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


LEFT, RIGHT, BOTH = [0, 0, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [0, 1, 1, 0, 1, 0]


@pytest.mark.parametrize("layout", ["nct", "ntd", "tnd"])
@pytest.mark.parametrize("kind", [bool, np.int64, np.float32])
@pytest.mark.filterwarnings("ignore:reduce. masks have no version:likewise.DeviceWarning")
def test_padding_does_not_count(layout, kind):
    """The same as every sample without its padding, alone."""
    rng = np.random.default_rng(1)
    last = rng.standard_normal((5, 6, 3))
    mask = np.array([LEFT, RIGHT, BOTH, [1] * 6, [0, 0, 0, 0, 1, 0]])
    filled = np.where(mask[..., None] == 1, last, 1e6)  # padding that would be seen
    x = filled.transpose(AXES[layout])
    for how in ("mean", "centre", "first", "last", "positions"):
        alone = [lw.reduce(last[i : i + 1, mask[i] == 1], "ntd", how) for i in range(5)]
        found = lw.reduce(x, layout, how, mask=mask.astype(kind))
        np.testing.assert_allclose(found, np.concatenate(alone), rtol=1e-13)
    with pytest.raises(ValueError, match="keep all of them, got one that keeps 17 of 30"):
        lw.reduce(x, layout, "flatten", mask=mask)
    whole = lw.reduce(x, layout, "flatten", mask=np.ones((5, 6)))
    np.testing.assert_array_equal(whole, lw.reduce(x, layout, "flatten"))


def test_padding_may_be_anything_if_nobody_looks():
    x = np.array([[[1.0], [np.nan]], [[2.0], [4.0]]])
    found = lw.reduce(x, "ntd", "mean", mask=[[1, 0], [1, 1]], check_finite=False)
    np.testing.assert_array_equal(found, [[1.0], [3.0]])


@pytest.mark.parametrize(
    ("x", "layout", "mask", "text"),
    [
        (TOKENS, "ntd", np.ones((2, 4)), r"mask must have shape \(n, t\) = \(2, 3\), got \(2, 4\)"),
        (TOKENS, "tnd", np.ones((2, 3)), r"mask must have shape \(n, t\) = \(3, 2\)"),
        (TOKENS, "ntd", [[1, 1, 0], [0, 0, 0]], "a position of every sample, none of 1"),
        (TOKENS, "ntd", [[1, 1, 2], [1, 1, 1]], "mask must hold 0 and 1 only, got 2"),
        (TOKENS, "ntd", [[0, 0, -1e9], [0, 0, 0]], "mask must hold 0 and 1 only, got -1e"),
        (MAPS, "nchw", np.ones((2, 20)), "mask goes with sequences, got layout 'nchw'"),
    ],
)
def test_masks_that_do_not_fit_are_named(x, layout, mask, text):
    with pytest.raises(ValueError, match=text):
        lw.reduce(x, layout, "mean", mask=np.asarray(mask))


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((MAPS, "nchwt", "mean"), "layout must be one of"),
        ((MAPS, "nchw", "max"), "how must be one of"),
        ((MAPS, "ntd", "mean"), "needs 3 axes, got shape"),
        ((TOKENS, "nchw", "mean"), "needs 4 axes, got shape"),
        ((MAPS[:, :, :0], "nchw", "mean"), "must be non-empty"),
        ((np.where(MAPS == 7, np.nan, MAPS), "nchw", "mean"), "x must be finite, got nan at index"),
    ],
)
def test_bad_input_is_named(args, text):
    with pytest.raises(ValueError, match=text):
        lw.reduce(*args)
