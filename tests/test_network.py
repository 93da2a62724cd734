"""Networks with matched units: the same function, and averages that work."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

import likewise as lw

pytest.importorskip("sklearn")
from likewise.maps import Layer, Network, average_networks, match_network


def relu(x):
    return np.maximum(x, 0)


def dense(weights, biases, x):
    """Hidden activations and outputs of a chain of dense layers (weights out x in)."""
    hidden = []
    for k, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        x = x @ weight.T + bias
        if k < len(weights) - 1:
            x = relu(x)
            hidden.append(x)
    return hidden, x


def dense_network(x, seed, widths=(20, 12, 9, 4)):
    rng = np.random.default_rng(seed)
    shapes = list(zip(widths[1:], widths[:-1], strict=True))
    weights = [rng.standard_normal(shape) / shape[1] ** 0.5 for shape in shapes]
    biases = [0.1 * rng.standard_normal(width) for width in widths[1:]]
    return Network.sequential(weights, biases, dense(weights, biases, x)[0])


def outputs(network, x):
    layers = network.layers.values()
    return dense([layer.weight for layer in layers], [layer.vectors["bias"] for layer in layers], x)


def test_the_function_stays_the_same():
    x = np.random.default_rng(0).standard_normal((200, 20))
    reference, other = dense_network(x, 1), dense_network(x, 2)
    matched = match_network(reference, other)
    hidden, y = outputs(matched, x)
    np.testing.assert_allclose(y, outputs(other, x)[1], rtol=0, atol=1e-12)
    for found, group in zip(hidden, matched.activations, strict=True):
        np.testing.assert_allclose(matched.activations[group][0], found, rtol=0, atol=1e-12)
    before = sum(
        np.trace(lw.unit_similarity(a, b))
        for a, b in zip(reference.activations.values(), outputs(other, x)[0], strict=True)
    )
    after = sum(
        np.trace(lw.unit_similarity(a, b))
        for a, b in zip(reference.activations.values(), hidden, strict=True)
    )
    assert after > before


def test_a_shuffled_copy_is_put_back():
    x = np.random.default_rng(0).standard_normal((200, 20))
    reference = dense_network(x, 1)
    rng = np.random.default_rng(3)
    orders = [rng.permutation(12), rng.permutation(9)]
    weights = [layer.weight for layer in reference.layers.values()]
    biases = [layer.vectors["bias"] for layer in reference.layers.values()]
    weights = [weights[0][orders[0]], weights[1][orders[1]][:, orders[0]], weights[2][:, orders[1]]]
    biases = [biases[0][orders[0]], biases[1][orders[1]], biases[2]]
    shuffled = Network.sequential(weights, biases, dense(weights, biases, x)[0])
    matched = match_network(reference, shuffled)
    for name, layer in reference.layers.items():
        np.testing.assert_array_equal(matched.layers[name].weight, layer.weight)
        np.testing.assert_array_equal(matched.layers[name].vectors["bias"], layer.vectors["bias"])
    averaged = average_networks(reference, matched, share=0.3)
    np.testing.assert_allclose(averaged["layer1"].weight, reference.layers["layer1"].weight)


def convolution(x, weight):
    """Valid 2-D convolution (n, c, h, w) * (out, c, kh, kw)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, weight)


def residual_network(x, seed):
    """conv, scaled -> [stream]; conv -> [inner]; conv, added to [stream]; flattened, dense."""
    rng = np.random.default_rng(seed)
    a, b, c = (rng.standard_normal(s) / 3 for s in ((6, 3, 2, 2), (5, 6, 1, 1), (6, 5, 1, 1)))
    scale, shift = rng.random(6) + 0.5, rng.standard_normal(6)
    bias, head = rng.standard_normal(5), rng.standard_normal((4, 6 * 9))
    layers = {
        "stem": Layer(a, None, "stream", {"scale": scale, "shift": shift}),
        "inner": Layer(b, "stream", "inner", {"bias": bias}),
        "back": Layer(c, "inner", "stream"),
        "head": Layer(head, "stream", None),
    }
    y, streams, inner = run_residual(layers, x)
    units = {
        "stream": [lw.reduce(s, layout="nchw", how="positions") for s in streams],
        "inner": lw.reduce(inner, layout="nchw", how="positions"),
    }
    return Network(layers, units), y


def run_residual(layers, x):
    stem = layers["stem"].vectors
    stream = relu(convolution(x, layers["stem"].weight))
    stream = stream * stem["scale"][:, None, None] + stem["shift"][:, None, None]
    inner = convolution(stream, layers["inner"].weight)
    inner = relu(inner + layers["inner"].vectors["bias"][:, None, None])
    second = stream + convolution(inner, layers["back"].weight)
    return second.reshape(len(x), -1) @ layers["head"].weight.T, [stream, second], inner


