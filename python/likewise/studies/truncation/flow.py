"""Gradient flow of one truncation map: of its shift, exactly between events; of its rotation too.

With ``W = D R`` the map is ``tau(x) = R' relu(R (x + beta)) - beta``. In rotated coordinates,
``z = R x``, ``v = R beta``, ``c = R t``, the loss

    1/(2N) sum_i |tau(x_i) - t_i|^2 = 1/(2N) sum_i sum_k (max(z_ik, -v_k) - c_ik)^2

falls apart into its coordinates. Point i is truncated in coordinate k while ``v_k <= -z_ik``; with
``n_k`` truncated points,

    dv_k/ds = -(1/N) sum_(truncated i) (v_k + c_ik) = -(n_k/N) (v_k - goal_k),

``goal_k`` being minus the mean of their targets: an exponential at the rate ``n_k/N`` until a point
enters or leaves. A coordinate without truncated points does not move. (Chen 2025, arXiv 2501.07400;
derived for one target in the form ``-(n_k/N) [(R beta)_k + (R t)_k]``.)

With the rotation moving too, ``C(R, beta) = 1/(2N) sum_i |R' relu(R (x_i + beta)) - beta - t_i|^2``
is followed by small steps; on the orthogonal matrices (a Stiefel manifold) the flow is
``dR/ds = -(1/2) (G - R G' R)``, where ``G = dC/dR``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from likewise._border.arrays import Array


@dataclass(frozen=True)
class CoordinateFlow:
    """One coordinate of ``v`` over time: pieces ``goal + (value - goal) exp(-rate (s - time))``."""

    times: Array
    """When each piece begins; 0 first, the others are events."""
    values: Array
    goals: Array
    rates: Array
    """``n_k / N``; 0 where it rests."""
    counts: Array
    """``n_k``."""

    def at(self, times: Array) -> Array:
        """``v_k`` at these times."""
        piece = self._piece(times)
        decay = np.exp(-self.rates[piece] * (times - self.times[piece]))
        values: Array = self.goals[piece] + (self.values[piece] - self.goals[piece]) * decay
        return values

    def counts_at(self, times: Array) -> Array:
        """``n_k`` at these times."""
        counts: Array = self.counts[self._piece(times)]
        return counts

    def _piece(self, times: Array) -> Array:
        return np.maximum(np.searchsorted(self.times, times, side="right") - 1, 0)


def exact_flow(points: Array, targets: Array, start: Array) -> list[CoordinateFlow]:
    """The flow of every coordinate for all times.

    Parameters
    ----------
    points, targets
        ``z (N, Q)`` and ``c (N, Q)``, every point with its own target.
    start
        ``v (Q,)`` at time 0.
    """
    return [
        _coordinate(-points[:, k], targets[:, k], float(start[k])) for k in range(points.shape[1])
    ]


def _coordinate(thresholds: Array, targets: Array, value: float) -> CoordinateFlow:
    order = np.argsort(thresholds, kind="stable")
    thresholds = thresholds[order]
    total = len(thresholds)
    sums = np.append(np.cumsum(targets[order][::-1])[::-1], 0.0)
    first = int(np.searchsorted(thresholds, value))  # the first truncated point
    direction = 0.0
    time = 0.0
    pieces: list[tuple[float, float, float, float, int]] = []
    while True:
        count = total - first
        goal = -sums[first] / count if count else value
        # Where both sides of an event push towards it, the coordinate stays there.
        turned = direction * (goal - value) < 0
        if count == 0 or goal == value or turned:
            pieces.append((time, value, value, 0.0, count))
            break
        direction = np.sign(goal - value)
        pieces.append((time, value, goal, count / total, count))
        # On the way down the next point enters, on the way up the first truncated one leaves.
        position = first if direction > 0 else first - 1
        if position < 0 or (goal - thresholds[position]) * direction <= 0:
            break
        event = float(thresholds[position])
        time += total / count * np.log((value - goal) / (event - goal))
        value = event
        first = int(np.searchsorted(thresholds, event, side="right" if direction > 0 else "left"))
    times, values, goals, rates, counts = map(np.array, zip(*pieces, strict=True))
    return CoordinateFlow(times, values, goals, rates, counts)


def velocity(points: Array, targets: Array, value: Array) -> Array:
    """``dv/ds (Q,)``, from the points alone."""
    truncated = points + value <= 0
    velocity: Array = -np.sum(truncated * (value + targets), axis=0) / len(points)
    return velocity


def small_steps(points: Array, targets: Array, start: Array, step: float, steps: int) -> Array:
    """The same flow by Euler's method, ``(steps + 1, Q)``: its error falls with the step."""
    path = np.empty((steps + 1, len(start)))
    path[0] = start
    for k in range(steps):
        path[k + 1] = path[k] + step * velocity(points, targets, path[k])
    return path


