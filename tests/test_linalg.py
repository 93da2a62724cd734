"""Batched decompositions: backward errors, SciPy's contracts, shapes."""

from __future__ import annotations

import numpy as np
import pytest
import simulated

import likewise as lw

SHAPES = [(5, 5), (8, 3), (3, 8), (1, 6), (130, 40), (97, 97), (60, 200)]


def matrix(shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_singular_values_and_their_sum(shape, dtype):
    a = matrix((2, *shape), dtype=dtype)
    expected = np.linalg.svd(a.astype(np.float64), compute_uv=False)
    tolerance = 20 * np.finfo(dtype).eps * expected.max()
    np.testing.assert_allclose(lw.svdvals(a), expected, atol=tolerance)
    np.testing.assert_allclose(
        lw.nuclear_norm(a), expected.sum(axis=-1), rtol=20 * np.finfo(dtype).eps
    )


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_nuclear_norm_at_extreme_scales(scale):
    a = matrix((30, 20))
    assert lw.nuclear_norm(a * scale) == pytest.approx(lw.nuclear_norm(a) * scale, rel=1e-13)


@pytest.mark.parametrize(
    ("a", "expected"),
    [
        (np.zeros((4, 3)), 0.0),
        (np.eye(150), 150.0),
        (np.diag([3.0, 0, -4]), 7.0),
        (np.ones((6, 6)), 6.0),
    ],
)
def test_nuclear_norms_known_in_closed_form(a, expected):
    assert lw.nuclear_norm(a) == pytest.approx(expected, abs=1e-13 * max(1, expected))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_polar_factors(shape):
    linalg = pytest.importorskip("scipy.linalg")
    a = matrix((3, *shape))
    u, p = lw.polar(a)
    np.testing.assert_allclose(u @ p, a, atol=1e-12 * np.abs(a).max() * max(shape))
    np.testing.assert_allclose(p, np.swapaxes(p, -1, -2), atol=1e-12)
    assert np.linalg.eigvalsh(p).min() > -1e-12
    r = min(shape)
    gram = u @ np.swapaxes(u, -1, -2) if shape[0] < shape[1] else np.swapaxes(u, -1, -2) @ u
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(r), gram.shape), atol=1e-12)
    for item in range(3):
        su, sp = linalg.polar(a[item])
        np.testing.assert_allclose(u[item], su, atol=1e-9)
        np.testing.assert_allclose(p[item], sp, atol=1e-9)


@pytest.mark.parametrize("shape", [(10, 4), (4, 10), (50, 50), (200, 70)], ids=str)
def test_orthogonal_procrustes_is_scipys(shape):
    linalg = pytest.importorskip("scipy.linalg")
    a, b = matrix(shape), matrix(shape, 1)
    r, scale = lw.orthogonal_procrustes(a, b)
    expected, total = linalg.orthogonal_procrustes(a, b)
    assert scale == pytest.approx(total, rel=1e-12)
    np.testing.assert_allclose(r @ r.T, np.eye(shape[1]), atol=1e-12)
    # The rotation is unique only where the product has full rank.
    assert np.linalg.norm(a @ r - b) == pytest.approx(np.linalg.norm(a @ expected - b), rel=1e-12)
    if shape[0] > shape[1]:
        np.testing.assert_allclose(r, expected, atol=1e-9)


def test_orthogonal_procrustes_batches_and_broadcasts():
    a, b = matrix((3, 1, 20, 5)), matrix((2, 20, 5), 1)
    r, scale = lw.orthogonal_procrustes(a, b)
    assert r.shape == (3, 2, 5, 5)
    assert scale.shape == (3, 2)
    single = lw.orthogonal_procrustes(a[2, 0], b[1])
    np.testing.assert_allclose(r[2, 1], single.r, atol=1e-13)


def test_empty_matrices_and_batches():
    assert lw.svdvals(np.ones((0, 3, 2))).shape == (0, 2)
    assert lw.nuclear_norm(np.ones((2, 0, 3))).tolist() == [0, 0]
    u, p = lw.polar(np.ones((0, 3)))
    assert u.shape == (0, 3)
    assert p.shape == (3, 3)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"a must have shape \(\.\.\., m, n\), got \(3,\)"):
        lw.svdvals(np.ones(3))
    with pytest.raises(ValueError, match="a must be finite, got nan"):
        lw.polar(np.full((2, 2), np.nan))
    with pytest.raises(ValueError, match="must have the same shape"):
        lw.orthogonal_procrustes(np.ones((3, 2)), np.ones((3, 3)))


def test_nothing_converges_to_a_number_that_looks_fine():
    a = np.stack([np.eye(2), np.full((2, 2), np.nan)])
    if simulated.module is None:
        with pytest.raises(lw.ConvergenceError, match=r"svdvals: .* item 1"):
            lw.svdvals(a, check_finite=False)
    else:  # without the look nobody waits for the device
        found = lw.svdvals(a, check_finite=False)
        np.testing.assert_array_equal(found, [[1, 1], [np.nan, np.nan]])
