"""Truncation maps of rectifier networks: identities, sectors, what is refused."""

from itertools import pairwise

import numpy as np
import pytest

from likewise.truncation import TruncationMaps, adaptedness, cluster_diameters


def network(widths, seed=0):
    rng = np.random.default_rng(seed)
    weights = [
        rng.standard_normal((after, before)) / np.sqrt(before) for before, after in pairwise(widths)
    ]
    return weights, [rng.standard_normal(after) for after in widths[1:]]


def rotation(width, seed):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((width, width)))[0]


def points(width, n=50, seed=1):
    return 2 * np.random.default_rng(seed).standard_normal((n, width))


@pytest.mark.parametrize("widths", [(5, 5, 5, 5), (9, 7, 7, 4), (6, 1)])
def test_the_network_is_one_affine_map_after_its_truncations(widths):
    weights, biases = network(widths)
    x = points(widths[0])
    maps = TruncationMaps(weights, biases)
    path, sectors = maps.path(x), maps.sectors(x)
    assert len(path) == len(maps) + 1
    signal = x
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True), start=1):
        before = signal @ weight.T + bias
        signal = np.maximum(before, 0)
        error = np.abs(maps.apply(path[layer], layer) - signal).max()
        assert error < 1e-12 * max(1, *maps.conditions)
        np.testing.assert_array_equal(sectors[layer - 1], before <= 0)
        shifted = (path[layer] + maps.shifts[layer - 1]) @ maps.weights[layer - 1].T
        np.testing.assert_allclose(shifted, signal, atol=1e-10)


def test_the_identity_to_1e_12_of_well_conditioned_layers():
    weights = [np.diag([0.5, 1, 2, 1, 3.0]) @ rotation(5, seed) for seed in range(4)]
    biases = network((5,) * 5)[1]
    x = points(5)
    maps = TruncationMaps(weights, biases)
    signal = x
    for weight, bias in zip(weights, biases, strict=True):
        signal = np.maximum(signal @ weight.T + bias, 0)
    np.testing.assert_allclose(maps.apply(maps.path(x)[-1], 4), signal, rtol=0, atol=1e-12)


def test_truncations_do_not_depend_on_scales():
    rng = np.random.default_rng(3)
    turn, beta, x = rotation(6, 0), rng.standard_normal(6), points(6)
    results = []
    for _ in range(3):
        weight = rng.uniform(0.01, 100, 6)[:, None] * turn
        maps = TruncationMaps([weight], [weight @ beta])
        np.testing.assert_allclose(maps.shifts[0], beta, atol=1e-12)
        results.append(maps.truncate(x, 1))
    expected = np.maximum((x + beta) @ turn.T, 0) @ turn - beta
    for result in results:
        np.testing.assert_allclose(result, expected, atol=1e-12)


def test_sectors_say_what_happens_to_points():
    turn, beta = rotation(3, 1), np.array([0.3, -0.2, 0.5])
    maps = TruncationMaps([turn], [turn @ beta])
    coordinates = np.array([[1, 2, 3], [-1, -2, -0.5], [1, -1, 2], [-4, -1, -2.0]])
    x = coordinates @ turn - beta
    moved, (sectors,) = maps.truncate(x, 1), maps.sectors(x)
    np.testing.assert_array_equal(sectors, coordinates < 0)
    np.testing.assert_array_equal(moved[0], x[0])  # to the last digit
    np.testing.assert_allclose(moved[[1, 3]], np.tile(-beta, (2, 1)), atol=1e-14)
    np.testing.assert_allclose((moved[2] + beta) @ turn.T, [1, 0, 2], atol=1e-14)


def test_narrowing_layers_drop_what_they_do_not_see():
    maps = TruncationMaps(*network((6, 4)))
    x = points(6)
    unseen = np.linalg.svd(maps.weights[0])[2][4:]
    np.testing.assert_allclose(maps.truncate(x, 1) @ unseen.T, 0, atol=1e-13)
    moved = maps.truncate(x + 3 * unseen[0], 1)
    np.testing.assert_allclose(moved, maps.truncate(x, 1), atol=1e-12)
    pulled = maps.pull_back(np.maximum(maps.apply(x, 1), 0), 1)
    np.testing.assert_allclose(pulled, moved, atol=1e-12)


def test_outputs_pulled_back():
    weights, biases = network((6, 6, 3))
    maps = TruncationMaps(weights, biases)
    targets = np.eye(3)
    np.testing.assert_allclose(maps.apply(maps.pull_back(targets, 2), 2), targets, atol=1e-12)


