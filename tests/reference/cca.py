"""Slow, plain definitions: explicit whitening matrices from eigendecompositions."""

from __future__ import annotations

import numpy as np


def centred(x):
    x = np.asarray(x, np.float64)
    return x - x.mean(axis=0)


def principal(x, variance=1.0):
    """Scores of the fewest principal components that hold this share of the variance."""
    u, s, _ = np.linalg.svd(centred(x), full_matrices=False)
    keep = s > max(np.shape(x)) * np.finfo(np.float64).eps * s[0]
    if variance < 1:
        keep[np.searchsorted(np.cumsum(s**2) / (s**2).sum(), variance) + 1 :] = False
    return u[:, keep] * s[keep]


def whitening(x, regularization):
    """(X'X + regularization tr(X'X) / d I)^(-1/2)."""
    covariance = x.T @ x
    d = len(covariance)
    values, vectors = np.linalg.eigh(covariance)
    values = values + regularization * np.trace(covariance) / d
    return (vectors / np.sqrt(values)) @ vectors.T


def canonical(x, y, regularization=0.0, variance=1.0):
    """(left vectors, correlations) of whitened data, and the whitened x."""
    if regularization:
        x, y = centred(x), centred(y)
        zx, zy = (z @ whitening(z, regularization) for z in (x, y))
    else:
        zx, zy = (np.linalg.qr(principal(z, variance))[0] for z in (x, y))
    p, correlations, _ = np.linalg.svd(zx.T @ zy, full_matrices=False)
    return p, correlations, zx


def cca(x, y, regularization=0.0, variance=1.0):
    return canonical(x, y, regularization, variance)[1].mean()


def pwcca(x, y):
    p, correlations, zx = canonical(x, y)
    variates = zx @ p
    weights = np.abs(variates.T @ centred(x)).sum(axis=1)
    return weights @ correlations / weights.sum()
