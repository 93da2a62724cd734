"""Averaging after matching: the hidden units of one network in the order of another's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from likewise._array import Array
from likewise.assignment import permutation_match

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
        New arrays; ``other`` is left as it is.

    Raises
    ------
    ValueError
        Networks of different architectures, activations that do not fit a group's width or are
        missing, different stimuli.
    """
    _require_alike(reference, other)
    orders: dict[str | None, Array] = {}
    for group in reference.activations:
        mine, theirs = (_activations(network, group) for network in (reference, other))
        if mine.shape != theirs.shape:
            raise ValueError(
                f"match_network: activations of {group!r} must have the same shape in both "
                f"networks, got {mine.shape} and {theirs.shape}"
            )
        orders[group] = np.asarray(permutation_match(mine, theirs).assignment)
    layers = {}
    for name, layer in other.layers.items():
        weight = np.asarray(layer.weight)
        if layer.outputs is not None:
            weight = weight[_order(orders, name, layer.outputs, weight.shape[0])]
        if layer.inputs is not None:
            weight = _reordered_inputs(weight, _order(orders, name, layer.inputs, None), name)
        vectors = {
            key: np.asarray(vector)[orders[layer.outputs]] if layer.outputs else np.array(vector)
            for key, vector in layer.vectors.items()
        }
        layers[name] = replace(layer, weight=np.ascontiguousarray(weight), vectors=vectors)
    activations = {
        group: [np.asarray(part)[:, orders[group]] for part in _parts(given)]
        for group, given in other.activations.items()
    }
    return Network(layers, activations)


def average_networks(first: Network, second: Network, share: float = 0.5) -> dict[str, Layer]:
    """Layers whose arrays are ``(1 - share) first + share second``; match the networks first."""
    _require_alike(first, second)
    if not 0 <= share <= 1:
        raise ValueError(f"average_networks: share must be between 0 and 1, got {share}")

    def mean(a: Any, b: Any) -> Array:
        return np.asarray((1 - share) * np.asarray(a) + share * np.asarray(b))

    layers = {}
    for name, layer in first.layers.items():
        other = second.layers[name]
        vectors = {key: mean(v, other.vectors[key]) for key, v in layer.vectors.items()}
        layers[name] = replace(layer, weight=mean(layer.weight, other.weight), vectors=vectors)
    return layers


def _parts(given: Any) -> list[Any]:
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _activations(network: Network, group: str) -> Array:
    if group not in network.activations:
        raise ValueError(
            f"match_network: activations must hold the group {group!r} in both networks, got "
            f"{list(network.activations)}"
        )
    return np.concatenate([np.asarray(part) for part in _parts(network.activations[group])])


def _order(orders: Mapping[str | None, Array], name: str, group: str, width: int | None) -> Array:
    if group not in orders:
        raise ValueError(
            f"match_network: layer {name!r} uses the group {group!r}, which has no activations; "
            f"there are {list(orders)}"
        )
    if width is not None and len(orders[group]) != width:
        raise ValueError(
            f"match_network: layer {name!r} writes {width} units, the activations of {group!r} "
            f"have {len(orders[group])}"
        )
    return orders[group]


def _reordered_inputs(weight: Array, order: Array, name: str) -> Array:
    units = len(order)
    if weight.shape[1] % units:
        raise ValueError(
            f"match_network: layer {name!r} reads {weight.shape[1]} inputs, which is no multiple "
            f"of the {units} units of its group"
        )
    split = weight.reshape(weight.shape[0], units, -1)
    reordered: Array = split[:, order].reshape(weight.shape)
    return reordered


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
