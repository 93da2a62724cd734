"""Riemannian distances of RDMs on the simulated device, against those of the CPU."""

from __future__ import annotations

import numpy as np
import pytest
import simulated
from simulated import on_simulator

import likewise as lw

# A search takes the same steps on both sides, unless rounding decides between two trials: the least
# distance then differs by what the search leaves open, 1e-8 where the minimum is flat.
RIEMANNIAN = {"dissimilarity": "sqeuclidean", "comparison": "neg_riem_dist"}


@on_simulator
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_riemannian_distances_of_batches_that_broadcast(dtype):
    rng = np.random.default_rng(10)
    x = rng.standard_normal((2, 1, 8, 5)).astype(dtype)  # RDMs of low rank
    y = rng.standard_normal((3, 8, 20)).astype(dtype)
    tolerance = 1e-4 if dtype == np.float32 else 1e-8
    found = lw.rsa(x, y, **RIEMANNIAN)
    assert found.dtype == dtype
    np.testing.assert_allclose(
        found, simulated.cpu(lw.rsa)(x, y, **RIEMANNIAN), rtol=0, atol=tolerance
    )
    x[1] = 2
    for function in (lw.rsa, simulated.cpu(lw.rsa)):
        with pytest.warns(lw.DegenerateWarning, match="1 constant representation"):
            assert (np.isnan(function(x, y, **RIEMANNIAN)) == [[False] * 3, [True] * 3]).all()
    y[2, 3, 4] = np.nan
    unchecked = lw.rsa(x, y, check_finite=False, **RIEMANNIAN)
    assert (np.isnan(unchecked) == [[False, False, True], [True] * 3]).all()
    with pytest.raises(ValueError, match=r"RDMs of full rank, .* got one of rank below 7"):
        lw.rsa(y[:2], x[0], **RIEMANNIAN)
    assert np.isnan(lw.rsa(y[:2], x[0], check_finite=False, **RIEMANNIAN)).all()
    assert lw.rsa(x[:0], y[0], **RIEMANNIAN).shape == (0, 1)


@on_simulator
def test_riemannian_distances_of_many_samples_by_cusolver():
    rng = np.random.default_rng(11)
    x, y = rng.standard_normal((2, 67, 90))
    for p, q in ((x, y), (x[:, :30], y)):
        expected = simulated.cpu(lw.rsa)(p, q, **RIEMANNIAN)
        assert lw.rsa(p, q, **RIEMANNIAN) == pytest.approx(expected, abs=1e-8)
    with pytest.raises(ValueError, match=r"RDMs of full rank, .* below 66"):
        lw.rsa(y, x[:, :30], **RIEMANNIAN)


@on_simulator
def test_riemannian_distances_of_rdms_that_no_samples_have():
    # Second moments with negative eigenvalues: noise makes up for them, or nothing does.
    rng = np.random.default_rng(12)
    p = rng.integers(1, 9, (3, 28)).astype(float)
    p[2] = 0
    q = np.stack([lw.rdm(x, dissimilarity="sqeuclidean") for x in rng.standard_normal((2, 8, 20))])
    expected = simulated.cpu(lw.compare_rdms)(p, q, comparison="neg_riem_dist")
    found = lw.compare_rdms(p, q, comparison="neg_riem_dist")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)
    with pytest.raises(ValueError, match="RDMs of full rank"):
        lw.compare_rdms(q, p[:1], comparison="neg_riem_dist")
    p[1, 3] = np.inf
    unchecked = lw.compare_rdms(p[:2], q, comparison="neg_riem_dist", check_finite=False)
    np.testing.assert_allclose(unchecked[0], expected[0], rtol=0, atol=1e-8)
    assert np.isnan(unchecked[1]).all()


@on_simulator
def test_riemannian_distances_in_grids_and_draws():
    host = [np.random.default_rng(k).standard_normal((6, d)) for k, d in enumerate((4, 9, 14))]
    there = [simulated.array(item) for item in host]
    cross, draw = simulated.cpu(lw.cross), simulated.cpu(lw.permutation_test)
    found = simulated.numpy(cross(there, there[1:], "rsa", **RIEMANNIAN))
    expected = cross(host, host[1:], "rsa", **RIEMANNIAN)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)
    with pytest.raises(ValueError, match="RDMs of full rank"):
        simulated.cpu(lw.pairwise)(there, "rsa", **RIEMANNIAN)
    drawn = [draw(*items[:2], "rsa", n=3, random_state=2, **RIEMANNIAN) for items in (there, host)]
    np.testing.assert_allclose(simulated.numpy(drawn[0].null), drawn[1].null, rtol=0, atol=1e-8)
