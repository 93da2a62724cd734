"""Single units, feature maps and networks on devices where their topics' tests end."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import simulated
from simulated import on_simulator

import likewise as lw
from likewise._border import device as _device
from likewise.maps.networks import Network, average_networks, match_network

pytestmark = on_simulator


def rectified(shape, dtype=np.float64, seed=0):
    return np.maximum(np.random.default_rng(seed).standard_normal(shape), 0).astype(dtype)


@pytest.mark.parametrize("similarity", ["correlation", "mutual_information"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_similarities_of_batches_that_broadcast(similarity, dtype):
    x, y = rectified((2, 1, 70, 4), dtype), rectified((3, 70, 33), dtype, 1)
    x[1, 0, :, 2] = 0.1
    y[2, :, :] = np.round(y[2])  # ties
    said = []
    for function in (lw.unit_similarity, simulated.cpu(lw.unit_similarity)):
        with pytest.warns(lw.DegenerateWarning) as caught:
            said.append((function(x, y, similarity=similarity), [str(w.message) for w in caught]))
    (found, texts), (expected, texts_here) = said
    assert found.dtype == dtype
    assert texts == texts_here
    tolerance = 1e-6 if dtype == np.float32 else 1e-13
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    empty = lw.unit_similarity(x[:0], y, similarity=similarity)
    assert empty.shape == (0, 3, 4, 33)


@pytest.mark.parametrize("bins", [3, 40, 120, 256])
def test_edges_of_bins_are_those_of_the_cpu_to_the_last_bit(bins):
    # Values that are quantiles themselves: an edge that rounds otherwise moves them.
    x = np.random.default_rng(0).integers(-40, 41, (257, 3)) * 0.1
    y = rectified((257, 2), seed=3)
    options = {"similarity": "mutual_information", "bins": bins, "bias_correction": False}
    found = lw.unit_similarity(x, y, **options)
    expected = simulated.cpu(lw.unit_similarity)(x, y, **options)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("similarity", ["correlation", "mutual_information"])
def test_similarities_without_the_look(similarity):
    x, y = rectified((60, 5)), rectified((60, 6), seed=1)
    x[3, 2] = np.nan
    options = {"similarity": similarity, "check_finite": False}
    found = lw.unit_similarity(x, y, **options)
    expected = simulated.cpu(lw.unit_similarity)(x, y, **options)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    assert np.isnan(found[2]).all()
    with pytest.raises(ValueError, match=r"unit_similarity: x must be finite, .* \(3, 2\)"):
        lw.unit_similarity(x, y, similarity=similarity)


@pytest.mark.parametrize("shape", [(9, 9), (6, 40), (40, 6)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_partners_are_those_of_the_cpu(shape, dtype, monkeypatch):
    matrix = np.random.default_rng(2).random(shape).astype(dtype)
    matrix[2] = matrix[3] * dtype(0.9)  # greedy partners repeat
    there = simulated.array(matrix)
    expected = simulated.cpu(lw.match_units)(matrix, threshold=0.8)
    found = lw.match_units(there, threshold=0.8)
    assert "arrays on a device" in repr(found)
    _same_matching(found, expected)
    monkeypatch.setattr(simulated.module, "most_assigned", 5)
    monkeypatch.setattr(_device, "_told", set())
    with pytest.warns(lw.DeviceWarning, match="match_units: .* more than 5 .* on the CPU"):
        found = lw.match_units(there, threshold=0.8)
    _same_matching(found, expected)
    matrix[1, 1] = np.nan
    with pytest.raises(ValueError, match="match_units: similarity must be finite"):
        lw.match_units(simulated.array(matrix))


def _same_matching(found, expected):
    for value, wanted in zip(found[:4], expected[:4], strict=True):
        host = simulated.numpy(value)
        assert host.dtype == wanted.dtype
        np.testing.assert_array_equal(host, wanted)
    assert found[4:] == expected[4:]


def test_groups_are_found_on_the_cpu(monkeypatch):
    pytest.importorskip("scipy")
    monkeypatch.setattr(_device, "_told", set())
    x, y = rectified((50, 5)), rectified((50, 4), seed=1)
    there = simulated.array(x), simulated.array(y)
    options = {"method": "hierarchical", "edges": "all"}
    with pytest.warns(lw.DeviceWarning, match="cluster_units: groups .* on the CPU"):
        found = lw.cluster_units(*there, 3, **options)
    expected = simulated.cpu(lw.cluster_units)(x, y, 3, **options)
    assert repr(found) == "UnitClusters(arrays on a device)"
    np.testing.assert_array_equal(simulated.numpy(found.labels_x), expected.labels_x)
    np.testing.assert_array_equal(simulated.numpy(found.labels_y), expected.labels_y)
    np.testing.assert_allclose(simulated.numpy(found.tree), expected.tree, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_statistics_of_means_of_every_kind(dtype):
    x = np.random.default_rng(1).standard_normal((4, 30, 40)).astype(dtype)
    x[1] = -np.abs(x[1])  # nothing positive
    x[2, 3, 5] = np.nan
    x[3, 4, 6] = x[3, 0, 7] = np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of NumPy
        expected = simulated.cpu(lw.unit_statistics)(x, check_finite=False)
    found = lw.unit_statistics(x, check_finite=False)
    tolerance = 1e-6 if dtype == np.float32 else 1e-13
    for name, value, wanted in zip(found._fields, found, expected, strict=True):
        assert value.dtype == dtype
        np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=tolerance, err_msg=name)
    assert lw.unit_statistics(x[:0]).spectrum.shape == (0, 40)


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


def networks():
    x = rectified((80, 6), seed=4)
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        weights = [rng.standard_normal(shape) for shape in ((7, 6), (3, 7))]
        hidden = x @ weights[0].T
        yield Network.sequential(weights, [np.ones(7), np.ones(3)], [[hidden, hidden[::2]]])


def there(network):
    return simulated._there(network)


def test_networks_are_matched_and_averaged_on_the_device():
    first, second = networks()
    expected = match_network(first, second)
    found = match_network(there(first), there(second))
    mean, wanted = (
        average_networks(*pair, share=0.3) for pair in ((there(first), found), (first, expected))
    )
    back = simulated._back(found)
    for name, layer in expected.layers.items():
        np.testing.assert_array_equal(back.layers[name].weight, layer.weight)
        np.testing.assert_array_equal(back.layers[name].vectors["bias"], layer.vectors["bias"])
        weight = simulated.numpy(mean[name].weight)
        np.testing.assert_allclose(weight, wanted[name].weight, rtol=0, atol=1e-15)
    for found_part, part in zip(
        back.activations["hidden0"], expected.activations["hidden0"], strict=True
    ):
        np.testing.assert_array_equal(found_part, part)


def test_networks_in_two_places_are_refused():
    first, second = networks()
    with pytest.raises(lw.InputTypeError, match=r"match_network: all .* of one library and device"):
        match_network(there(first), second)
    with pytest.raises(lw.InputTypeError, match="average_networks: all arrays must be of one"):
        average_networks(first, there(second))
    parts = [there(np.ones((4, 7))), there(np.ones((4, 6)))]
    uneven = Network(there(first).layers, {"hidden0": parts})
    with pytest.raises(ValueError, match="activations of 'hidden0' must have the same units"):
        match_network(uneven, uneven)
