"""Embeddings with frequencies removed, scaled or built, in NumPy alone.

All of them return a real embedding (p, d) by construction: only the coefficients of k = 0 ...
p // 2 are touched, and the others are their conjugates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from likewise.studies.circles.signals import Floats


def band_filter(embedding: ArrayLike, frequencies: Iterable[int]) -> Floats:
    """The embedding with nothing left but these frequencies and the mean over tokens (k = 0).

    Raises
    ------
    ValueError
        For a frequency outside 1 ... p // 2.
    """
    values = np.asarray(embedding, dtype=np.float64)
    kept = [0, *_checked("band_filter", frequencies, len(values))]
    coefficients = np.fft.rfft(values, axis=0)
    filtered = np.zeros_like(coefficients)
    filtered[kept] = coefficients[kept]
    return np.asarray(np.fft.irfft(filtered, n=len(values), axis=0))


def scale_frequency(embedding: ArrayLike, frequency: int, factor: float) -> Floats:
    """The embedding with the signal of one frequency multiplied by `factor`, all else the same."""
    values = np.asarray(embedding, dtype=np.float64)
    (k,) = _checked("scale_frequency", [frequency], len(values))
    coefficients = np.fft.rfft(values, axis=0)
    coefficients[k] *= factor
    return np.asarray(np.fft.irfft(coefficients, n=len(values), axis=0))


def construct(
    p: int,
    dimension: int,
    signals: Mapping[int, float],
    generator: np.random.Generator,
    floor: float = 1e-6,
) -> Floats:
    """An embedding of perfect circles with given signals, in random planes.

    F_k = s_k (u + iv) / sqrt(2) with u and v orthonormal, so that ‖F_k‖ = s_k and the tokens lie
    on a circle, not on a line. Frequencies that `signals` does not name get `floor`; the mean over
    tokens is zero.
    """
    _checked("construct", signals, p)
    if dimension < 2:
        raise ValueError(f"construct: dimension must be at least 2 for a circle, got {dimension}")
    coefficients = np.zeros((p // 2 + 1, dimension), dtype=np.complex128)
    for k in range(1, (p - 1) // 2 + 1):
        plane, _ = np.linalg.qr(generator.standard_normal((dimension, 2)))
        coefficients[k] = signals.get(k, floor) * (plane[:, 0] + 1j * plane[:, 1]) / np.sqrt(2)
    return np.asarray(np.fft.irfft(coefficients, n=p, axis=0))


def _checked(function: str, frequencies: Iterable[int], p: int) -> list[int]:
    chosen = list(frequencies)
    for k in chosen:
        if not 1 <= k <= p // 2:
            raise ValueError(f"{function}: frequencies must be from 1 to {p // 2}, got {k}")
    return chosen
