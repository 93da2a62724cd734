"""Fourier signals of embeddings over the tokens: who survives, how round, and changed on purpose.

Tokens 0 ... p - 1 are the residues modulo p. Everything here is NumPy alone, so it serves for
embeddings that were trained elsewhere. What is changed stays real by construction: only the
coefficients of k = 0 ... p // 2 are touched, and the others are their conjugates.

Source: Ding, Guo, Michaud, Liu, Tegmark 2024, arXiv 2405.17420, and the scripts beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def spectrum(embeddings: ArrayLike) -> Floats:
    """Norms of the Fourier coefficients F_k = Σ_t E_t exp(-2πikt/p) over the tokens.

    Parameters
    ----------
    embeddings
        Shape (..., p, d): any stack of embeddings of p tokens in d dimensions.

    Returns
    -------
    (..., p // 2 + 1): ‖F_k‖ for k = 0 ... p // 2. The others repeat these, ‖F_(p-k)‖ = ‖F_k‖.

    Raises
    ------
    ValueError
        With fewer than two axes or fewer than three tokens.
    """
    values = np.asarray(embeddings, dtype=np.float64)
    if values.ndim < 2 or values.shape[-2] < 3:
        raise ValueError(
            "spectrum: embeddings must have shape (..., p, d) with p at least 3, "
            f"got {values.shape}"
        )
    return np.asarray(np.linalg.norm(np.fft.rfft(values, axis=-2), axis=-1))


def fourier_signals(embeddings: ArrayLike) -> Floats:
    """Signals s_k = ‖F_k‖ of k = 1 ... (p - 1) // 2, shape (..., (p - 1) // 2).

    Column k - 1 belongs to frequency k. About sqrt(p d) for standard normal embeddings.
    """
    p = np.shape(embeddings)[-2]
    return spectrum(embeddings)[..., 1 : (p - 1) // 2 + 1]


def survivors_relative(embeddings: ArrayLike, times: float = 2.0) -> Mask:
    """Frequencies that stand out, (..., (p - 1) // 2): True for each circle of the embedding.

    There are floor(#{k in 0 ... p - 1: s_k > times · mean_k s_k} / 2) circles, the mean taken over
    all p frequencies; they are the strongest ones.
    """
    p = np.shape(embeddings)[-2]
    half = spectrum(embeddings)
    k = np.arange(p)
    full = half[..., np.minimum(k, p - k)]
    above = full > times * full.mean(axis=-1, keepdims=True)
    count = above.sum(axis=-1) // 2
    signals = half[..., 1 : (p - 1) // 2 + 1]
    rank = np.argsort(np.argsort(-signals, axis=-1, kind="stable"), axis=-1, kind="stable")
    return np.asarray(rank < count[..., np.newaxis])


def survivors_absolute(embeddings: ArrayLike, threshold: float = 10.0) -> Mask:
    """Frequencies with s_k > threshold, (..., (p - 1) // 2).

    Meant for long training: what is dying still has a signal for as long as weight decay needs.
    """
    return np.asarray(fourier_signals(embeddings) > threshold)


def circularity(embedding: ArrayLike) -> Floats:
    """How nearly each frequency moves round a circle, (p - 1) // 2 numbers from 0 to 1.

    The embedding is projected on the unit vector of Re F_k, z_t = E_t · Re F_k / ‖Re F_k‖, and
    c_re = 2 |Σ_t z_(tδ) exp(2πit/p)|² / (p ‖z‖²) for the step δ with kδ = 1 modulo p; c_im is
    the same with Im F_k, and the circularity is sqrt((c_re² + c_im²) / 2). Putting t = ks in the
    sum leaves the Fourier coefficient of z at k itself, which exists for any p. A perfect circle
    whose plane holds nothing else gives 1; one that has shrunk to a line gives sqrt(1/2), as
    nothing projects on the missing direction.

    Parameters
    ----------
    embedding
        Shape (p, d).
    """
    values = np.asarray(embedding, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"circularity: embedding must have shape (p, d), got {values.shape}")
    p = len(values)
    coefficients = np.fft.rfft(values, axis=0)[1 : (p - 1) // 2 + 1]
    nothing = 1e-12 * np.abs(coefficients).max()
    sides = (coefficients.real, coefficients.imag)
    parts = [_roundness(values, side, nothing) for side in sides]
    return np.asarray(np.sqrt((parts[0] ** 2 + parts[1] ** 2) / 2))


def _roundness(values: Floats, directions: Floats, nothing: float) -> Floats:
    """c of every frequency for its direction (rows); 0 where that is no longer than `nothing`."""
    norms = np.linalg.norm(directions, axis=1, keepdims=True)
    present = norms[:, 0] > nothing
    units = np.divide(directions, norms, out=np.zeros_like(directions), where=present[:, None])
    projections = values @ units.T
    own = np.arange(len(directions))
    power = np.abs(np.fft.rfft(projections, axis=0)[own + 1, own]) ** 2
    total = len(values) * np.sum(projections**2, axis=0)
    return np.asarray(2 * np.divide(power, total, out=np.zeros_like(power), where=present))


def relative_gradient(signals: ArrayLike, step: int = 4) -> Floats:
    """Early growth g_k = (s_k(step) - s_k(step - 1)) / s_k(0), shape (..., frequencies).

    Parameters
    ----------
    signals
        Shape (..., steps, frequencies), one row for each optimiser step from 0.
    step
        From 1; the paper's figure uses 4.

    Raises
    ------
    ValueError
        For a step that the signals do not have.
    """
    values = np.asarray(signals, dtype=np.float64)
    if not 1 <= step < values.shape[-2]:
        raise ValueError(
            f"relative_gradient: step must be from 1 to {values.shape[-2] - 1}, got {step}"
        )
    change = values[..., step, :] - values[..., step - 1, :]
    return np.asarray(change / values[..., 0, :])


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