def test_what_has_no_truncation_maps():
    weights, biases = network((4, 4, 4))
    with pytest.raises(ValueError, match=r"layer 1 is wider \(5\) than what it takes \(4\)"):
        TruncationMaps(*network((4, 5)))
    weights[1][0] = weights[1][1]
    with pytest.raises(ValueError, match=r"layer 2 must have a condition number of at most 1e.12"):
        TruncationMaps(weights, biases)
    flat = [np.diag([1, 1e-3]), np.diag([1, 1e-3])]
    assert TruncationMaps(flat, [np.zeros(2)] * 2).conditions == pytest.approx([1e3, 1e6])
    with pytest.raises(ValueError, match=r"layer 2.*at most 1e.05, got 1e.06"):
        TruncationMaps(flat, [np.zeros(2)] * 2, max_condition=1e5)
    for arguments, message in [
        (([], []), "at least one, got 0"),
        (([np.eye(2)], [np.zeros(3)]), r"layer 1 must have a weight .* got \(2, 2\) and \(3,\)"),
        (([np.eye(2), np.eye(3)], [np.zeros(2), np.zeros(3)]), "layer 2 must take the 2 outputs"),
        (([np.eye(2) * np.nan], [np.zeros(2)]), r"weights\[0\] must be finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            TruncationMaps(*arguments)
    maps = TruncationMaps([np.eye(2)], [np.zeros(2)])
    with pytest.raises(ValueError, match=r"points must have shape \(n, 2\), got \(4, 3\)"):
        maps.path(np.ones((4, 3)))
    with pytest.raises(ValueError, match="layers must be between 0 and 1, got 2"):
        maps.path(np.ones((4, 2)), 2)
    with pytest.raises(ValueError, match="layer must be between 1 and 1, got 2"):
        maps.truncate(np.ones((4, 2)), 2)


def test_adapted_weights():
    scales = np.array([0.5, 2, 1, 3])
    turn = rotation(6, 2)[:4]
    found = adaptedness(scales[:, None] * turn)
    assert found.off_diagonal < 1e-14
    np.testing.assert_allclose(found.scales, scales, atol=1e-12)
    np.testing.assert_allclose(found.rotation, turn, atol=1e-12)
    weight = np.random.default_rng(0).standard_normal((200, 200))
    random = adaptedness(weight)
    assert random.off_diagonal == pytest.approx(1 - (8 / (3 * np.pi)) ** 2, abs=0.01)
    root = weight @ random.rotation.T
    np.testing.assert_allclose(root, root.T, atol=1e-10)
    np.testing.assert_allclose(np.diagonal(root), random.scales, atol=1e-10)
    turned = adaptedness(3 * weight @ rotation(200, 4))
    assert turned.off_diagonal == pytest.approx(random.off_diagonal, abs=1e-10)
    for bad in (np.zeros((2, 2)), np.ones((3, 2)), np.ones(3)):
        with pytest.raises(ValueError, match="adaptedness: weight must"):
            adaptedness(bad)


def test_diameters():
    x = points(3, n=2100)
    labels = np.arange(2100) % 2 + 5
    distances = np.linalg.norm(x[labels == 5][:, None] - x[labels == 5], axis=-1)
    found = cluster_diameters(x, labels)
    assert found[0] == pytest.approx(distances.max(), rel=1e-12)
    x[labels == 6] = [1 / 3, 2, 7]
    assert cluster_diameters(x, labels)[1] < 1e-14
    near = 1e6 + 1e-3 * points(3, n=9)
    spread = np.linalg.norm(near[:, None] - near, axis=-1).max()
    assert cluster_diameters(near, np.zeros(9))[0] == pytest.approx(spread, rel=1e-6)
    with pytest.raises(ValueError, match=r"labels \(n,\), got"):
        cluster_diameters(x, labels[:5])


def test_parameters_of_layers_are_only_read():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    layers = [torch.nn.Linear(4, 4, dtype=torch.float64) for _ in range(2)]
    x = np.random.default_rng(0).standard_normal((5, 4))
    own = TruncationMaps([la.weight for la in layers], [la.bias for la in layers])
    arrays = [[p.detach().numpy() for p in la.parameters()] for la in layers]
    expected = TruncationMaps(*zip(*arrays, strict=True))
    np.testing.assert_array_equal(own.apply(x, 2), expected.apply(x, 2))
    assert adaptedness(layers[0].weight).off_diagonal == adaptedness(arrays[0][0]).off_diagonal


@pytest.mark.parametrize("scale", [2.0**-600, 2.0**600])
def test_adaptedness_and_diameters_hold_at_every_scale(scale):
    weight, labels = points(5, n=3), np.arange(50) % 3
    whole, scaled = adaptedness(weight), adaptedness(scale * weight)
    assert scaled.off_diagonal == pytest.approx(whole.off_diagonal, abs=1e-12)
    np.testing.assert_allclose(scaled.scales, scale * whole.scales, rtol=1e-12)
    found = cluster_diameters(scale * points(4), labels)
    np.testing.assert_allclose(found, scale * cluster_diameters(points(4), labels), rtol=1e-12)
