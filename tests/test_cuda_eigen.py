"""Decompositions on devices that cuSOLVER helps with: accuracy, and what happens where it fails."""

from __future__ import annotations

import numpy as np
import pytest
import simulated

import likewise as lw

pytestmark = pytest.mark.simulator

SIDE = 66  # from 65 on


def matrices(shape, spectrum, dtype=np.float64, seed=6):
    rng = np.random.default_rng(seed)
    u, _, vt = np.linalg.svd(rng.standard_normal(shape), full_matrices=False)
    return ((u * spectrum) @ vt).astype(dtype)


SPECTRA = {
    "random": np.linspace(1, 3, SIDE),
    "geometric": np.logspace(0, -12, SIDE),
    "low rank": np.arange(SIDE) < 9,
    "pairs": np.repeat(np.arange(SIDE // 2), 2),
}


@pytest.mark.parametrize("scale", [1e-30, 1, 1e30])
@pytest.mark.parametrize("shape", [(SIDE, SIDE), (90, SIDE), (SIDE, 150)])
def test_singular_values_in_single_precision(shape, scale):
    a = np.stack([scale * matrices(shape, s) for s in SPECTRA.values()]).astype(np.float32)
    found = simulated.numpy(lw.svdvals(simulated.array(a)))
    assert found.dtype == np.float32
    exact = np.linalg.svd(a.astype(np.float64), compute_uv=False)
    np.testing.assert_allclose(found, exact, rtol=1e-7, atol=5e-8 * exact.max())
    assert (np.diff(found, axis=1) <= 0).all()


def check_factors(a, u, p, tolerance):
    np.testing.assert_allclose(u @ p, a, rtol=0, atol=tolerance * np.abs(a).max())
    small = u @ u.T if len(u) < len(u.T) else u.T @ u
    np.testing.assert_allclose(small, np.eye(len(small)), rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((70, SIDE), np.float64), ((SIDE, 70), np.float32)],
)
def test_factors_need_no_eigenvalues(shape, dtype, monkeypatch):
    # Squares of the second are not finite, and the third is given up.
    a = np.stack([matrices(shape, SPECTRA["random"], dtype, seed) for seed in range(3)])
    a[1] *= dtype(1e200 if dtype == np.float64 else 1e30)
    monkeypatch.setenv("CUSIM_UNCONVERGED", "2")
    u, p = map(simulated.numpy, lw.polar(simulated.array(a)))
    for k in range(len(a)):
        check_factors(a[k], u[k], p[k], 1e-5 if dtype == np.float32 else 1e-13)


def test_what_did_not_converge_is_named(monkeypatch):
    a = np.random.default_rng(1).standard_normal((3, SIDE, SIDE)).astype(np.float32)
    there = simulated.array(a)
    monkeypatch.setenv("CUSIM_UNCONVERGED", "1")
    with pytest.raises(lw.ConvergenceError, match=r"svdvals: .* of item 1 did not converge"):
        lw.svdvals(there)
    found = simulated.numpy(lw.svdvals(there, check_finite=False))
    assert np.isnan(found[1]).all()
    exact = np.linalg.svd(a[::2].astype(np.float64), compute_uv=False)
    np.testing.assert_allclose(found[::2], exact, rtol=1e-6)
    monkeypatch.setenv("CUSIM_UNCONVERGED", "0")
    x, y = np.random.default_rng(2).standard_normal((2, 2 * SIDE, SIDE))
    with pytest.raises(lw.ConvergenceError, match=r"linear_predictivity: .* did not converge"):
        lw.linear_predictivity(simulated.array(x), simulated.array(y), cv=2, alphas=[1.0])


def test_matrices_with_nan_are_named():
    a = np.ones((3, SIDE, SIDE), np.float32)
    a[2, 5, 6] = np.nan
    found = simulated.numpy(lw.svdvals(simulated.array(a), check_finite=False))
    assert (np.isnan(found).all(axis=1) == [False, False, True]).all()
    np.testing.assert_allclose(found[0], [SIDE, *np.zeros(SIDE - 1)], rtol=0, atol=1e-6 * SIDE)


@pytest.mark.parametrize("function", [lw.svdvals, lambda a: lw.polar(a)])
def test_memory_that_is_not_there(function):
    there = simulated.array(matrices((SIDE, SIDE), SPECTRA["random"], np.float32))
    function(there)
    before = simulated.module.stats()["live_bytes"]
    said: list[str] = []
    while True:  # the first allocation, the second, and so on: results, copies, workspace
        simulated.module.fail_allocation(len(said))
        try:
            function(there)
        except RuntimeError as error:
            said.append(str(error))
        else:
            break
        finally:
            simulated.module.reset()
        assert simulated.module.stats()["live_bytes"] == before
    assert len(said) >= 6
    assert all("MemoryAllocation" in text for text in said)


def test_ridge_by_eigenvalues_agrees_with_the_cpu():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2, 200, SIDE)) * np.logspace(0, -2, SIDE)
    x[1, :, 3] = x[1, :, 5]  # of lower rank
    y = x @ rng.standard_normal((SIDE, 4)) + 0.1 * rng.standard_normal((2, 200, 4))
    expected = simulated.cpu(lw.linear_predictivity)(x, y, cv=2)
    found = lw.linear_predictivity(simulated.array(x), simulated.array(y), cv=2)
    np.testing.assert_allclose(simulated.numpy(found.score), expected.score, rtol=1e-10)
    np.testing.assert_allclose(simulated.numpy(found.alpha), expected.alpha, rtol=1e-14)
