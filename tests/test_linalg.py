"""Batched decompositions: backward errors, SciPy's contracts, shapes."""

from __future__ import annotations

import numpy as np
import pytest
import simulated

import likewise as lw

pytestmark = pytest.mark.device

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


# Powers of two: scaling by them is exact.
SCALES = {
    np.float64: [2.0**-970, 2.0**660],
    np.float32: [2.0**-110, 2.0**110],
}


def found_by(a, b):
    """What all functions say of a and b: arrays that follow the scale of a, and others."""
    u, p = lw.polar(a)
    r, scale = lw.orthogonal_procrustes(a, b)
    return (lw.svdvals(a), lw.nuclear_norm(a), p, scale), (u, r)


@pytest.mark.parametrize("shape", [(30, 20), (12, 30), (90, 70)], ids=str)
@pytest.mark.parametrize(
    ("dtype", "scale"), [(dtype, scale) for dtype, scales in SCALES.items() for scale in scales]
)
def test_no_scale_costs_digits(dtype, scale, shape):
    a, b = matrix((2, *shape), dtype=dtype), matrix((2, *shape), 1, dtype)
    scales = np.array([1, scale], dtype)[:, None, None]  # items side by side
    following, others = found_by(a, b)
    scaled, same = found_by(a * scales, b)
    tolerance = 100 * float(np.finfo(dtype).eps)
    unique = shape[0] >= shape[1]  # else R is not
    for before, after in zip(following, scaled, strict=True):
        after = after / scales.reshape(-1, *(1,) * (after.ndim - 1))
        assert np.abs(after - before).max() <= tolerance * np.abs(before).max() * max(shape)
    for before, after in zip(others, same, strict=True):
        if unique or before.shape == a.shape:
            assert np.abs(after - before).max() <= tolerance * max(shape)
    # Both sides at this scale, and at opposite ones: A'B is what may overflow.
    for other in (scale, 1 / scale):
        r, total = lw.orthogonal_procrustes(a[0] * dtype(scale), b[0] * dtype(other))
        with np.errstate(over="ignore", under="ignore"):
            expected = following[3][0].astype(np.longdouble) * scale * other
            expected = expected.astype(dtype)
        assert total == pytest.approx(expected, rel=tolerance * max(shape))
        assert np.linalg.norm(a[0] @ r - b[0]) == pytest.approx(
            np.linalg.norm(a[0] @ others[1][0] - b[0]), rel=tolerance * max(shape)
        )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_overflows_is_infinite(dtype):
    a = np.full((40, 40), np.finfo(dtype).max / 2, dtype)  # of rank one, singular value 40 max / 2
    assert lw.svdvals(a)[0] == np.inf
    assert lw.nuclear_norm(a) == np.inf
    u, p = lw.polar(a[:, :2])
    assert np.isfinite(u).all()
    assert (p == np.inf).all()
    r, scale = lw.orthogonal_procrustes(a, a)
    assert np.isfinite(r).all()
    assert scale == np.inf


def test_gradients_of_nuclear_norms_at_every_scale():
    torch = pytest.importorskip("torch")
    for dtype, scales in SCALES.items():
        expected = lw.polar(matrix((9, 5), dtype=dtype)).u
        for scale in scales:
            a = torch.from_numpy(matrix((9, 5), dtype=dtype) * dtype(scale)).requires_grad_()
            lw.nuclear_norm(a).backward()
            np.testing.assert_allclose(a.grad, expected, atol=20 * np.finfo(dtype).eps)


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
