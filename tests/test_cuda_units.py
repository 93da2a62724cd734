"""Single units, feature maps and networks on devices where their topics' tests end."""

from __future__ import annotations

import numpy as np
import pytest
import simulated

import likewise as lw

pytestmark = pytest.mark.simulator


def rectified(shape, dtype=np.float64, seed=0):
    return np.maximum(np.random.default_rng(seed).standard_normal(shape), 0).astype(dtype)


@pytest.mark.parametrize("how", ["flatten", "mean", "centre", "first", "last", "positions"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int32])
def test_reductions_of_any_layout(how, dtype):
    rng = np.random.default_rng(0)
    maps = (9 * rng.standard_normal((3, 4, 7, 5))).astype(dtype)
    for array, layout in (
        (maps, "nchw"),
        (maps.transpose(0, 3, 1, 2), "nchw"),  # channels last in memory
        (maps[:, :1], "nchw"),
        (maps[:, :, ::2, 0], "ntd"),
        (maps[0], "ntd"),
        (maps[0][:, :1], "ntd"),
        (maps[0], "nct"),
        (maps[0], "tnd"),
        (maps, "nhwc"),
    ):
        found = lw.reduce(array, layout, how)
        expected = simulated.cpu(lw.reduce)(array, layout, how)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=0 if how != "mean" else 1e-6)


def test_flattening_copies_nothing():
    maps = simulated.array(rectified((3, 4, 5, 6)))
    before = simulated.module.stats()["launches"]
    found = lw.reduce(maps, "nchw", "flatten", check_finite=False)
    assert simulated.module.stats()["launches"] == before
    np.testing.assert_array_equal(simulated.numpy(found), simulated.numpy(maps).reshape(3, 120))
