"""lw.procrustes, lw.shape_distance and their measures."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from reference.procrustes import pair_at_angle
from reference.procrustes import procrustes as slow

import likewise as lw

pytestmark = pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")

# n, dx, dy: fewer, as many and more samples than units; both kernels (below and above 112 units),
# several blocks, very different widths, roots of wide items, the smallest sizes.
SHAPES = [
    (2, 1, 1),
    (2, 5, 3),
    (3, 40, 40),
    (30, 1, 7),
    (20, 20, 20),
    (20, 21, 24),
    (50, 16, 9),
    (40, 90, 30),
    (300, 130, 130),
    (150, 170, 160),
    (90, 260, 130),
    (400, 250, 120),
    (260, 290, 20),
]
SCORES = ["angular", "euclidean", "similarity"]
DTYPES = ["float64", "float32"]
TOLERANCE = {"float64": 1e-12, "float32": 1e-6}


def representation(rng, n, d):
    """Correlated units with a decaying spectrum and large means."""
    mixing = rng.standard_normal((d, d)) * np.arange(1, d + 1)[:, None] ** -0.7
    return rng.standard_normal((n, d)) @ mixing + 5 * rng.standard_normal(d)


def rotation_of(rng, d):
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_agrees_with_plain_svd(shape, score, dtype):
    n, dx, dy = shape
    rng = np.random.default_rng(7)
    x, y = (representation(rng, n, d).astype(dtype) for d in (dx, dy))
    for center in (True, False):
        result = lw.procrustes(x, y, center=center, score=score)
        assert result.dtype == dtype
        expected = slow(x, y, center=center, score=score)
        # Where s is 1 (two samples, for one) only the square of the distance is known to slow().
        slack = 3e-8 if expected < 1e-5 else TOLERANCE[dtype] * 10
        assert abs(result - expected) <= slack


@pytest.mark.parametrize("dtype", DTYPES)
def test_unscaled_distance_is_that_of_the_items_as_they_are(dtype):
    rng = np.random.default_rng(0)
    x, y = (representation(rng, 60, d).astype(dtype) for d in (12, 9))
    for center in (True, False):
        expected = slow(x, y, center=center, scale=False, score="euclidean")
        result = lw.procrustes(x, y, center=center, scale=False, score="euclidean")
        np.testing.assert_allclose(result, expected, rtol=TOLERANCE[dtype])
        for score in ("angular", "similarity"):  # these have no scale
            assert lw.procrustes(x, y, scale=False, score=score) == lw.procrustes(x, y, score=score)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.9, 1.0])
@pytest.mark.parametrize(
    "shape", [(50, 16, 9), (300, 130, 115), (30, 20, 60), (25, 80, 90)], ids=str
)
def test_shape_distance_agrees_with_its_definition(shape, alpha):
    n, dx, dy = shape
    rng = np.random.default_rng(3)
    x, y = representation(rng, n, dx), representation(rng, n, dy)
    for options in ({}, {"score": "similarity"}, {"score": "euclidean", "scale": False}):
        expected = slow(x, y, alpha=alpha, **options)
        result = lw.shape_distance(x, y, alpha=alpha, **options)
        # Both items fill the space of the samples: whitened they are the same.
        slack = 3e-8 if expected < 1e-5 else 1e-9 * max(1, expected)
        assert abs(result - expected) <= slack


def test_alpha_zero_is_the_mean_canonical_correlation():
    rng = np.random.default_rng(5)
    x, y = representation(rng, 80, 6), representation(rng, 80, 6)
    qx, qy = (np.linalg.qr(v - v.mean(0))[0] for v in (x, y))
    correlations = np.linalg.svd(qx.T @ qy, compute_uv=False)
    similarity = lw.shape_distance(x, y, alpha=0.0, score="similarity")
    np.testing.assert_allclose(similarity, correlations.mean(), rtol=1e-12)
    assert lw.shape_distance(x, y @ rng.standard_normal((6, 6)), alpha=0.0) == pytest.approx(
        lw.shape_distance(x, y, alpha=0.0), abs=1e-10
    )


def test_whitening_leaves_out_directions_that_rounding_made():
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((80, 4)), rng.standard_normal((80, 5))
    repeated = x @ rng.standard_normal((4, 9))  # rank 4
    for dtype in DTYPES:
        result = lw.shape_distance(repeated.astype(dtype), y.astype(dtype), alpha=0.0)
        np.testing.assert_allclose(result, slow(x, y, alpha=0.0), rtol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(40, 12), (300, 130), (40, 90), (40, 45)], ids=str)
def test_planted_equivalence_is_at_distance_zero(shape, dtype):
    n, d = shape
    rng = np.random.default_rng(1)
    x = rng.standard_normal((n, d))
    same = {
        "itself": x,
        "rotated": x @ rotation_of(rng, d),
        "permuted": x[:, rng.permutation(d)],
        "scaled": 3.7 * x,
        "translated": x + rng.standard_normal(d),
        "embedded": x @ rotation_of(rng, d + 8)[:d],
        "all": 0.2 * (x @ rotation_of(rng, d)) + rng.standard_normal(d),
    }
    for name, y in same.items():
        for score in ("angular", "euclidean"):
            distance = lw.procrustes(x.astype(dtype), y.astype(dtype), score=score)
            assert distance <= TOLERANCE[dtype], name
            assert lw.procrustes(y.astype(dtype), x.astype(dtype), score=score) <= TOLERANCE[dtype]


@pytest.mark.parametrize("widths", [(8, 8), (8, 13), (13, 8), (120, 120), (120, 150)], ids=str)
@pytest.mark.parametrize("angle", [1e-9, 1e-7, 1e-5, 1e-4, 1e-3, 3e-3, 5e-3, 1e-2, 0.1, 1.0])
def test_planted_angles_are_found(angle, widths):
    x, y = pair_at_angle(angle, 500, widths, np.random.default_rng(2))
    assert abs(lw.procrustes(x, y) - angle) <= 1e-12
    chord = 2 * math.sin(angle / 2)
    assert abs(lw.procrustes(x, y, score="euclidean") - chord) <= 1e-12
    assert abs(lw.procrustes(x, y, score="similarity") - math.cos(angle)) <= 1e-14
    size_y = 1.5 * np.linalg.norm(y)
    exact = math.hypot(np.linalg.norm(x) - size_y, chord * math.sqrt(size_y * np.linalg.norm(x)))
    unscaled = lw.procrustes(x, 1.5 * y, score="euclidean", scale=False)
    np.testing.assert_allclose(unscaled, exact, rtol=1e-12)
    single = lw.procrustes(x.astype(np.float32), y.astype(np.float32))
    assert abs(single - angle) <= 1e-6


def test_float32_similarity_is_within_1e_7():
    rng = np.random.default_rng(8)
    for n, d in [(500, 64), (1000, 128), (600, 256), (1000, 512)]:
        x, y = (representation(rng, n, d).astype(np.float32) for _ in range(2))
        assert abs(lw.procrustes(x, y, score="similarity") - slow(x, y, score="similarity")) <= 1e-7


def test_spectra_from_flat_to_nearly_rank_deficient():
    """Products with singular values over 16 orders of magnitude, in clusters, and zeros."""
    n, d = 300, 140
    rng = np.random.default_rng(4)
    spectra = [
        np.ones(d),
        np.arange(1, d + 1.0) ** -2,
        np.where(np.arange(d) < 20, 1, 1e-7),
        np.where(np.arange(d) < 20, 1, 0),
        10.0 ** -np.linspace(0, 16, d),
        np.where(np.arange(d) < 70, 1, 1e-4),
    ]
    gaussian = rng.standard_normal((2, n, d))
    bases = [np.linalg.qr(g - g.mean(0))[0] for g in gaussian]
    for spectrum in spectra:
        x, y = ((b * spectrum) @ rotation_of(rng, d) for b in bases)
        result = lw.procrustes(x, y, score="similarity")
        np.testing.assert_allclose(result, slow(x, y, score="similarity"), rtol=1e-13)


@pytest.mark.parametrize("name", ["procrustes", "shape_distance"])
def test_batches_loops_pairs_and_grids_agree(name):
    rng = np.random.default_rng(6)
    x, y = rng.standard_normal((2, 3, 40, 7)), rng.standard_normal((3, 40, 11))
    function = getattr(lw, name)
    scores = function(x, y)
    assert scores.shape == (2, 3)
    for i in range(2):
        for j in range(3):
            assert scores[i, j] == function(x[i, j], y[j])
    assert function(x[0, 0], y).shape == (3,)
    np.testing.assert_array_equal(function(x[0, 0], y), [function(x[0, 0], v) for v in y])

    items = [representation(rng, 40, d) for d in (7, 130, 1, 55, 20)]
    grid, block = lw.pairwise(items, name), lw.cross(items[:2], items, name)
    assert np.array_equal(grid, grid.T)
    assert not grid.diagonal().any()
    loop = np.array([[function(a, b) for b in items] for a in items])
    np.testing.assert_allclose(grid, loop, atol=1e-13)
    np.testing.assert_allclose(block, loop[:2], atol=1e-13)


@pytest.mark.parametrize("exponent", [-150, 150])
def test_extreme_scales_neither_overflow_nor_vanish(exponent):
    rng = np.random.default_rng(9)
    x, y = representation(rng, 50, 8), representation(rng, 50, 6)
    factor = 10.0**exponent
    assert lw.procrustes(x * factor, y / factor) == pytest.approx(lw.procrustes(x, y), abs=1e-13)
    unscaled = lw.procrustes(x * factor, y * factor, scale=False, score="euclidean")
    expected = lw.procrustes(x, y, scale=False, score="euclidean")
    np.testing.assert_allclose(unscaled, expected * factor, rtol=1e-12)


def test_large_offsets_do_not_drown_the_signal():
    rng = np.random.default_rng(10)
    x, y = rng.standard_normal((200, 8)).round(6), rng.standard_normal((200, 6)).round(6)
    assert lw.procrustes(x + 2**20, y) == pytest.approx(lw.procrustes(x, y), abs=1e-9)


def test_options_are_checked():
    x = np.eye(4)
    for function in (lw.procrustes, lw.shape_distance):
        with pytest.raises(ValueError, match=r"score must be one of .* got 'cosine'"):
            function(x, x, score="cosine")
    for alpha in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="alpha must be between 0 and 1"):
            lw.shape_distance(x, x, alpha=alpha)


def test_few_samples_warn_once():
    rng = np.random.default_rng(0)
    items = [rng.standard_normal((12, d)) for d in (4, 7)]
    for compare in (lambda: lw.procrustes(*items), lambda: lw.pairwise(items, "procrustes")):
        with pytest.warns(lw.SmallSampleWarning, match="12 samples for 7 units") as seen:
            compare()
        assert len(seen) == 1


def test_degenerate_items_of_a_grid():
    rng = np.random.default_rng(0)
    items = [rng.standard_normal((40, 5)) for _ in range(4)]
    items[1] = np.full((40, 3), 0.1)
    items[2] = np.insert(items[2], [0, 3], 7.0, axis=1)
    with pytest.warns(lw.DegenerateWarning, match=r"2 constant units .* 1 constant rep") as seen:
        grid = lw.pairwise(items, "procrustes")
    assert len(seen) == 1
    assert np.isnan(grid[1]).all()
    assert np.isnan(grid[:, 1]).all()
    assert np.isfinite(np.delete(np.delete(grid, 1, 0), 1, 1)).all()


def test_zero_units_are_the_constant_ones_without_centring():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 5)), rng.standard_normal((40, 4))
    expected = lw.procrustes(x, y, center=False)
    ones = np.insert(x, 1, 1.0, axis=1)  # not degenerate: it is not removed by centring
    assert lw.procrustes(ones, y, center=False) != expected
    with pytest.warns(lw.DegenerateWarning, match="1 constant unit "):
        assert lw.procrustes(np.insert(x, 1, 0.0, axis=1), y, center=False) == expected


VARIANTS = """
import numpy as np, likewise as lw
rng = np.random.default_rng(0)
for dtype in ("float64", "float32"):
    for n, d in ((30, 5), (60, 40), (300, 130), (70, 200)):
        x, y = rng.standard_normal((2, n, d)).astype(dtype)
        print(repr(float(lw.procrustes(x, y, score="similarity"))))
"""


@pytest.mark.parametrize("simd", ["baseline", "avx2", "avx512"])
def test_every_instruction_set_gives_the_same_scores(simd):
    def scores(**environment):
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-c", VARIANTS],
            env=os.environ | environment,
            capture_output=True,
            text=True,
        )

    forced = scores(LIKEWISE_SIMD=simd)
    if forced.returncode and "LIKEWISE_SIMD must be" in forced.stderr:
        pytest.skip(f"this processor or build has no {simd}")
    assert forced.returncode == 0, forced.stderr
    values, expected = (np.array(r.stdout.split(), float) for r in (forced, scores()))
    np.testing.assert_allclose(values[:4], expected[:4], rtol=1e-14)
    np.testing.assert_allclose(values[4:], expected[4:], rtol=1e-7)
