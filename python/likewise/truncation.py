"""What the layers of a rectifier network do, seen in the space of its inputs.

Layers ``relu(W_l x + b_l)``. Without their rectifiers, the first l of them are one affine map
``a^(l)(x) = W^(l) x + b^(l) = W^(l) (x + beta^(l))``; each rectifier is then a truncation map of
the input space, and the network is one affine map after all of them (Chen 2025, arXiv 2501.07400).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from likewise._border.arrays import Array, detached, on_host, read
from likewise._border.types import AnyArray
from likewise.linalg import polar
from likewise.measure.frames import near_one

__all__ = ["Adaptedness", "TruncationMaps", "adaptedness", "cluster_diameters"]

_BLOCK = 1024


class TruncationMaps:
    """Cumulative affine maps, truncation maps and sectors of a rectifier network, in float64.

    ``tau^(l)(x) = a^(l)^-1 (relu(a^(l)(x)))``, and the output of layer l, rectified, is
    ``a^(l)(tau^(l)(... tau^(1)(x)))``. Where layers narrow, the inverse is ``W^(l)+ (y - b^(l))``
    with the pseudo-inverse: a truncation then also drops what ``W^(l)``, and thus every later
    layer, does not see. Nothing is inverted: systems are solved with the SVD of ``W^(l)``.

    Parameters
    ----------
    weights, biases
        Of all layers in their order, ``(d_l, d_(l-1))`` and ``(d_l,)``, as in torch's ``Linear``. A
        classifier may come last: :meth:`path` and :meth:`sectors` take how many layers to apply.
    max_condition
        The largest ratio of singular values of a ``W^(l)`` that is accepted. Errors in input space
        are about this times 1e-16.

    Attributes
    ----------
    weights, biases, shifts
        ``W^(l)``, ``b^(l)`` and ``beta^(l) = W^(l)+ b^(l)``.
    conditions
        Ratio of the largest to the smallest singular value of every ``W^(l)``.

    Raises
    ------
    ValueError
        Layers that do not fit each other, a layer wider than the one before (no input gives every
        output of it, and there is no such map), a ``W^(l)`` beyond ``max_condition``, NaN or
        infinity.
    """

    def __init__(
        self, weights: Sequence[Any], biases: Sequence[Any], *, max_condition: float = 1e12
    ) -> None:
        layers = _layers(weights, biases)
        self.weights: list[Array] = []
        self.biases: list[Array] = []
        self.shifts: list[Array] = []
        self.conditions: list[float] = []
        self._bases: list[tuple[Array, Array, Array]] = []
        for number, (weight, bias) in enumerate(layers, start=1):
            if self.weights:
                bias = weight @ self.biases[-1] + bias
                weight = weight @ self.weights[-1]
            left, values, right = np.linalg.svd(weight, full_matrices=False)
            condition = float(values[0] / values[-1]) if values[-1] > 0 else float("inf")
            if not condition <= max_condition:
                raise ValueError(
                    f"TruncationMaps: the cumulative weight of layer {number} must have a "
                    f"condition number of at most {max_condition:.3g}, got {condition:.3g}: what "
                    "its rectifier does cannot be said in input space"
                )
            self.weights.append(weight)
            self.biases.append(bias)
            self.conditions.append(condition)
            self._bases.append((left, values, right))
            self.shifts.append(self._solve(number, bias))

    def __len__(self) -> int:
        return len(self.weights)

    def apply(self, x: Any, layer: int) -> Array:
        """``a^(layer)(x)``, ``(n, d_layer)`` of points ``(n, d_0)``; layers count from 1."""
        points = self._points("apply", x, self.weights[0].shape[1])
        return self._apply(points, layer)

    def pull_back(self, y: Any, layer: int) -> Array:
        """``a^(layer)^-1 (y)``: where outputs ``(n, d_layer)`` lie in input space.

        Of a one-hot label and the classifier's layer, the label seen in input space.
        """
        points = self._points("pull_back", y, len(self._bias(layer)))
        return self._solve(layer, points - self.biases[layer - 1])

    def truncate(self, x: Any, layer: int) -> Array:
        """``tau^(layer)(x)``, ``(n, d_0)``."""
        points = self._points("truncate", x, self.weights[0].shape[1])
        return self._truncate(points, layer)[0]

    def path(self, x: Any, layers: int | None = None) -> list[Array]:
        """``x, tau^(1)(x), tau^(2)(tau^(1)(x)), ...``, all ``(n, d_0)``.

        The last one goes into ``apply`` to make the network's output.
        """
        path = [self._points("path", x, self.weights[0].shape[1])]
        for layer in range(1, self._count("path", layers) + 1):
            path.append(self._truncate(path[-1], layer)[0])
        return path

    def sectors(self, x: Any, layers: int | None = None) -> list[Array]:
        """Which coordinates every layer truncates, ``(n, d_l)`` booleans: the points' sectors.

        All False is the positive orthant, where the layer leaves points as they are; all True the
        negative one, which it makes one point. The sum over the points of a cluster is ``n_k``.
        """
        points = self._points("sectors", x, self.weights[0].shape[1])
        sectors = []
        for layer in range(1, self._count("sectors", layers) + 1):
            points, truncated = self._truncate(points, layer)
            sectors.append(truncated)
        return sectors

    def _truncate(self, points: Array, layer: int) -> tuple[Array, Array]:
        values = self._apply(points, layer)
        truncated = values <= 0
        weight = self.weights[layer - 1]
        if weight.shape[0] < weight.shape[1]:
            right = self._bases[layer - 1][2]
            points = points @ right.T @ right
        # As a change, so that points of the positive orthant stay what they are to the last digit.
        moved: Array = points + self._solve(layer, np.where(truncated, -values, 0))
        return moved, truncated

    def _apply(self, points: Array, layer: int) -> Array:
        bias = self._bias(layer)
        outputs: Array = points @ self.weights[layer - 1].T + bias
        return outputs

    def _solve(self, layer: int, outputs: Array) -> Array:
        left, values, right = self._bases[layer - 1]
        solution: Array = outputs @ left / values @ right
        return solution

    def _bias(self, layer: int) -> Array:
        if not 1 <= layer <= len(self):
            raise ValueError(
                f"TruncationMaps: layer must be between 1 and {len(self)}, got {layer}"
            )
        return self.biases[layer - 1]

    def _count(self, method: str, layers: int | None) -> int:
        count = len(self) if layers is None else layers
        if not 0 <= count <= len(self):
            raise ValueError(
                f"TruncationMaps.{method}: layers must be between 0 and {len(self)}, got {layers}"
            )
        return count

    def _points(self, method: str, x: Any, width: int) -> Array:
        points = _on_cpu(f"TruncationMaps.{method}", x=x)
        if points.ndim != 2 or points.shape[1] != width:
            raise ValueError(
                f"TruncationMaps.{method}: points must have shape (n, {width}), got {points.shape}"
            )
        return points


class Adaptedness(NamedTuple):
    """How far a weight is a scaling of rotated coordinates, see :func:`adaptedness`."""

    off_diagonal: float
    """Share of the squares of ``W R'`` that lie off its diagonal, in [0, 1); 0 for ``W = D R``."""
    scales: Array
    """The diagonal of ``W R'``, ``(m,)``: D of an adapted weight."""
    rotation: Array
    """The polar factor R, ``(m, n)`` with orthonormal rows."""


