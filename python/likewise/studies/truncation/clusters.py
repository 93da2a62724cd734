"""Clusters of points and the truncation maps that take them to their labels, computed exactly.

Three clusters lie at the corners of a triangle in three dimensions. Layer l has the adapted weight
``D_l R_l`` and looks at cluster l from behind: the other two are in its positive orthant. Targets
lie beyond the clusters, so that each map moves into its cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from likewise._border.arrays import Array
from likewise.studies.truncation import flow
from likewise.studies.truncation.settings import Settings, Stream
from likewise.truncation import TruncationMaps, cluster_diameters

CLUSTERS = 3


@dataclass(frozen=True)
class Scene:
    """Points ``(3 N, 3)``, the cluster of each, and the layers that act on them."""

    points: Array
    labels: Array
    targets: Array
    """``t (3, 3)``, one for each cluster, in the space of the points."""
    rotations: Array
    """``R (3, 3, 3)``, one for each layer."""
    starts: Array
    """``R beta (3, 3)`` at time 0."""


@dataclass(frozen=True)
class Run:
    """One flow, looked at at the times of the settings."""

    shares: Array
    """``n_k / N (T, Q)``."""
    losses: Array
    diameters: Array
    """Of every cluster after truncation, ``(T, C)``."""
    events: int
    values: Array
    """``R beta (T, Q)``."""
    check: tuple[float, float]
    """Largest distance from Euler's method with the small step, and with twice that step."""


def scene(settings: Settings) -> Scene:
    """Draw the clusters; a quarter to a third of each is truncated in each coordinate."""
    rng = settings.generator(Stream.CLUSTERS)
    turn = _orthogonal(rng)
    # The cluster's direction becomes (-1, -1, -1), which leaves most room for the other two.
    seen = np.array([[-1, -1, -1], [1, -1, 0], [-1, -1, 2]]) / np.sqrt([[3], [2], [6]])
    means, rotations = [], []
    for k in range(CLUSTERS):
        angle = 2 * np.pi * k / CLUSTERS
        radial, tangent = _direction(angle), _direction(angle + np.pi / 2)
        frame = np.stack([radial, tangent, np.cross(radial, tangent)])
        rotations.append(seen.T @ frame @ turn)
        means.append(settings.radius * radial @ turn)
    labels = np.repeat(np.arange(CLUSTERS), settings.points)
    noise = settings.spread * rng.standard_normal((len(labels), CLUSTERS))
    points = np.array(means)[labels] + noise
    targets, starts = [], []
    for k, rotation in enumerate(rotations):
        inside = points[labels == k] @ rotation.T
        targets.append((inside.max(axis=0) + settings.spread) @ rotation)
        shares = rng.uniform(0.25, 0.33, CLUSTERS)
        starts.append([-np.quantile(z, share) for z, share in zip(inside.T, shares, strict=True)])
    return Scene(points, labels, np.array(targets), np.array(rotations), np.array(starts))


def separated(scene: Scene, cluster: int, settings: Settings) -> Run:
    """The flow of one layer on its own cluster."""
    inside, target = _seen(scene, cluster)
    return _run(inside, target, scene.starts[cluster], np.zeros(len(inside)), settings)


def withdrawing(scene: Scene, cluster: int, settings: Settings) -> Run:
    """Control: the target on the near side, from which the map leaves the cluster."""
    inside, _ = _seen(scene, cluster)
    target = np.broadcast_to(inside.min(axis=0) - settings.spread, inside.shape)
    return _run(inside, target, scene.starts[cluster], np.zeros(len(inside)), settings)


def resting(scene: Scene, cluster: int, settings: Settings) -> Run:
    """Control: the cluster in the positive orthant."""
    inside, target = _seen(scene, cluster)
    start = -inside.min(axis=0) + settings.spread
    return _run(inside, target, start, np.zeros(len(inside)), settings)


def shared(scene: Scene, cluster: int, settings: Settings) -> Run:
    """Without separation: one map for two clusters with targets of their own.

    The second cluster is the first one again, turned in its coordinates, with a target further on.
    """
    inside, target = _seen(scene, cluster)
    again = inside.mean(axis=0) + (inside - inside.mean(axis=0))[:, [1, 2, 0]]
    beyond = np.maximum(target, again.max(axis=0)) + 4 * settings.spread
    points, targets = np.concatenate([inside, again]), np.concatenate([target, beyond])
    labels = np.repeat([0, 1], len(inside))
    return _run(points, targets, scene.starts[cluster], labels, settings)


def maps(scene: Scene, values: Array, scales: Array) -> tuple[TruncationMaps, list[Array]]:
    """The network whose cumulative weights are ``D_l R_l`` and shifts ``R_l' v_l``.

    Returns its truncation maps and its own weights ``W_l`` followed by its biases.
    """
    shifts = [value @ rotation for value, rotation in zip(values, scene.rotations, strict=True)]
    wanted = scales[:, :, None] * scene.rotations
    weights, biases = [wanted[0]], [wanted[0] @ shifts[0]]
    for layer in range(1, len(wanted)):
        weight = np.linalg.solve(wanted[layer - 1].T, wanted[layer].T).T
        weights.append(weight)
        before = wanted[layer - 1] @ shifts[layer - 1]
        biases.append(wanted[layer] @ shifts[layer] - weight @ before)
    return TruncationMaps(weights, biases), [*weights, *biases]


def outputs(layers: Sequence[Array], points: Array) -> Array:
    """The network step by step: rectified layers of these weights and biases."""
    half = len(layers) // 2
    for weight, bias in zip(layers[:half], layers[half:], strict=True):
        points = np.maximum(points @ weight.T + bias, 0)
    return points


def _run(points: Array, targets: Array, start: Array, labels: Array, settings: Settings) -> Run:
    times = settings.times
    coordinates = flow.exact_flow(points, targets, start)
    values = np.stack([coordinate.at(times) for coordinate in coordinates], axis=1)
    counts = np.stack([coordinate.counts_at(times) for coordinate in coordinates], axis=1)
    moved = [flow.truncated_points(points, value) for value in values]

    def distance(step: float) -> float:
        steps = round(settings.horizon / step)
        path = flow.small_steps(points, targets, start, step, steps)
        exact = [coordinate.at(step * np.arange(steps + 1)) for coordinate in coordinates]
        return float(np.abs(path - np.stack(exact, axis=1)).max())

    return Run(
        counts / len(points),
        np.array([flow.loss(points, targets, value) for value in values]),
        np.stack([cluster_diameters(at, labels) for at in moved]),
        sum(len(coordinate.times) - 1 for coordinate in coordinates),
        values,
        (distance(settings.small_step), distance(2 * settings.small_step)),
    )


def _seen(scene: Scene, cluster: int) -> tuple[Array, Array]:
    """A cluster and its target in the coordinates of its layer."""
    rotation = scene.rotations[cluster]
    inside = scene.points[scene.labels == cluster] @ rotation.T
    return inside, np.broadcast_to(rotation @ scene.targets[cluster], inside.shape)


def _direction(angle: float) -> Array:
    return np.array([np.cos(angle), np.sin(angle), 0.0])


def _orthogonal(rng: np.random.Generator) -> Array:
    q, r = np.linalg.qr(rng.standard_normal((CLUSTERS, CLUSTERS)))
    turned: Array = q * np.sign(np.diagonal(r))
    return turned
