"""Single units, feature maps and networks on devices where their topics' tests end."""

from __future__ import annotations

import numpy as np
import pytest
import simulated
from simulated import on_simulator

import likewise as lw

pytestmark = on_simulator


def rectified(shape, dtype=np.float64, seed=0):
    return np.maximum(np.random.default_rng(seed).standard_normal(shape), 0).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_similarities_of_batches_that_broadcast(dtype):
    x, y = rectified((2, 1, 70, 4), dtype), rectified((3, 70, 33), dtype, 1)
    x[1, 0, :, 2] = 0.1
    said = []
    for function in (lw.unit_similarity, simulated.cpu(lw.unit_similarity)):
        with pytest.warns(lw.DegenerateWarning) as caught:
            said.append((function(x, y), [str(w.message) for w in caught]))
    (found, texts), (expected, texts_here) = said
    assert found.dtype == dtype
    assert texts == texts_here
    tolerance = 1e-6 if dtype == np.float32 else 1e-13
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    empty = lw.unit_similarity(x[:0], y)
    assert empty.shape == (0, 3, 4, 33)


def test_similarities_without_the_look():
    x, y = rectified((60, 5)), rectified((60, 6), seed=1)
    x[3, 2] = np.nan
    found = lw.unit_similarity(x, y, check_finite=False)
    expected = simulated.cpu(lw.unit_similarity)(x, y, check_finite=False)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    assert np.isnan(found[2]).all()
    with pytest.raises(ValueError, match=r"unit_similarity: x must be finite, .* \(3, 2\)"):
        lw.unit_similarity(x, y)


@pytest.mark.parametrize("how", ["flatten", "mean", "centre", "positions"])
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
