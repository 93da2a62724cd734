"""Noise ceilings: the best score that noise in the data allows."""

from __future__ import annotations

from typing import Any

import numpy as np

from likewise._array import read

__all__ = ["noise_ceiling"]


def noise_ceiling(repeats: Any, *, check_finite: bool = True) -> Any:
    """The largest correlation with mean responses that noise between repeats allows.

    The root of the reliability of the mean over ``r`` repeats, ``sqrt((B - W) / B)`` with ``B`` and
    ``W`` the mean squares between and within stimuli (one-way analysis of variance; the intraclass
    correlation ICC(1, k) of Shrout & Fleiss 1979): a model that knew the true responses would
    correlate that much with the measured means. Range [0, 1]; 0 where repeats agree no more than
    stimuli do.

    Parameters
    ----------
    repeats
        ``(..., r, n, d)``: the responses of ``d`` units to ``n`` stimuli, at least 2 repeats.

    Returns
    -------
    ``(..., d)``. ``linear_predictivity(x, repeats.mean(axis=-3)).corrected(...)`` takes it.

    Raises
    ------
    ValueError
        Fewer than 2 repeats or stimuli, NaN or infinity.
    InputTypeError
        For inputs that cannot be used as they are.
    """
    (data,), library = read("noise_ceiling", check_finite, repeats=repeats)
    if data.ndim < 3 or data.shape[-3] < 2 or data.shape[-2] < 2:
        raise ValueError(
            "noise_ceiling: repeats must have shape (..., r, n, d) with r, n >= 2, got "
            f"{data.shape}"
        )
    count, stimuli = data.shape[-3], data.shape[-2]
    means = data.mean(axis=-3, dtype=np.float64, keepdims=True)
    within = ((data - means) ** 2).sum(axis=(-3, -2)) / (stimuli * (count - 1))
    between = count * means[..., 0, :, :].var(axis=-2, ddof=1)
    signal = np.maximum(between - within, 0)
    ceiling = np.sqrt(np.divide(signal, between, out=np.zeros_like(signal), where=between > 0))
    return library.give(ceiling.astype(data.dtype, copy=False))
