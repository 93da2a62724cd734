"""Gradient flow of one truncation map, solved exactly between events.

With ``W = D R`` the map is ``tau(x) = R' relu(R (x + beta)) - beta``. In rotated coordinates,
``z = R x``, ``v = R beta``, ``c = R t``, the loss

    1/(2N) sum_i |tau(x_i) - t_i|^2 = 1/(2N) sum_i sum_k (max(z_ik, -v_k) - c_ik)^2

falls apart into its coordinates. Point i is truncated in coordinate k while ``v_k <= -z_ik``; with
``n_k`` truncated points,

    dv_k/ds = -(1/N) sum_(truncated i) (v_k + c_ik) = -(n_k/N) (v_k - goal_k),

``goal_k`` being minus the mean of their targets: an exponential at the rate ``n_k/N`` until a point
enters or leaves. A coordinate without truncated points does not move. (Chen 2025, arXiv 2501.07400;
derived for one target in the form ``-(n_k/N) [(R beta)_k + (R t)_k]``.)
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
