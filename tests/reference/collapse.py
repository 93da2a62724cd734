"""Neural collapse from the definitions: whole covariance matrices, loops over classes."""

from __future__ import annotations

import numpy as np


def neural_collapse(x, labels, weight, bias):
    classes = np.unique(labels)
    means = np.stack([x[labels == c].mean(axis=0) for c in classes])
    m = means - means.mean(axis=0)
    within = np.concatenate([x[labels == c] - means[k] for k, c in enumerate(classes)])
    sigma_w, sigma_b = within.T @ within / len(x), m.T @ m / len(classes)
    norms = np.linalg.norm(m, axis=1)
    cosines = [
        m[i] @ m[j] / norms[i] / norms[j] for i in range(len(m)) for j in range(len(m)) if i != j
    ]
    outputs = x @ weight.T + bias
    nearest = np.array([np.argmin(np.linalg.norm(means - row, axis=1)) for row in x])
    return (
        np.trace(sigma_w @ np.linalg.pinv(sigma_b, rcond=1e-10)) / len(classes),
        norms.std() / norms.mean(),
        np.mean(np.abs(np.array(cosines) + 1 / (len(classes) - 1))),
        np.linalg.norm(weight / np.linalg.norm(weight) - m / np.linalg.norm(m)),
        np.mean(outputs.argmax(axis=1) != nearest),
    )
