"""Fit recurrences to the signals of all runs and score them where they were not fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from likewise.studies.circles.dynamics import (
    Dynamics,
    Linear,
    LotkaVolterra,
    Score,
    score,
    unrelated_r2,
)
from likewise.studies.circles.settings import Settings
from likewise.studies.circles.signals import Floats, Mask

LINEAR = "linear, least squares"
SPARSE = "linear, lasso"
COMPETITION = "Lotka-Volterra"
FITS = (LINEAR, SPARSE, COMPETITION)

SAME = "fitted steps"
LATER = "held-out time"
OTHER = "held-out run"
PARTS = (SAME, LATER, OTHER)


@dataclass(frozen=True)
class Fitted:
    """Scores of every run by [fit][part], and what they are compared with."""

    scores: dict[str, dict[str, list[Score]]]
    unrelated: list[float]
    """R² of the increments of each run regressed on the signals of a run that has another
    embedding: what smooth curves reach without any relation."""
    nonzero: float
    """Mean share of entries of W that the lasso keeps."""
    exponential_gap: list[float]
    """‖at - continuous_at‖ / ‖at‖ of every run's least-squares fit at its last step."""
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
    unrelated, nonzero, gaps, among, toward = [], [], [], [], []
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
            if isinstance(whole, Linear) and fit == LINEAR:
                gaps.append(_gap(whole, trajectory))
                if alive[number, index].sum() >= 2:
                    among.append(_positive(whole, alive[number, index], alive[number, index]))
                    toward.append(_positive(whole, ~alive[number, index], alive[number, index]))
        foreign = cut[(number + 1) % len(cut), index]
        unrelated.append(unrelated_r2(trajectory, foreign))
    return Fitted(scores, unrelated, float(np.mean(nonzero)), gaps, among, toward, example)


def _fit(name: str, trajectories: list[Floats]) -> Dynamics:
    if name == COMPETITION:
        return LotkaVolterra.fit(trajectories)
    return Linear.fit(trajectories, "lasso" if name == SPARSE else "least_squares")


def _gap(fit: Linear, trajectory: Floats) -> float:
    steps = len(trajectory) - 1
    exact = fit.at(trajectory[0], steps)
    difference = fit.continuous_at(trajectory[0], steps) - exact
    return float(np.linalg.norm(difference) / np.linalg.norm(exact))


def _positive(fit: Linear, rows: Mask, columns: Mask) -> float:
    """Share of W_ij above 0 for i in rows and j in columns, i ≠ j."""
    chosen = np.outer(rows, columns) & ~np.eye(len(rows), dtype=bool)
    return float(np.mean(fit.weights[chosen] > 0))