def adaptedness(weight: AnyArray[Any]) -> Adaptedness:
    """How adapted a weight ``(m, n)``, m <= n, is to the coordinates of the rectifier.

    ``W = D R`` with a positive diagonal D and orthonormal rows R makes the truncation map
    ``R' relu(R (x + beta)) - beta``, whatever D is (Chen 2025). By polar decomposition every W is
    ``H R``, ``H = W R' = (W W')^(1/2)``, with ``H = D`` where W is adapted; ``off_diagonal`` is
    ``1 - sum_k H_kk^2 / |H|^2``. It does not change with scale, nor with rotations of the inputs. A
    square matrix of independent normal numbers has about 1 - (8 / (3 pi))^2 = 0.28.

    Raises
    ------
    ValueError
        For anything but a matrix with at least as many columns as rows, a matrix of zeros, NaN or
        infinity.
    ConvergenceError
        If the SVD does not converge.
    """
    matrix = _on_cpu("adaptedness", weight=detached(weight))
    if matrix.ndim != 2 or not 1 <= matrix.shape[0] <= matrix.shape[1]:
        raise ValueError(
            "adaptedness: weight must be a matrix (m, n) with 1 <= m <= n, got shape "
            f"{matrix.shape}"
        )
    if not matrix.any():
        raise ValueError("adaptedness: weight must not be zero everywhere")
    scaled, exponent = near_one(matrix, axis=None)
    rotation, root = polar(scaled.T)
    scales = np.diagonal(root)
    off = root - np.diag(scales)
    share = float(np.sum(off * off) / np.sum(root * root))
    scales = np.ldexp(scales, -exponent.item())
    return Adaptedness(share, scales, np.ascontiguousarray(rotation.T))


