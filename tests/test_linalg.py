"""lw.svdvals, lw.nuclear_norm, lw.polar and lw.orthogonal_procrustes."""

from __future__ import annotations

import numpy as np
import pytest

import likewise as lw

DTYPES = ["float64", "float32"]
# Below and above the 112 columns from which matrices are reduced through a band, tall, wide, and
# so tall that their root is reduced.
SHAPES = [(1, 1), (1, 9), (9, 1), (5, 8), (40, 40), (113, 113), (150, 130), (130, 260), (600, 120)]


def matrix(shape, dtype, seed=0):
    m, n = shape
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((m, n)) * np.arange(1, n + 1) ** -0.5).astype(dtype)


def eps(dtype):
    return float(np.finfo(dtype).eps)


def with_spectrum(values, m, n, seed=0):
    rng = np.random.default_rng(seed)
    r = len(values)
    u, v = (np.linalg.qr(rng.standard_normal((k, k)))[0][:, :r] for k in (m, n))
    return (u * values) @ v.T


SPECTRA = {
    "flat": np.ones(125),
    "power law": np.arange(1, 126.0) ** -2,
    "graded": 10.0 ** -np.linspace(0, 30, 125),
    "clusters": np.repeat([1.0, 1e-4, 1e-9], [25, 50, 50]),
    "rank deficient": np.where(np.arange(125) < 17, 1.0, 0.0),
    "nearly rank deficient": np.where(np.arange(125) < 17, 1.0, 1e-8),
    "one": np.where(np.arange(125) < 1, 1.0, 0.0),
    "zero": np.zeros(125),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_singular_values_and_their_sum(shape, dtype):
    a = matrix(shape, dtype)
    exact = np.linalg.svd(a.astype(np.float64), compute_uv=False)
    values, norm = lw.svdvals(a), lw.nuclear_norm(a)
    assert values.dtype == norm.dtype == dtype
    assert np.all(np.diff(values) <= 0)
    np.testing.assert_allclose(values, exact, atol=20 * eps(dtype) * exact[0])
    np.testing.assert_allclose(norm, exact.sum(), rtol=10 * eps(dtype))


@pytest.mark.parametrize("spectrum", SPECTRA.values(), ids=SPECTRA)
@pytest.mark.parametrize("size", [(125, 125), (140, 125), (125, 300)], ids=str)
def test_nuclear_norm_of_planted_spectra(spectrum, size):
    a = with_spectrum(spectrum, *size)
    # Singular values below rounding of the largest one come out as rounding.
    tolerance = 1e-14 * spectrum.sum() + 125 * eps("float64") * spectrum[0]
    assert abs(lw.nuclear_norm(a) - spectrum.sum()) <= tolerance


@pytest.mark.parametrize("n", [1, 2, 3, 60, 200])
def test_nuclear_norm_of_diagonal_and_permuted_matrices(n):
    """Nothing to reflect: columns that are zero below the diagonal, and exact zeros everywhere."""
    values = np.arange(n, 0.0, -1)
    rng = np.random.default_rng(0)
    for a in (np.diag(values), np.diag(values)[rng.permutation(n)], np.triu(np.ones((n, n)))):
        expected = np.linalg.svd(a, compute_uv=False).sum()
        np.testing.assert_allclose(lw.nuclear_norm(a), expected, rtol=1e-14)
    assert lw.nuclear_norm(np.zeros((n, n))) == 0


@pytest.mark.parametrize("factor", [1e-300, 1e-150, 1e150, 1e300])
@pytest.mark.parametrize("shape", [(20, 30), (130, 130)], ids=str)
def test_extreme_scales(shape, factor):
    a = matrix(shape, "float64")
    for function in (lw.nuclear_norm, lw.svdvals, lambda v: lw.polar(v).p):
        np.testing.assert_allclose(function(a * factor), function(a) * factor, rtol=1e-9)
    u = lw.polar(a).u
    np.testing.assert_allclose(lw.polar(a * factor).u, u, atol=1e-10)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(7, 7), (12, 5), (5, 12), (90, 60)], ids=str)
