"""Recurrences of the signals: a linear one, and Lotka-Volterra beside it, fitted and scored.

Both predict the increments x(t + 1) - x(t) of the vector x of all signals. Signals change
smoothly and there are as many regressors as signals, so a score on the fitted steps alone says
little: they are scored where they were not fitted, too.

Source: Ding, Guo, Michaud, Liu, Tegmark 2024, arXiv 2405.17420.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from likewise.studies.circles.settings import Settings
from likewise.studies.circles.signals import Floats, Mask

LASSO_ALPHA = 0.01

LINEAR = "linear, least squares"
SPARSE = "linear, lasso"
COMPETITION = "Lotka-Volterra"
FITS = (LINEAR, SPARSE, COMPETITION)

SAME = "fitted steps"
LATER = "held-out time"
OTHER = "held-out run"
PARTS = (SAME, LATER, OTHER)


class Dynamics(ABC):
    """A fitted recurrence."""

    @abstractmethod
    def increments(self, states: Floats) -> Floats:
        """x(t + 1) - x(t) predicted from x(t), shape (steps, frequencies)."""

    def roll_out(self, start: Floats, steps: int) -> Floats:
        """(steps + 1, frequencies), each state computed from the last; infinite if it diverges."""
        states = np.empty((steps + 1, len(start)))
        states[0] = start
        with np.errstate(over="ignore", invalid="ignore"):
            for step in range(steps):
                states[step + 1] = states[step] + self.increments(states[step : step + 1])[0]
        return np.where(np.isfinite(states), states, np.inf)


@dataclass(frozen=True)
class Linear(Dynamics):
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


@dataclass(frozen=True)
class LotkaVolterra(Dynamics):
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
    from sklearn.metrics import r2_score

    increments = np.diff(trajectory, axis=0)
    states = foreign[: len(increments)]
    predicted = LinearRegression().fit(states, increments).predict(states)
    return float(r2_score(increments, predicted, multioutput="variance_weighted"))


def _pooled(trajectories: Sequence[Floats]) -> tuple[Floats, Floats]:
    states = np.concatenate([trajectory[:-1] for trajectory in trajectories])
    increments = np.concatenate([np.diff(trajectory, axis=0) for trajectory in trajectories])
    return states, increments


@dataclass(frozen=True)
class Fitted:
    """Scores of every run by [fit][part], and what they are compared with."""

    scores: dict[str, dict[str, list[Score]]]
    unrelated: list[float]
    """R² of the increments of each run regressed on the signals of a run that has another
    embedding: what smooth curves reach without any relation."""
    nonzero: float
    """Mean share of entries of W that the lasso keeps."""
    cooperative: list[float]
    """Share of W_ij above 0 among pairs of survivors of each run with at least two of them."""
    toward_dead: list[float]
    """The same for W_ij from survivors j to frequencies i that die."""
    example: dict[str, Floats]
    """Roll-outs of the fits to the first run from its first state, by fit."""


def fit_all(signals: Floats, alive: Mask, settings: Settings) -> Fitted:
    """Fit all recurrences; signals (embeddings, runs, steps + 1, frequencies).

    A held-out run is predicted from all other runs of its embedding, held-out time from the first
    `settings.fitted_share` of the steps of the same run.
    """
    cut = signals[:, :, : settings.dynamics_steps + 1]
    early = round(settings.fitted_share * settings.dynamics_steps)
    scores: dict[str, dict[str, list[Score]]] = {fit: {p: [] for p in PARTS} for fit in FITS}
    unrelated, nonzero, among, toward = [], [], [], []
    example: dict[str, Floats] = {}
    for number, index in np.ndindex(cut.shape[:2]):
        trajectory = cut[number, index]
        others = [cut[number, other] for other in range(cut.shape[1]) if other != index]
        for fit in FITS:
            whole = _fit(fit, [trajectory])
            begun = _fit(fit, [trajectory[: early + 1]])
            scores[fit][SAME].append(score(whole, trajectory))
            scores[fit][LATER].append(score(begun, trajectory[early:]))
            scores[fit][OTHER].append(score(_fit(fit, others), trajectory))
            if number == index == 0:
                example[fit] = whole.roll_out(trajectory[0], len(trajectory) - 1)
            if isinstance(whole, Linear) and fit == SPARSE:
                nonzero.append(float(np.mean(whole.weights != 0)))
            lives = alive[number, index]
            if isinstance(whole, Linear) and fit == LINEAR and lives.sum() >= 2:
                among.append(_positive(whole, lives, lives))
                toward.append(_positive(whole, ~lives, lives))
        foreign = cut[(number + 1) % len(cut), index]
        unrelated.append(unrelated_r2(trajectory, foreign))
    return Fitted(scores, unrelated, float(np.mean(nonzero)), among, toward, example)


def _fit(name: str, trajectories: list[Floats]) -> Dynamics:
    if name == COMPETITION:
        return LotkaVolterra.fit(trajectories)
    return Linear.fit(trajectories, "lasso" if name == SPARSE else "least_squares")


def _positive(fit: Linear, rows: Mask, columns: Mask) -> float:
    """Share of W_ij above 0 for i in rows and j in columns, i ≠ j."""
    chosen = np.outer(rows, columns) & ~np.eye(len(rows), dtype=bool)
    return float(np.mean(fit.weights[chosen] > 0))
