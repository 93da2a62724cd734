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


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((MAPS, "nhwc", "mean"), "layout must be one of"),
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