def cluster_diameters(points: AnyArray[Any], labels: Any) -> Array:
    """Largest distance between two points of each cluster, ``(C,)`` in the order of sorted labels.

    ``points (n, d)``, ``labels (n,)``. Exact to rounding of the points' own coordinates: the pair
    is found from inner products and its distance from the difference.

    Raises
    ------
    ValueError
        For other shapes, NaN or infinity.
    """
    rows = _on_cpu("cluster_diameters", points=points)
    names = on_host("cluster_diameters", labels)
    if rows.ndim != 2 or names.shape != rows.shape[:1]:
        raise ValueError(
            "cluster_diameters: points must have shape (n, d) and labels (n,), got "
            f"{rows.shape} and {names.shape}"
        )
    scaled, exponent = near_one(rows, axis=None)
    found = np.array([_diameter(scaled[names == name]) for name in np.unique(names)])
    diameters: Array = np.ldexp(found, -exponent.item())
    return diameters


def _diameter(rows: Array) -> float:
    rows = rows - rows.mean(axis=0)
    squares = np.sum(rows * rows, axis=1)
    widest = 0.0
    for start in range(0, len(rows), _BLOCK):
        block = slice(start, start + _BLOCK)
        distances = squares[block, None] + squares - 2 * rows[block] @ rows.T
        i, j = np.unravel_index(np.argmax(distances), distances.shape)
        widest = max(widest, float(np.linalg.norm(rows[start + i] - rows[j])))
    return widest


def _layers(weights: Sequence[Any], biases: Sequence[Any]) -> list[tuple[Array, Array]]:
    """Float64 weights and biases that fit each other."""
    name = "TruncationMaps"
    if not len(weights) or len(weights) != len(biases):
        raise ValueError(
            f"{name}: there must be as many biases as weights, at least one, got {len(weights)} "
            f"weights and {len(biases)} biases"
        )
    named = {f"weights[{k}]": detached(weight) for k, weight in enumerate(weights)}
    named |= {f"biases[{k}]": detached(bias) for k, bias in enumerate(biases)}
    arrays = [np.asarray(view).astype(np.float64) for view in read(name, True, **named)[0]]
    layers = list(zip(arrays[: len(weights)], arrays[len(weights) :], strict=True))
    for k, (weight, bias) in enumerate(layers):
        if weight.ndim != 2 or bias.shape != weight.shape[:1]:
            raise ValueError(
                f"{name}: layer {k + 1} must have a weight (d, d_before) and a bias (d,), got "
                f"{weight.shape} and {bias.shape}"
            )
        if k and weight.shape[1] != len(layers[k - 1][1]):
            raise ValueError(
                f"{name}: layer {k + 1} must take the {len(layers[k - 1][1])} outputs of layer "
                f"{k}, got a weight of shape {weight.shape}"
            )
        if weight.shape[0] > weight.shape[1]:
            raise ValueError(
                f"{name}: layer {k + 1} is wider ({weight.shape[0]}) than what it takes "
                f"({weight.shape[1]}): there is no truncation map for it"
            )
    return layers


def _on_cpu(function: str, **given: Any) -> Array:
    """The given array in float64."""
    views, library = read(function, True, **given)
    return library.on_cpu(views)[0][0].astype(np.float64, copy=False)


def __dir__() -> list[str]:
    return sorted(__all__)
