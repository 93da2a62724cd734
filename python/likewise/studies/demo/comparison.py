"""Everything against everything, and the control beside every number that is shown."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import likewise as lw
from likewise._public import MeasureName
from likewise.errors import LikewiseWarning, quiet
from likewise.studies.demo.settings import CLEAN, Key, Network, Recordings, Settings, State, Stream

Samples = NDArray[np.float64]
Advance = Callable[[str], None]


@dataclass(frozen=True)
class Score:
    """A measure of the registry, its options, and the title the demo shows it under."""

    title: str
    measure: MeasureName
    options: dict[str, Any] = field(default_factory=dict)


PROCRUSTES = Score("Procrustes", "procrustes", {"score": "similarity"})
CKA_BIASED = Score("CKA, biased", "cka", {"estimator": "biased"})
CKA_UNBIASED = Score("CKA, unbiased", "cka", {"estimator": "unbiased"})
PERMUTATION = Score("Permutation match", "permutation_match")
SCORES = (PROCRUSTES, CKA_BIASED, CKA_UNBIASED, PERMUTATION)


@dataclass
class Comparisons:
    """All scores of a run.

    `grids[title]` holds every pair of recordings. `blocks[title][state, a, b]` holds what is shown,
    layer a of one network against layer b of another: shape (1 + shuffles, networks, networks),
    the observed scores first and then one control for each shuffle.
    """

    networks: tuple[Network, ...]
    grids: dict[str, lw.Grid] = field(default_factory=dict)
    blocks: dict[str, dict[tuple[State, int, int], Samples]] = field(default_factory=dict)
    control_pairs: int = 0
    warnings: list[str] = field(default_factory=list)

    def between(
        self, score: Score, state: State, layers: tuple[int, int], widths: tuple[int, int]
    ) -> Samples:
        """Mean over the pairs of different networks of these widths, shape (1 + shuffles,)."""
        block = self.blocks[score.title][(state, *layers)]
        first, second = (self._of_width(width) for width in widths)
        rows, columns = zip(*((i, j) for i in first for j in second if i != j), strict=True)
        return np.asarray(block[:, rows, columns].mean(axis=1))

    def overall(self, score: Score, state: State, layers: Sequence[int]) -> Samples:
        """Same-layer score, mean over these layers and every pair of networks, (1 + shuffles,)."""
        blocks = self.blocks[score.title]
        first, second = np.triu_indices(len(self.networks), k=1)
        means = [blocks[state, k, k][:, first, second].mean(axis=1) for k in layers]
        return np.asarray(np.mean(means, axis=0))

    def _of_width(self, width: int) -> list[int]:
        return [network.number for network in self.networks if network.width == width]


def stages(settings: Settings) -> int:
    """How many times `compare` calls `advance`."""
    return len(SCORES) * (1 + len(settings.states))


def compare(
    recordings: Recordings,
    networks: tuple[Network, ...],
    settings: Settings,
    advance: Advance = lambda stage: None,
) -> Comparisons:
    """Compare all recordings with each other, and the shown pairs again with shuffled stimuli."""
    result = Comparisons(networks)
    items = {key.label: activations for key, activations in recordings.items()}
    with _collected_warnings(result.warnings):
        for score in SCORES:
            advance(f"{score.title}, every pair")
            grid = lw.pairwise(items, score.measure, **score.options)
            result.grids[score.title] = grid
            result.blocks[score.title] = {}
            for state in settings.states:
                advance(f"{score.title}, controls")
                for layers in _compared_layers(state, settings):
                    keys = [Key(net, layer, state) for layer in layers for net in networks]
                    stack = _with_controls(score, grid, keys, recordings, settings)
                    blocks = stack.reshape(-1, *(len(layers), len(networks)) * 2)
                    for i, j in np.ndindex(len(layers), len(layers)):
                        address = state, layers[i], layers[j]
                        result.blocks[score.title][address] = blocks[:, i, :, j]
                    result.control_pairs += settings.shuffles * len(keys) * (len(keys) - 1) // 2
    return result


def _compared_layers(state: State, settings: Settings) -> list[list[int]]:
    """Groups of layers that are shown against each other: all at the end, else equal ones."""
    layers = list(range(settings.layers))
    if state == State(settings.last_step, CLEAN):
        return [layers]
    return [[layer] for layer in layers]


def _with_controls(
    score: Score, grid: lw.Grid, keys: list[Key], recordings: Recordings, settings: Settings
) -> Samples:
    """Scores among `keys`, (1 + shuffles, k, k): as observed, then with shuffled stimuli.

    In a control every network sees the stimuli in a random order of its own, the same for all its
    layers. Each representation stays what it is; only the pairing between networks is lost.
    """
    position = {label: index for index, label in enumerate(grid.rows)}
    chosen = [position[key.label] for key in keys]
    stack = [np.asarray(grid)[np.ix_(chosen, chosen)]]
    for shuffle in range(settings.shuffles):
        items = {}
        for key in keys:
            generator = settings.generator(Stream.CONTROLS, shuffle, key.network.number)
            activations = recordings[key]
            items[key.label] = activations[generator.permutation(len(activations))]
        with quiet():  # The grid of all pairs has warned of the same units.
            stack.append(np.asarray(lw.pairwise(items, score.measure, **score.options)))
    return np.stack(stack)


@contextmanager
def _collected_warnings(messages: list[str]) -> Iterator[None]:
    """Keep this package's warnings for the report, which states them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LikewiseWarning)
        yield
    for warning in caught:
        if issubclass(warning.category, LikewiseWarning):
            messages.append(f"{warning.category.__name__}, {warning.message}")
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
