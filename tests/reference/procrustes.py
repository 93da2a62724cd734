"""Procrustes and shape distances of one pair by plain SVDs in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def centred(x: Array, center: bool) -> Array:
    x = np.asarray(x, np.float64)
    return x - x.mean(axis=0) if center else x


def partly_whitened(x: Array, alpha: float) -> Array:
    """``X (alpha I + (1 - alpha) (X'X)^(-1/2))`` with the norm of X, from its SVD."""
    if alpha == 1:
        return x
    _, s, vt = np.linalg.svd(x, full_matrices=False)
    kept = s > max(x.shape) * np.finfo(np.float64).eps * s[0]
    whitening = (vt[kept].T * (alpha + (1 - alpha) / s[kept])) @ vt[kept]
    out = x @ whitening
    return out * (np.linalg.norm(x) / np.linalg.norm(out))


def nuclear_norm(m: Array) -> float:
    return float(np.linalg.svd(m, compute_uv=False).sum())


def procrustes(
    x: Array,
    y: Array,
    *,
    alpha: float = 1.0,
    center: bool = True,
    scale: bool = True,
    score: str = "angular",
) -> float:
    a, b = (partly_whitened(centred(v, center), alpha) for v in (x, y))
    size_a, size_b = np.linalg.norm(a), np.linalg.norm(b)
    similarity = nuclear_norm(a.T @ b) / (size_a * size_b)
    if score == "similarity":
        return float(similarity)
    if score == "angular":
        return float(np.arccos(min(similarity, 1.0)))
    if scale:
        size_a = size_b = 1.0
    return float(np.sqrt(max(size_a**2 + size_b**2 - 2 * size_a * size_b * similarity, 0.0)))


def pair_at_angle(
    angle: float, n: int, widths: tuple[int, int], rng: np.random.Generator
) -> tuple[Array, Array]:
    """Centred representations exactly that far apart: X and a rotation of cos X + sin Z, where the
    columns of Z are orthogonal to those of X (the wider one carries the rotation)."""
    narrow, wide = min(widths), max(widths)
    gaussian = rng.standard_normal((n, 2 * narrow))
    basis = np.linalg.qr(gaussian - gaussian.mean(axis=0))[0]
    spectrum = np.arange(1, narrow + 1) ** -0.5
    x, z = basis[:, :narrow] * spectrum, basis[:, narrow:] * spectrum
    rotation = np.linalg.qr(rng.standard_normal((wide, wide)))[0][:narrow]
    y = (np.cos(angle) * x + np.sin(angle) * z) @ rotation
    return (x, y) if widths[0] <= widths[1] else (y, x)
