"""Recurrences of the signals: a linear one, and Lotka-Volterra beside it, fitted and rolled out.

Both predict the increments x(t + 1) - x(t) of the vector x of all signals. Signals change
smoothly and there are as many regressors as signals, so a score on the fitted steps alone says
little: see `scores`.

Source: Ding, Guo, Michaud, Liu, Tegmark 2024, arXiv 2405.17420.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from likewise.studies.circles.signals import Floats

LASSO_ALPHA = 0.01


class Dynamics(Protocol):
    """A fitted recurrence."""

    def increments(self, states: Floats) -> Floats:
        """x(t + 1) - x(t) predicted from x(t), shape (steps, frequencies)."""
        ...

    def roll_out(self, start: Floats, steps: int) -> Floats:
        """(steps + 1, frequencies), each state computed from the last; infinite if it diverges."""
        ...


@dataclass(frozen=True)
class Linear:
    """x(t + 1) = x(t) + W x(t) + b; W_ij above 0 is help of j for i, below 0 competition."""

    weights: Floats
    """W, (frequencies, frequencies)."""
    constant: Floats
    """b, (frequencies,)."""

    @classmethod
    def fit(
        cls,
        trajectories: Sequence[Floats],
        method: Literal["least_squares", "lasso"] = "least_squares",
    ) -> Linear:
        """Fit W and b to all increments of some trajectories (steps, frequencies).

        The lasso has alpha = 0.01 on signals as they are: ½ mean squared residual + alpha Σ|W|
        for each frequency.
        """
        from sklearn.linear_model import Lasso, LinearRegression

        states, increments = _pooled(trajectories)
        model = LinearRegression()
        if method == "lasso":
            model = Lasso(alpha=LASSO_ALPHA, precompute=True, max_iter=100_000, tol=1e-3)
        model.fit(np.asfortranarray(states), increments)
        return cls(np.asarray(model.coef_), np.asarray(model.intercept_))

    def increments(self, states: Floats) -> Floats:
        return np.asarray(states @ self.weights.T + self.constant)

    def roll_out(self, start: Floats, steps: int) -> Floats:
        return _iterate(self, start, steps)

    def at(self, start: Floats, steps: int) -> Floats:
        """x(steps) in closed form: (I + W)^t x(0) + Σ_(j<t) (I + W)^j b.

        Taken as the power of [[I + W, b], [0, 1]], which needs no inverse of W.
        """
        step = np.eye(len(self.constant) + 1) + self._augmented()
        return self._apply(np.linalg.matrix_power(step, steps), start)

    def continuous_at(self, start: Floats, time: float) -> Floats:
        """x(time) of dx/dt = W x + b: exp(Wt) x(0) + (exp(Wt) - I) W⁻¹ b, again without W⁻¹.

        Close to `at` where a step changes little; the recurrence is what was fitted.
        """
        from scipy.linalg import expm

        return self._apply(np.asarray(expm(self._augmented() * time)), start)

    def _augmented(self) -> Floats:
        n = len(self.constant)
        matrix = np.zeros((n + 1, n + 1))
        matrix[:n, :n] = self.weights
        matrix[:n, n] = self.constant
        return matrix

    def _apply(self, matrix: Floats, start: Floats) -> Floats:
        return np.asarray((matrix @ np.append(start, 1.0))[:-1])


@dataclass(frozen=True)
class LotkaVolterra:
    """x_i(t + 1) - x_i(t) = x_i(t) (r_i + Σ_j a_ij x_j(t)); as many parameters as `Linear`."""

    rates: Floats
    """r, (frequencies,)."""
    interactions: Floats
    """a, (frequencies, frequencies)."""

    @classmethod
    def fit(cls, trajectories: Sequence[Floats]) -> LotkaVolterra:
        """Least squares on the increments, frequency by frequency."""
        states, increments = _pooled(trajectories)
        ones = np.column_stack([np.ones(len(states)), states])
        solutions = [
            np.linalg.lstsq(states[:, i : i + 1] * ones, increments[:, i], rcond=None)[0]
            for i in range(states.shape[1])
        ]
        parameters = np.stack(solutions)
        return cls(parameters[:, 0], parameters[:, 1:])

    def increments(self, states: Floats) -> Floats:
        return np.asarray(states * (self.rates + states @ self.interactions.T))

    def roll_out(self, start: Floats, steps: int) -> Floats:
        return _iterate(self, start, steps)


@dataclass(frozen=True)
class Score:
    """How well a recurrence describes a stretch of a trajectory."""

    r2: float
    """1 - Σ squared residuals / Σ squared deviations, over all increments and frequencies."""
    error: float
    """‖predicted - true‖ / ‖true‖ at the end of a free roll-out; infinite if it diverged."""
    still: float
    """The control of `error`: what it is for signals that stay as they were at the start."""


def score(dynamics: Dynamics, trajectory: Floats) -> Score:
    """Score the increments of a trajectory, and a roll-out from its first state to its last."""
    from sklearn.metrics import r2_score

    predicted = dynamics.increments(trajectory[:-1])
    r2 = r2_score(np.diff(trajectory, axis=0), predicted, multioutput="variance_weighted")
    reached = dynamics.roll_out(trajectory[0], len(trajectory) - 1)[-1]
    size = np.linalg.norm(trajectory[-1])
    error = float(np.linalg.norm(reached - trajectory[-1]) / size)
    still = float(np.linalg.norm(trajectory[0] - trajectory[-1]) / size)
    return Score(float(r2), error if np.isfinite(error) else float("inf"), still)


def unrelated_r2(trajectory: Floats, foreign: Floats) -> float:
    """R² when the increments of one run are regressed on the states of another: the control.

    Nothing of the first run is known to the second, so what this reaches is owed to smooth curves
    and many regressors.
    """
    from sklearn.linear_model import LinearRegression

    increments = np.diff(trajectory, axis=0)
    states = foreign[: len(increments)]
    model = LinearRegression().fit(states, increments)
    residual = increments - model.predict(states)
    deviation = increments - increments.mean(axis=0)
    return float(1 - np.sum(residual**2) / np.sum(deviation**2))


def _pooled(trajectories: Sequence[Floats]) -> tuple[Floats, Floats]:
    states = np.concatenate([trajectory[:-1] for trajectory in trajectories])
    increments = np.concatenate([np.diff(trajectory, axis=0) for trajectory in trajectories])
    return states, increments


def _iterate(dynamics: Dynamics, start: Floats, steps: int) -> Floats:
    states = np.empty((steps + 1, len(start)))
    states[0] = start
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(steps):
            states[step + 1] = states[step] + dynamics.increments(states[step : step + 1])[0]
    return np.where(np.isfinite(states), states, np.inf)
