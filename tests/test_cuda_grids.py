"""Grids of device arrays, by every measure."""

from __future__ import annotations

import numpy as np
import pytest
import simulated
from simulated import cost_matrices, layers

import likewise as lw

pytestmark = pytest.mark.simulator

IN_GRIDS = lw.measures()
GRID_MEASURES = dict(zip(IN_GRIDS, IN_GRIDS, strict=True)) | {
    "rho-a": lw.measure("rsa", dissimilarity="sqeuclidean", comparison="rho-a"),
    "cosine": lw.measure("rsa", dissimilarity="cosine", comparison="cosine"),
    "corr": lw.measure("rsa", dissimilarity="euclidean", comparison="corr"),
    "corr_cov": lw.measure("rsa", comparison="corr_cov"),
}


@pytest.mark.parametrize("measure", GRID_MEASURES.values(), ids=GRID_MEASURES)
def test_grids_of_device_arrays(measure):
    pairwise, cross = simulated.cpu(lw.pairwise), simulated.cpu(lw.cross)
    host = layers()
    there = [simulated.array(item) for item in host]
    expected = pairwise(host, measure)
    found = simulated.numpy(pairwise(there, measure))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    found = simulated.numpy(cross(there[:1], there, measure))
    np.testing.assert_allclose(found, expected[:1], rtol=0, atol=1e-9)
    grid = pairwise(dict(zip("abcd", there, strict=True)), measure)
    np.testing.assert_allclose(grid["a", "d"], expected[0, 3], rtol=0, atol=1e-12)
    assert simulated.numpy(cross(there[:1], [], measure)).shape == (1, 0)
    assert simulated.numpy(cross([], there, measure)).shape == (0, 4)
    host[2][5, 1] = np.nan
    there[2] = simulated.array(host[2])
    with pytest.raises(ValueError, match=r"items\[2\] must be finite, got nan at index \(5, 1\)"):
        pairwise(there, measure)
    with pytest.raises(ValueError, match=r"items_b\[2\] must be finite"):
        cross([], there, measure)
    unchecked = simulated.numpy(pairwise(there, measure, check_finite=False))
    assert (np.isnan(unchecked).sum(axis=1) == [1, 1, 4, 1]).all()


def test_collections_of_two_places_are_refused():
    x = cost_matrices((8, 3))
    with pytest.raises(lw.InputTypeError, match="move one of them first"):
        simulated.cpu(lw.cross)([simulated.array(x)], [x])


@pytest.mark.parametrize("measure", IN_GRIDS)
def test_grids_without_the_look_wait_for_nothing(measure, monkeypatch):
    kept = []  # memory that is given back waits, in this library
    make = simulated.empty
    monkeypatch.setattr(simulated, "empty", lambda *a, **k: kept.append(make(*a, **k)) or kept[-1])
    there = [simulated.array(item) for item in layers()]
    before = simulated.module.stats()["launches"]
    found = simulated.cpu(lw.pairwise)(there, measure, check_finite=False)
    assert simulated.module.stats()["launches"] == before  # streams are lazy
    assert np.isfinite(simulated.numpy(found)).all()