@pytest.mark.filterwarnings("ignore::likewise.DegenerateWarning")
def test_convolutions_normalisation_residuals_and_flattening():
    x = np.random.default_rng(0).standard_normal((40, 3, 4, 4))
    (reference, _), (other, y) = residual_network(x, 1), residual_network(x, 2)
    matched = match_network(reference, other)
    np.testing.assert_allclose(run_residual(matched.layers, x)[0], y, rtol=0, atol=1e-12)
    assert not np.array_equal(matched.layers["stem"].weight, other.layers["stem"].weight)
    # The stream has one permutation: what writes into it and reads from it moves together.
    order = [
        next(k for k in range(6) if np.array_equal(row, other.layers["stem"].weight[k]))
        for row in matched.layers["stem"].weight
    ]
    scales = other.layers["stem"].vectors["scale"]
    np.testing.assert_array_equal(matched.layers["stem"].vectors["scale"], scales[order])
    inner = [
        next(k for k in range(5) if bias == other.layers["inner"].vectors["bias"][k])
        for bias in matched.layers["inner"].vectors["bias"]
    ]
    back = other.layers["back"].weight[np.ix_(order, inner)]
    np.testing.assert_array_equal(matched.layers["back"].weight, back)


@pytest.mark.filterwarnings("ignore::likewise.DegenerateWarning")
def test_the_average_of_matched_networks_beats_that_of_unmatched_ones():
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    x, labels = load_digits(return_X_y=True)
    x = x / 16
    train, test = slice(0, 1200), slice(1200, None)
    networks = []
    for seed in (0, 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = MLPClassifier((64, 64), alpha=1e-2, max_iter=40, random_state=seed)
            model.fit(x[train], labels[train])
        weights = [w.T for w in model.coefs_]
        biases = model.intercepts_
        networks.append(Network.sequential(weights, biases, dense(weights, biases, x[train])[0]))

    def accuracy(layers):
        weights, biases = zip(
            *((layer.weight, layer.vectors["bias"]) for layer in layers.values()), strict=True
        )
        return (dense(weights, biases, x[test])[1].argmax(axis=1) == labels[test]).mean()

    reference, other = networks
    matched = match_network(reference, other)
    assert accuracy(matched.layers) == accuracy(other.layers)
    alone = min(accuracy(reference.layers), accuracy(other.layers))
    unmatched_average = accuracy(average_networks(reference, other))
    matched_average = accuracy(average_networks(reference, matched))
    assert alone > 0.88
    assert matched_average > unmatched_average + 0.1


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("constant", ["reference", "other"])
def test_units_without_a_partner_are_averaged_with_none(constant, dtype):
    x = np.random.default_rng(0).standard_normal((200, 20))
    networks = {"reference": dense_network(x, 1), "other": dense_network(x, 2)}
    expected = average_networks(networks["reference"], match_network(*networks.values()))
    dead = networks[constant]
    activations = {**dead.activations, "hidden1": np.full((200, 9), 0.3)}
    networks[constant] = replace(dead, activations=activations)
    matched = networks["other"]
    weights = {k: replace(v, weight=v.weight.astype(dtype)) for k, v in matched.layers.items()}
    networks["other"] = replace(matched, layers=weights)
    with pytest.warns(lw.DegenerateWarning, match="permutation_match: 1 constant representation"):
        matched = match_network(*networks.values())
    first, second, last = matched.layers.values()
    assert np.isnan(second.weight).all()
    assert np.isnan(second.vectors["bias"]).all()
    assert np.isnan(last.weight).all()
    assert np.isfinite(last.vectors["bias"]).all()
    (found,) = matched.activations["hidden1"]
    assert np.isnan(found).all()
    averaged = average_networks(networks["reference"], matched)
    assert np.isnan(averaged["layer1"].weight).all()
    if dtype == np.float64:  # and the others are right
        np.testing.assert_array_equal(averaged["layer0"].weight, expected["layer0"].weight)
    assert np.isfinite(first.weight).all()


def test_networks_that_do_not_fit_are_named():
    x = np.random.default_rng(0).standard_normal((50, 20))
    reference, other = dense_network(x, 1), dense_network(x, 2)
    with pytest.raises(ValueError, match="the same shapes and groups in layer 'layer1'"):
        match_network(reference, dense_network(x, 2, (20, 12, 8, 4)))
    with pytest.raises(ValueError, match="the same layers"):
        match_network(reference, dense_network(x, 2, (20, 12, 4)))
    few = replace(other, activations={"hidden0": other.activations["hidden0"]})
    with pytest.raises(ValueError, match="must hold the group 'hidden1' in both networks"):
        match_network(reference, few)
    fewer = replace(reference, activations=few.activations)
    with pytest.raises(ValueError, match="group 'hidden1', which has no activations"):
        match_network(fewer, few)
    short = replace(other, activations={k: v[:9] for k, v in other.activations.items()})
    with pytest.raises(ValueError, match="activations of 'hidden0' must have the same shape"):
        match_network(reference, short)
    narrow = {k: v[:, :5] for k, v in other.activations.items()}
    with pytest.raises(ValueError, match="writes 12 units, the activations of 'hidden0' have 5"):
        match_network(replace(reference, activations=narrow), replace(other, activations=narrow))
    with pytest.raises(ValueError, match="share must be between 0 and 1"):
        average_networks(reference, other, share=2)
    with pytest.raises(ValueError, match="activations one fewer"):
        Network.sequential([np.eye(2)], [np.ones(2)], [np.eye(2)])
