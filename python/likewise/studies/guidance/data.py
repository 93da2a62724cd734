"""Handwritten digits, sequences to copy, and strings of bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from likewise.studies.digits import SIDE
from likewise.studies.digits import digits as load_digits
from likewise.studies.guidance.settings import Row

PIXELS = SIDE * SIDE
HELD_OUT_SEQUENCES = 500

# No symbol has the number of the padding: what the loss leaves out must not be part of the task.
PADDING, IGNORED = 0, -1
SYMBOLS = 10
COPY, END = SYMBOLS + 1, SYMBOLS + 2
COPY_TOKENS, PARITY_TOKENS = SYMBOLS + 3, 3


@dataclass(frozen=True)
class Data:
    """Inputs and their answers, one each or one for every step; `IGNORED` asks for nothing."""

    inputs: torch.Tensor
    answers: torch.Tensor


def load(row: Row, seed: int) -> tuple[Data, Data]:
    """What a row is trained and what it is tested on."""
    if row.task == "digits":
        return digits(row.examples, seed)
    sequences = {"copying": copying, "parity": parity}[row.task]
    return sequences(row.examples, row.longest, seed)


def digits(count: int, seed: int) -> tuple[Data, Data]:
    """`count` training images (n, 64) from 0 to 1, and 597 others, the same for every count."""
    training, held_out = load_digits(seed)
    return (
        Data(training.images[:count].flatten(1), training.labels[:count]),
        Data(held_out.images.flatten(1), held_out.labels),
    )


def copying(count: int, longest: int, seed: int) -> tuple[Data, Data]:
    """Symbols, a sign to copy them, the same symbols and an end: what comes next, from the sign on.

    Half of `longest` symbols at least; 500 other sequences for testing.
    """
    generator = np.random.default_rng(seed)
    sequences = _distinct(generator, count + HELD_OUT_SEQUENCES, longest // 2, longest, SYMBOLS)
    inputs = np.full((len(sequences), 2 * longest + 1), PADDING)
    answers = np.full(inputs.shape, IGNORED)
    for row, symbols in enumerate(sequences):
        n = len(symbols)
        inputs[row, : 2 * n + 1] = [*symbols, COPY, *symbols]
        answers[row, n : 2 * n + 1] = [*symbols, END]
    return _split(inputs, answers, count)


def parity(count: int, longest: int, seed: int) -> tuple[Data, Data]:
    """Strings of 2 to `longest` bits, the bit b as token b + 1, and whether the sum is odd.

    500 other strings for testing.
    """
    generator = np.random.default_rng(seed)
    strings = _distinct(generator, count + HELD_OUT_SEQUENCES, 2, longest, 2)
    inputs = np.full((len(strings), longest), PADDING)
    for row, bits in enumerate(strings):
        inputs[row, : len(bits)] = bits
    answers = np.array([sum(bit - 1 for bit in bits) % 2 for bits in strings])
    return _split(inputs, answers, count)


def _distinct(
    generator: np.random.Generator, count: int, shortest: int, longest: int, symbols: int
) -> list[tuple[int, ...]]:
    """Different sequences of symbols from 1, in random order; a length is drawn for each."""
    possible = sum(symbols**length for length in range(shortest, longest + 1))
    if count > possible:
        raise ValueError(
            f"there are {possible} sequences of {shortest} to {longest} of {symbols} symbols, "
            f"{count} are wanted for training and testing"
        )
    found: dict[tuple[int, ...], None] = {}
    while len(found) < count:
        length = generator.integers(shortest, longest + 1)
        found[tuple(generator.integers(1, symbols + 1, length).tolist())] = None
    sequences = list(found)
    return [sequences[k] for k in generator.permutation(len(sequences))]


def _split(inputs: NDArray[np.int64], answers: NDArray[np.int64], count: int) -> tuple[Data, Data]:
    everything = torch.from_numpy(inputs), torch.from_numpy(answers)
    return Data(*(x[:count] for x in everything)), Data(*(x[count:] for x in everything))