def truncated_points(points: Array, value: Array) -> Array:
    """``R tau(x)``, ``(N, Q)``."""
    return np.maximum(points, -value)


def loss(points: Array, targets: Array, value: Array) -> float:
    """``1/(2N) sum_i |tau(x_i) - t_i|^2``."""
    distances = truncated_points(points, value) - targets
    return float(np.sum(distances * distances)) / (2 * len(points))


@dataclass(frozen=True)
class RotationFlow:
    """The flow after every step, the start included."""

    losses: Array
    errors: Array
    """Largest entry of ``|R R' - 1|``."""
    rotations: Array
    shifts: Array


def gradients(
    points: Array, targets: Array, rotation: Array, shift: Array
) -> tuple[float, Array, Array]:
    """Loss, ``dC/dR (Q, Q)`` and ``dC/dbeta (Q,)``."""
    moved = points + shift
    coordinates = moved @ rotation.T
    kept = coordinates > 0
    rectified = np.where(kept, coordinates, 0)
    errors = rectified @ rotation - shift - targets
    inner = np.where(kept, errors @ rotation.T, 0)
    of_rotation = (rectified.T @ errors + inner.T @ moved) / len(points)
    of_shift = np.mean(inner @ rotation - errors, axis=0)
    return float(np.sum(errors * errors)) / (2 * len(points)), of_rotation, of_shift


def tangent(rotation: Array, gradient: Array) -> Array:
    """``(1/2) (G - R G' R)``: the part of a gradient along the orthogonal matrices."""
    direction: Array = (gradient - rotation @ gradient.T @ rotation) / 2
    return direction


def rotation_flow(
    points: Array,
    targets: Array,
    rotation: Array,
    shift: Array,
    *,
    step: float,
    steps: int,
    cayley: bool = True,
) -> RotationFlow:
    """R and beta along the flow, by steps of length ``step``.

    ``cayley``: with ``tangent = A R``, A antisymmetric, R goes to ``(1 + hA/2)^-1 (1 - hA/2) R``,
    which is orthogonal again; without it, to ``R - h A R``, which is not.
    """
    identity = np.eye(len(shift))
    losses, rotations, shifts = [], [rotation], [shift]
    for _ in range(steps):
        loss, of_rotation, of_shift = gradients(points, targets, rotation, shift)
        losses.append(loss)
        if cayley:
            turn = step / 4 * (of_rotation @ rotation.T - rotation @ of_rotation.T)
            rotation = np.linalg.solve(identity + turn, (identity - turn) @ rotation)
        else:
            rotation = rotation - step * tangent(rotation, of_rotation)
        shift = shift - step * of_shift
        rotations.append(rotation)
        shifts.append(shift)
    losses.append(gradients(points, targets, rotation, shift)[0])
    stacked = np.array(rotations)
    errors = np.abs(stacked @ stacked.transpose(0, 2, 1) - identity).max(axis=(1, 2))
    return RotationFlow(np.array(losses), errors, stacked, np.array(shifts))
