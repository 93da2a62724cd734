"""Averaging after matching: the hidden units of one network in the order of another's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from likewise._border.arrays import read
from likewise._border.device import is_device_array, library_name
from likewise.assignment import permutation_match
from likewise.errors import InputTypeError

__all__ = ["Layer", "Network", "average_networks", "match_network"]


@dataclass(frozen=True, eq=False)
class Layer:
    """The plain arrays of a dense or convolutional layer, and the units that it connects.

    Attributes
    ----------
    weight
        ``(out, in, ...)``: dense ``(out, in)`` or convolutional ``(out, in, height, width)``, as
        torch has them. A dense layer after a flattened feature map has ``in = channels *
        positions``, channels first.
    inputs, outputs
        Names of the groups of units that it reads and writes; None for the inputs and outputs of
        the network, which keep their order. Layers that write into one residual stream share its
        group, and so one permutation.
    vectors
        Arrays with one entry per output unit: bias, and scale, shift, mean and variance of a
        normalisation.
    """

    weight: Any
    inputs: str | None = None
    outputs: str | None = None
    vectors: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Network:
    """A trained network as plain arrays, with what its hidden units do on some stimuli.

    Attributes
    ----------
    layers
        By name.
    activations
        Of each group of units, ``(n, units)``, or a list of such arrays where several layers write
        into one group. Both networks must have seen the same stimuli.
    """

    layers: Mapping[str, Layer]
    activations: Mapping[str, Any]

    @classmethod
    def sequential(
        cls, weights: Sequence[Any], biases: Sequence[Any], activations: Sequence[Any]
    ) -> Network:
        """A chain of layers with ``activations`` of the hidden ones, one fewer than weights."""
        count = len(weights)
        if len(biases) != count or len(activations) != count - 1:
            raise ValueError(
                "Network.sequential: biases must be as many as weights and activations one fewer, "
                f"got {count} weights, {len(biases)} biases and {len(activations)} activations"
            )
        groups = [None, *(f"hidden{k}" for k in range(count - 1)), None]
        layers = {
            f"layer{k}": Layer(weight, groups[k], groups[k + 1], {"bias": bias})
            for k, (weight, bias) in enumerate(zip(weights, biases, strict=True))
        }
        hidden = [group for group in groups if group is not None]
        return cls(layers, dict(zip(hidden, activations, strict=True)))


def match_network(reference: Network, other: Network) -> Network:
    """``other`` with its hidden units in the order of those of ``reference`` that they match.

    Each group of units is matched one to one at the largest sum of correlations between activations
    (Li et al. 2016; Ainsworth, Hayase & Srinivasa 2023, activation matching). The network computes
    the same function, up to the order of sums, and its arrays can be averaged with those of the
    reference.

    Parameters
    ----------
    reference, other
        Of the same architecture: layers of the same names, shapes and groups.

    Returns
    -------
    Network
        New arrays; ``other`` is left as it is. On a device float32 for half precision. Units of a
        group whose activations are constant in one of the networks have no partners: NaN in all
        that belongs to them, weights that read them too.

    Raises
    ------
    ValueError
        Networks of different architectures, activations that do not fit a group's width or are
        missing, different stimuli.
    InputTypeError
        Arrays on different devices.

    Warns
    -----
    DegenerateWarning
        Constant units, or all units of a group constant.
    """
    _require_alike(reference, other)
    (reference, other), give = _on_host("match_network", reference, other)
    orders: dict[str | None, Any] = {}
    for group in reference.activations:
        mine, theirs = (_activations(network, group) for network in (reference, other))
        if np.shape(mine) != np.shape(theirs):
            raise ValueError(
                f"match_network: activations of {group!r} must have the same shape in both "
                f"networks, got {tuple(np.shape(mine))} and {tuple(np.shape(theirs))}"
            )
        orders[group] = permutation_match(mine, theirs).assignment
    layers = {}
    for name, layer in other.layers.items():
        weight = layer.weight
        order = None
        if layer.outputs is not None:
            order = _order(orders, name, layer.outputs, np.shape(weight)[0])
        weight = _taken(weight, order, 0)
        if layer.inputs is not None:
            order_of_inputs = _order(orders, name, layer.inputs, None)
            _require_multiple(np.shape(weight)[1], order_of_inputs.shape[0], name)
            weight = _taken(weight, order_of_inputs, 1)
        vectors = {key: _taken(vector, order, 0) for key, vector in layer.vectors.items()}
        layers[name] = replace(layer, weight=weight, vectors=vectors)
    activations = {
        group: [_taken(part, orders[group], 1) for part in _parts(given)]
        for group, given in other.activations.items()
    }
    return _mapped(give, Network(layers, activations))


def average_networks(first: Network, second: Network, share: float = 0.5) -> dict[str, Layer]:
    """Every array of two networks averaged: ``(1 - share) * first + share * second``.

    Makes sense between a network and another that :func:`match_network` has brought into its order:
    the networks on the straight line between the two (linear mode connectivity; Ainsworth, Hayase &
    Srinivasa 2023; in the middle the matched average of Singh & Jaggi 2020).

    Parameters
    ----------
    first, second
        Of the same architecture: layers of the same names, shapes and groups.
    share
        Of the second network, between 0 (the first network) and 1 (the second one).

    Returns
    -------
    dict of str to Layer
        New layers by name, with the connections of those of ``first``; weights and vectors have the
        shapes of the given ones. On a device float32 for half precision.

    Raises
    ------
    ValueError
        Networks of different architectures, ``share`` outside ``[0, 1]``.
    InputTypeError
        Arrays on different devices.
    """
    _require_alike(first, second)
    if not 0 <= share <= 1:
        raise ValueError(f"average_networks: share must be between 0 and 1, got {share}")
    weights = (Network(network.layers, {}) for network in (first, second))
    (first, second), give = _on_host("average_networks", *weights)

    def mean(a: Any, b: Any) -> Any:
        return give(np.asarray((1 - share) * np.asarray(a) + share * np.asarray(b)))

    layers = {}
    for name, layer in first.layers.items():
        other = second.layers[name]
        vectors = {key: mean(v, other.vectors[key]) for key, v in layer.vectors.items()}
        layers[name] = replace(layer, weight=mean(layer.weight, other.weight), vectors=vectors)
    return layers


def _parts(given: Any) -> list[Any]:
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _activations(network: Network, group: str) -> Any:
    if group not in network.activations:
        raise ValueError(
            f"match_network: activations must hold the group {group!r} in both networks, got "
            f"{list(network.activations)}"
        )
    parts = [np.asarray(part) for part in _parts(network.activations[group])]
    if len({part.shape[1:] for part in parts}) > 1:
        raise ValueError(
            f"match_network: all activations of {group!r} must have the same units, got shapes "
            f"{[part.shape for part in parts]}"
        )
    return np.concatenate(parts)


def _taken(value: Any, order: Any, axis: int) -> Any:
    """A copy with the units along an axis in this order, each with all of its entries there; NaN
    for units without a partner (-1)."""
    array = np.asarray(value)
    if order is None:
        return array.copy()
    places = np.asarray(order)
    split = array.reshape(*array.shape[:axis], places.size, -1)
    taken = split.take(places, axis=axis, mode="clip")
    if (places < 0).any():
        taken = taken.astype(np.result_type(taken, np.float16), copy=False)  # integers have no NaN
        np.moveaxis(taken, axis, 0)[places < 0] = np.nan
    return taken.reshape(array.shape)


def _order(orders: Mapping[str | None, Any], name: str, group: str, width: int | None) -> Any:
    if group not in orders:
        raise ValueError(
            f"match_network: layer {name!r} uses the group {group!r}, which has no activations; "
            f"there are {list(orders)}"
        )
    if width is not None and orders[group].shape[0] != width:
        raise ValueError(
            f"match_network: layer {name!r} writes {width} units, the activations of {group!r} "
            f"have {orders[group].shape[0]}"
        )
    return orders[group]


def _require_multiple(inputs: int, units: int, name: str) -> None:
    if inputs % units:
        raise ValueError(
            f"match_network: layer {name!r} reads {inputs} inputs, which is no multiple of the "
            f"{units} units of its group"
        )


def _on_host(function: str, *networks: Network) -> tuple[tuple[Network, ...], Callable[[Any], Any]]:
    """The networks with their arrays in host memory, and what sends new arrays to where they were;
    those that are there already stay as they are."""
    arrays = [array for network in networks for array in _arrays(network)]
    places = sorted({library_name(a) if is_device_array(a) else "the CPU" for a in arrays})
    if len(places) > 1:
        raise InputTypeError(
            f"{function}: all arrays must be of one library and device, got {' and '.join(places)}"
        )
    if places in ([], ["the CPU"]):
        return networks, lambda array: array
    _, library = read(function, False, array=arrays[0])
    there = tuple(
        _mapped(lambda array: library.on_cpu([library.view("array", array)])[0][0], network)
        for network in networks
    )
    return there, lambda array: library.give(library.sent(array))


def _mapped(function: Callable[[Any], Any], network: Network) -> Network:
    """The network with all its arrays replaced by what a function makes of them."""
    layers = {
        name: replace(
            layer,
            weight=function(layer.weight),
            vectors={key: function(vector) for key, vector in layer.vectors.items()},
        )
        for name, layer in network.layers.items()
    }
    activations = {
        group: [function(part) for part in _parts(given)]
        for group, given in network.activations.items()
    }
    return Network(layers, activations)


def _arrays(network: Network) -> list[Any]:
    layers = network.layers.values()
    weights = [array for layer in layers for array in (layer.weight, *layer.vectors.values())]
    return weights + [part for parts in network.activations.values() for part in _parts(parts)]


def _require_alike(first: Network, second: Network) -> None:
    def architecture(network: Network) -> dict[str, Any]:
        return {
            name: (
                np.shape(layer.weight),
                layer.inputs,
                layer.outputs,
                {key: np.shape(vector) for key, vector in layer.vectors.items()},
            )
            for name, layer in network.layers.items()
        }

    one, other = architecture(first), architecture(second)
    if one.keys() != other.keys():
        raise ValueError(f"networks must have the same layers, got {list(one)} and {list(other)}")
    for name, shape in one.items():
        if other[name] != shape:
            raise ValueError(
                f"networks must have the same shapes and groups in layer {name!r}, got {shape} "
                f"and {other[name]}"
            )
