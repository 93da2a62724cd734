"""Every function with kernels once on the device: numbers, warnings and NaN as on the CPU.

More of the numbers is seen by the tests of each topic, which run there too, and by those of the
kernels.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import simulated

import likewise as lw
from likewise._border.device import is_device_array

pytestmark = [
    pytest.mark.simulator,
    pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning"),
]

OF_TWO = {
    "cca": lw.cca,
    "canonical_correlations": lw.canonical_correlations,
    "svcca": lw.svcca,
    "pwcca": lw.pwcca,
    "cka": lw.cka,
    "cka rbf unbiased": lambda x, y, **o: lw.cka(x, y, kernel="rbf", estimator="unbiased", **o),
    "hsic polynomial": lambda x, y, **o: lw.hsic(x, y, kernel="polynomial", **o),
    "procrustes": lw.procrustes,
    "euclidean": lambda x, y, **o: lw.procrustes(x, y, score="euclidean", scale=False, **o),
    "shape_distance": lambda x, y, **o: lw.shape_distance(x, y, alpha=0.5, **o),
    "mutual_knn": lambda x, y, **o: lw.mutual_knn(x, y, k=5, **o),
    "jaccard_knn": lambda x, y, **o: lw.jaccard_knn(x, y, k=5, metric="euclidean", **o),
    "cknna": lambda x, y, **o: lw.cknna(x, y, k=5, **o),
    "rsa": lw.rsa,
    "rsa corr": lambda x, y, **o: lw.rsa(x, y, comparison="corr", **o),
    "rsa cosine_cov": lambda x, y, **o: lw.rsa(x, y, comparison="cosine_cov", **o),
    "permutation_match": lw.permutation_match,
    "semi_match": lw.semi_match,
    "soft_match": lw.soft_match,
    "soft distance": lambda x, y, **o: lw.soft_match(x, y, score="distance", **o),
    "linear_predictivity": lambda x, y, **o: lw.linear_predictivity(x, y, cv=2, **o),
    "sparse_predictivity": lambda x, y, **o: lw.sparse_predictivity(
        x, y, alphas=[0.4, 0.1], cv=2, **o
    ),
    "unit_similarity": lw.unit_similarity,
}
OF_ONE = {
    "nuclear_norm": lw.nuclear_norm,
    "svdvals": lw.svdvals,
    "polar": lw.polar,
    **{
        name: lambda x, name=name, **o: lw.rdm(x, dissimilarity=name, **o)
        for name in ("correlation", "cosine", "euclidean", "sqeuclidean")
    },
}
LOOSE = {"sparse_predictivity": 5e-6}  # solved to a duality gap of 1e-6


def parts_of(result):
    return list(result) if isinstance(result, tuple) else [result]


def called(function, *arrays, **options):
    """What it gives, as NumPy arrays, and what it says."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = parts_of(function(*arrays, **options))
    back = [simulated.numpy(part) if is_device_array(part) else part for part in found]
    # How often units of repeated items are counted differs.
    return [part for part in back if part is not None], {one.category for one in said}


def data(dtype):
    rng = np.random.default_rng(4)
    x = rng.standard_normal((2, 1, 40, 6))
    y = x[0, 0, :, :5] + rng.standard_normal((3, 40, 5))
    return x.astype(dtype), y.astype(dtype)


@pytest.fixture(autouse=True)
def plain_functions():
    """Arrays stay where the test has them."""
    simulated.active = False


def compared(name, function, arrays, dtype):
    found, said = called(function, *map(simulated.array, arrays))
    expected, said_here = called(function, *arrays)
    assert said == said_here
    tolerance = 5e-5 if dtype == np.float32 else LOOSE.get(name, 1e-11)
    for part, value in zip(found, expected, strict=True):
        assert part.dtype == np.asarray(value).dtype
        size = np.nanmax(np.abs(value), initial=1)
        np.testing.assert_allclose(part, value, rtol=0, atol=tolerance * size)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OF_TWO)
def test_batches_that_broadcast_are_as_on_the_cpu(name, dtype):
    x, y = data(dtype)
    compared(name, OF_TWO[name], (x, y), dtype)
    x[0, ..., 2] = 1  # is counted once, however often it is compared
    y[2] = 3
    compared(name, OF_TWO[name], (x, y), dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OF_ONE)
def test_batches_of_one_side_are_as_on_the_cpu(name, dtype):
    compared(name, OF_ONE[name], (data(dtype)[1],), dtype)


@pytest.mark.parametrize("name", [*OF_TWO, *OF_ONE])
def test_nan_stays_with_its_item_and_is_located(name):
    function, arrays = (OF_TWO | OF_ONE)[name], list(data(np.float64))
    place = (1, 0, 3, 2)
    if name in OF_ONE:
        arrays, place = arrays[1:], (1, 3, 2)
    clean = parts_of(function(*map(simulated.array, arrays)))
    arrays[0][place] = np.nan
    broken = list(map(simulated.array, arrays))
    found = parts_of(function(*broken, check_finite=False))
    for part, value in zip(found[:1], clean[:1], strict=True):
        part, value = simulated.numpy(part), simulated.numpy(value)
        assert np.isnan(part[1]).any()
        kept = np.delete(part, 1, axis=0), np.delete(value, 1, axis=0)
        np.testing.assert_allclose(*kept, rtol=1e-12, atol=1e-12)
    index = ", ".join(map(str, place))
    with pytest.raises(ValueError, match=rf" must be finite, got nan at index \({index}\)"):
        function(*broken)


@pytest.mark.parametrize("name", OF_TWO)
def test_nothing_of_nothing(name):
    x, y = data(np.float32)
    for part in parts_of(OF_TWO[name](simulated.array(x[:0]), simulated.array(y[0]))):
        assert part is None or simulated.numpy(part).shape[:2] == (0, 1)
