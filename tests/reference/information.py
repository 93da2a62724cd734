"""Mutual information of binned activations, one pair of units, from the definition."""

import numpy as np


def mutual_information(a, b, bins, correct):
    def codes(v):
        v = np.asarray(v, np.float64)
        edges = np.quantile(v[v != 0], np.arange(1, bins - 1) / (bins - 1)) if v.any() else []
        return np.where(v == 0, 0, 1 + np.sum(v[:, None] >= np.asarray(edges)[None], axis=1))

    joint = np.zeros((bins, bins))
    np.add.at(joint, (codes(a), codes(b)), 1)
    p = joint / joint.sum()
    margins = p.sum(axis=1, keepdims=True) * p.sum(axis=0, keepdims=True)
    value = (p[p > 0] * np.log(p[p > 0] / margins[p > 0])).sum()
    occupied = [(part > 0).sum() for part in (p, p.sum(axis=0), p.sum(axis=1))]
    bias = (occupied[0] - occupied[1] - occupied[2] + 1) / (2 * len(a))
    return value - bias if correct else value
