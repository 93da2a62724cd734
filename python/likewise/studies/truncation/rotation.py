"""Gradient flow of a truncation map in its rotation and its shift.

The loss is ``C(R, beta) = 1/(2N) sum_i |R' relu(R (x_i + beta)) - beta - t_i|^2``. On the
orthogonal matrices (a Stiefel manifold) the flow is ``dR/ds = -(1/2) (G - R G' R)``, where
``G = dC/dR``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from likewise._border.arrays import Array


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
