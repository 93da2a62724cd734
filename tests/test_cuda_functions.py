"""Functions on devices where their topics' tests end: precision, batches, help from the CPU."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
import simulated
from simulated import cost_matrices, layers

import likewise as lw

pytestmark = pytest.mark.simulator


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(12, 40), (65, 65)])
def test_decompositions_of_low_rank(shape, dtype):
    rng = np.random.default_rng(6)
    rank = min(shape) // 2
    a = rng.standard_normal((shape[0], rank)) @ rng.standard_normal((rank, shape[1]))
    a = np.stack([a, np.zeros(shape), 1e-30 * np.ones(shape)]).astype(dtype)
    tolerance = 1e-4 if dtype == np.float32 else 1e-12
    there = simulated.array(a)
    u, p = map(simulated.numpy, lw.polar(there))
    np.testing.assert_allclose(u @ p, a, rtol=0, atol=tolerance)
    small = u @ u.swapaxes(1, 2) if shape[0] < shape[1] else u.swapaxes(1, 2) @ u
    eye = np.broadcast_to(np.eye(min(shape)), small.shape)
    np.testing.assert_allclose(small, eye, rtol=0, atol=tolerance)
    values = simulated.numpy(lw.svdvals(there))
    exact = np.linalg.svd(a.astype(np.float64), compute_uv=False)
    np.testing.assert_allclose(values, exact, rtol=0, atol=tolerance)
    assert (np.diff(values, axis=1) <= 0).all()
    assert (values[1] == 0).all()
    assert values[2, 0] == pytest.approx(exact[2, 0], rel=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(48, 48), (40, 130)])
def test_nuclear_norms_of_any_spectrum(shape, dtype):
    rng = np.random.default_rng(2)
    u, _, vt = np.linalg.svd(rng.standard_normal(shape), full_matrices=False)
    k = min(shape)
    spectra = {
        "geometric to 1e-6": np.logspace(0, -6, k),
        "geometric to 1e-16": np.logspace(0, -16, k),
        "low rank": np.arange(k) < max(1, k // 4),
        "one large": np.where(np.arange(k) == 0, 1, 1e-3),
        "all equal": np.ones(k),
    }
    a = np.stack([(u * s) @ vt for s in spectra.values()]).astype(dtype)
    found = simulated.numpy(lw.nuclear_norm(simulated.array(a)))
    assert found.dtype == dtype
    exact = np.linalg.svd(a.astype(np.float64), compute_uv=False).sum(axis=-1)
    tolerance = 2e-6 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(found, exact, rtol=tolerance, atol=0)


def test_predictions_on_a_device_can_be_shown():
    x, y = (np.random.default_rng(k).standard_normal((20, 3)) for k in range(2))
    found = simulated.cpu(lw.linear_predictivity)(simulated.array(x), simulated.array(y))
    assert repr(found) == "Prediction(array of shape (3,) on a device)"


@pytest.mark.parametrize("shape", [(3, 6, 6), (3, 6, 9), (3, 10, 4)])
def test_transports_without_a_solution(shape):
    cost = cost_matrices(shape)
    cost[1, 2] = np.inf
    cost[2, 1, 1] = np.nan
    with pytest.raises(ValueError, match=r"infeasible \(item 1 of the batch\)"):
        lw.optimal_transport(simulated.array(cost))
    found = lw.optimal_transport(simulated.array(cost), return_duals=True, check_finite=False)
    expected = simulated.cpu(lw.optimal_transport)(cost[0], return_duals=True)
    for value in map(simulated.numpy, found):
        assert np.isnan(value[1:]).all()
    np.testing.assert_allclose(simulated.numpy(found.plan)[0], expected.plan, rtol=0, atol=1e-16)
    assert 0 <= simulated.numpy(found.gap)[0] <= 1e-13


@pytest.mark.parametrize("comparison", ["cosine", "corr", "spearman", "rho-a", "corr_cov"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lists_of_rdms(comparison, dtype):
    rng = np.random.default_rng(5)
    p, q = (rng.integers(1, 9, (count, 45)).astype(dtype) for count in (3, 2))
    p[1, 7] = np.nan
    q[0] = 2  # nothing but ties
    options = {"comparison": comparison, "check_finite": False}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = lw.compare_rdms(p, q, **options)
    assert found.dtype == dtype
    with warnings.catch_warnings(record=True) as said_there:
        warnings.simplefilter("always")
        expected = simulated.cpu(lw.compare_rdms)(p, q, **options)
    assert not said  # nothing is looked at
    assert len(said_there) == (comparison not in ("cosine", "rho-a"))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 if dtype == np.float32 else 1e-14)
    assert np.isnan(found[1]).all()
    with pytest.raises(ValueError, match=r"p must be finite, got nan at index \(1, 7\)"):
        lw.compare_rdms(p, q, comparison=comparison)
    assert lw.compare_rdms(p[:0], q, comparison=comparison).shape == (0, 2)
    assert lw.compare_rdms(p[0], q[1:], comparison=comparison).shape == (1,)


def test_a_precision_is_where_the_samples_are():
    x, precision = np.ones((2, 8, 4)), np.eye(4)
    for name in ("mahalanobis", "crossnobis"):
        with pytest.raises(lw.InputTypeError, match="move one of them first"):
            simulated.cpu(lw.rdm)(x, dissimilarity=name, precision=simulated.array(precision))


def test_an_rdm_of_several_blocks_of_rows():
    x = np.random.default_rng(6).standard_normal((1100, 2))
    for dissimilarity in ("cosine", "euclidean"):
        found = lw.rdm(x, dissimilarity=dissimilarity)
        expected = simulated.cpu(lw.rdm)(x, dissimilarity=dissimilarity)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


def test_small_angles_in_single_precision():
    # Rotated copies, one of them moved: float32 products lose the directions of little variance.
    x = layers()[2] * 10.0 ** -np.arange(0, 4.5, 0.5)
    y = x @ np.linalg.qr(cost_matrices((9, 9)))[0]
    there = [
        simulated.array(item.astype(np.float32)) for item in (x, y, y + 1e-4 * layers()[2][::-1])
    ]
    exact = simulated.cpu(lw.pairwise)([simulated.numpy(item).astype(np.float64) for item in there])
    found = simulated.numpy(simulated.cpu(lw.pairwise)(there))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-6)


def test_lasso_fits_that_do_not_converge_are_said_one_by_one(monkeypatch):
    monkeypatch.setattr("likewise.lasso._TOLERANCE", 1e-30)
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((2, 30, 6)), rng.standard_normal((2, 30, 3))
    with pytest.warns(lw.ConvergenceWarning) as said:
        found = lw.sparse_predictivity(x, y, alphas=[0.01, 0.3], cv=2)
    texts = [str(w.message) for w in said]
    pattern = r"sparse_predictivity: the duality gap of \d of 6 fits stayed above 1e-30 of "
    assert all(re.match(pattern, text) for text in texts)
    # Of every item first the fit of all samples, then those of the folds.
    assert len(texts) == 6
    for text, gap in zip(texts[::3], found.gap, strict=True):
        assert text.endswith(f"the largest is {gap.max():.1e}")


def test_lasso_paths_on_a_device_can_be_shown():
    x, y = (simulated.array(np.random.default_rng(k).standard_normal((20, 3))) for k in range(2))
    shown = repr(lw.sparse_predictivity(x, y, alphas=[0.1, 0.2]))
    assert shown == "SparsePrediction(score of shape (2,) on a device)"
