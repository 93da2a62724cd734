"""Noise ceilings against what a model of the true responses reaches."""

from __future__ import annotations

import numpy as np
import pytest
from reference import regression as slow

import likewise as lw


def test_noise_ceiling_is_what_the_true_responses_reach():
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((40000, 4)) * [0, 0.3, 1, 3]
    repeats = truth + rng.standard_normal((6, 40000, 4))
    ceiling = lw.noise_ceiling(repeats)
    reached = slow.pearson(truth[:, 1:], repeats.mean(axis=0)[:, 1:])
    np.testing.assert_allclose(ceiling[1:], reached, rtol=0, atol=0.02)
    assert ceiling[0] < 0.2
    assert lw.noise_ceiling(np.stack([repeats, repeats + 1])).shape == (2, 4)
    exact = lw.noise_ceiling(np.stack([truth, truth]))
    np.testing.assert_allclose(exact, [0, 1, 1, 1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(20, 3), (1, 20, 3), (4, 1, 3)])
def test_repeats_and_stimuli_are_needed(shape):
    with pytest.raises(ValueError, match=r"shape \(\.\.\., r, n, d\) with r, n >= 2, got"):
        lw.noise_ceiling(np.ones(shape))