def test_polar_factors(shape, dtype):
    linalg = pytest.importorskip("scipy.linalg")
    m, n = shape
    a = matrix(shape, dtype)
    u, p = lw.polar(a)
    tolerance = 20 * eps(dtype)
    assert u.dtype == p.dtype == dtype
    np.testing.assert_allclose(u @ p, a, atol=tolerance * np.linalg.norm(a))
    gram = u @ u.T if m < n else u.T @ u
    np.testing.assert_allclose(gram, np.eye(min(m, n)), atol=tolerance)
    np.testing.assert_allclose(p, p.T, atol=tolerance)
    assert np.linalg.eigvalsh(p.astype(np.float64))[0] >= -tolerance * np.linalg.norm(a)
    expected_u, expected_p = linalg.polar(a.astype(np.float64))
    np.testing.assert_allclose(p, expected_p, atol=tolerance * np.linalg.norm(a))
    np.testing.assert_allclose(u, expected_u, atol=200 * tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(40, 6), (5, 9), (100, 70)], ids=str)
def test_orthogonal_procrustes_is_scipys(shape, dtype):
    linalg = pytest.importorskip("scipy.linalg")
    a, b = matrix(shape, dtype, 1), matrix(shape, dtype, 2)
    r, scale = lw.orthogonal_procrustes(a, b)
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    expected_r, expected_scale = linalg.orthogonal_procrustes(wide_a, wide_b)
    assert r.dtype == scale.dtype == dtype
    tolerance = 100 * eps(dtype)
    np.testing.assert_allclose(r.T @ r, np.eye(shape[1]), atol=tolerance)
    np.testing.assert_allclose(scale, expected_scale, rtol=tolerance)
    residual, expected = (np.linalg.norm(wide_a @ q - wide_b) for q in (r, expected_r))
    np.testing.assert_allclose(residual, expected, rtol=tolerance)
    if shape[0] >= shape[1]:  # else R is free where A'B has no rank
        np.testing.assert_allclose(r, expected_r, atol=1e6 * eps(dtype))


def test_orthogonal_procrustes_finds_a_planted_rotation():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((30, 5))
    q = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    r, scale = lw.orthogonal_procrustes(a, 2 * a @ q)
    np.testing.assert_allclose(r, q, atol=1e-14)
    np.testing.assert_allclose(scale, 2 * np.vdot(a, a), rtol=1e-14)


FUNCTIONS = {
    "svdvals": lw.svdvals,
    "nuclear_norm": lw.nuclear_norm,
    "polar": lw.polar,
    "orthogonal_procrustes": lambda a, **options: lw.orthogonal_procrustes(
        a, a[..., ::-1], **options
    ),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("size", [(9, 6), (115, 114)], ids=str)
def test_batches_are_loops(function, size):
    batch = np.random.default_rng(0).standard_normal((2, 3, *size))

    def parts(value):
        return value if isinstance(value, tuple) else (value,)

    whole = parts(function(batch))
    for i in range(2):
        for j in range(3):
            for all_of_it, one in zip(whole, parts(function(batch[i, j])), strict=True):
                np.testing.assert_array_equal(all_of_it[i, j], one)
    for part in parts(function(batch[:0])):
        assert part.shape[:2] == (0, 3)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_refusals(function):
    with pytest.raises(ValueError, match=r"must have (the same )?shape \(\.\.\., "):
        function(np.ones(4))
    spoiled = np.ones((3, 4))
    spoiled[1, 2] = np.nan
    with pytest.raises(ValueError, match=r"a must be finite, got nan at index \(1, 2\)"):
        function(spoiled)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("size", [(6, 5), (130, 120)], ids=str)
def test_nan_is_no_number_that_looks_fine(function, size):
    spoiled = np.random.default_rng(0).standard_normal(size)
    spoiled[1, 2] = np.nan
    try:
        result = function(spoiled, check_finite=False)
    except lw.ConvergenceError:
        return
    for part in result if isinstance(result, tuple) else (result,):
        assert np.isnan(part).all()


def test_orthogonal_procrustes_wants_equal_shapes():
    for shape in ((9, 5), (8, 4), (2, 8, 5)):
        with pytest.raises(ValueError, match=r"must have the same shape|must broadcast"):
            lw.orthogonal_procrustes(np.ones((3, 8, 5)), np.ones(shape))


def test_empty_matrices():
    assert lw.nuclear_norm(np.ones((0, 3))) == 0
    assert lw.svdvals(np.ones((0, 3))).shape == (0,)
    u, p = lw.polar(np.ones((3, 0)))
    assert u.shape == (3, 0)
    assert p.shape == (0, 0)
    r, scale = lw.orthogonal_procrustes(np.ones((3, 0)), np.ones((3, 0)))
    assert r.shape == (0, 0)
    assert scale == 0
