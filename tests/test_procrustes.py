"""Procrustes and shape distances against slow oracles, planted answers and invariances."""

from __future__ import annotations

import numpy as np
import pytest
import simulated
from reference import procrustes as slow

import likewise as lw
from likewise._border.arrays import NUMPY

pytestmark = [
    pytest.mark.device,
    pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning"),
]

SHAPES = [
    (50, 16, 16), (40, 7, 30), (30, 40, 20), (20, 30, 50), (10, 10, 10), (10, 9, 9), (11, 10, 12),
    (5, 1, 1), (4, 3, 4), (300, 200, 150), (150, 97, 97), (120, 300, 260),
]  # fmt: skip
OPTIONS = [
    {},
    {"score": "similarity"},
    {"score": "euclidean"},
    {"score": "euclidean", "scale": False},
    {"center": False},
    {"center": False, "scale": False, "score": "euclidean"},
]


def data(n, dx, dy, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, max(dx, dy)))
    x = z[:, :dx] @ rng.standard_normal((dx, dx)) + 2
    y = z[:, :dy] @ rng.standard_normal((dy, dy)) - 1
    return x.astype(dtype), y.astype(dtype)


def rotation(d, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_agrees_with_the_full_svd(shape, options):
    x, y = data(*shape)
    expected = slow.procrustes(x, y, **options)
    size = expected / slow.procrustes(x, y, options.get("center", True))  # of a radian
    tolerance = {"rtol": 1e-6, "atol": 1e-9 * max(1, size)}  # that of angles, see slow.bound
    np.testing.assert_allclose(lw.procrustes(x, y, **options), expected, **tolerance)
    grid = lw.pairwise([x, y], "procrustes", **options)
    np.testing.assert_allclose(grid[0, 1], expected, **tolerance)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_similarity_is_exact_to_rounding(shape):
    x, y = data(*shape)
    s = lw.procrustes(x, y, score="similarity")
    assert abs(s - slow.similarity(x, y)) < 1e-13 * max(shape)


@pytest.mark.parametrize(
    "spectrum",
    [
        np.ones(120),
        np.arange(1.0, 121) ** -2,
        np.logspace(0, -16, 120),
        np.r_[np.ones(60), np.zeros(60)],
        np.r_[np.ones(60), np.full(60, 1e-7)],
    ],
    ids=["flat", "power law", "geometric", "rank deficient", "nearly rank deficient"],
)
def test_no_spectrum_loses_digits(spectrum):
    rng = np.random.default_rng(0)
    u, v = (np.linalg.qr(rng.standard_normal((400, 120)))[0] for _ in range(2))
    x = (u * spectrum) @ rotation(120, 1)
    y = (v * spectrum) @ rotation(120, 2)
    s = lw.procrustes(x, y, center=False, score="similarity")
    assert abs(s - slow.similarity(x, y, center=False)) < 1e-13


@pytest.mark.parametrize("shape", [(1000, 64), (80, 200), simulated.large((300, 130))], ids=str)
def test_equal_up_to_what_is_invariant_is_zero(shape):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    d = shape[1]
    for y in (x @ rotation(d), x[:, rng.permutation(d)], 3.5 * x, x + rng.standard_normal(d),
              -0.1 * x @ rotation(d, 1) + 7):  # fmt: skip
        assert lw.procrustes(x, y) <= 1e-12
        assert lw.pairwise([x, y, x])[1, 2] <= 1e-12
        assert lw.procrustes(x, y, score="euclidean") <= 1e-12
        # Rounding to float32 must not move y itself by more than is promised.
        x32, y32 = x.astype(np.float32), (y - y.mean(axis=0)).astype(np.float32)
        assert lw.procrustes(x32, y32) <= 1e-6


ANGLES = 10.0 ** np.arange(-12, 1)
SPECTRA = {
    "flat": np.ones(12),
    "power law": np.arange(1.0, 13) ** -1,
    "geometric": np.logspace(0, -11, 12),
    "faint directions": np.r_[np.ones(3), np.full(9, 1e-8)],
    "noise of float32": np.r_[np.ones(3), np.full(9, 3e-7)],
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("spectrum", SPECTRA.values(), ids=SPECTRA)
def test_planted_angles(spectrum, dtype):
    pairs = [slow.planted(60, spectrum, angle, seed) for seed, angle in enumerate(ANGLES)]
    x, y = (np.stack(side).astype(dtype) for side in zip(*pairs, strict=True))
    unit = spectrum / np.linalg.norm(spectrum)
    # The polar iteration of devices may leave these unaligned (csrc/procrustes/cuda/procrustes.h).
    missed = 2 * np.linalg.norm(unit[unit < 1e-7]) if simulated.is_used() else 0
    for score in ("angular", "euclidean"):
        expected = ANGLES if score == "angular" else 2 * np.sin(ANGLES / 2)
        some = slice(None, None, 4)
        found = {
            "call": [lw.procrustes(*pair, score=score) for pair in zip(x, y, strict=True)],
            "batch": lw.procrustes(x, y, score=score),
            "pairwise": np.diag(lw.pairwise([*x[some], *y[some]], score=score)[:4, 4:]),
            "cross": np.diag(lw.cross(list(x[some]), list(y[some]), score=score)),
            "turned": lw.procrustes(np.flip(y, -1), x, score=score),
        }
        for path, scores in found.items():
            wanted = expected[some] if path in ("pairwise", "cross") else expected
            error = np.abs(np.asarray(scores, np.float64) - wanted)
            bound = np.maximum(slow.bound(wanted, dtype), missed)
            assert (error <= bound).all(), (path, score, error)


@pytest.mark.parametrize("angle", [1e-10, 3e-5, 1e-3, 0.1])
def test_an_angle_does_not_depend_on_the_order_of_samples(angle):
    x, y = slow.planted(60, SPECTRA["noise of float32"], angle)
    order = np.random.default_rng(0).permutation(60)
    measure, orders = lw.measure("procrustes"), np.stack([order, np.arange(60)]).astype(np.int32)
    back, away = measure.reordered(NUMPY, x, y[np.argsort(order)], orders)
    assert abs(back - angle) <= slow.bound(angle, np.float64)
    expected = lw.procrustes(x[order], y)
    assert abs(away - expected) <= 2 * slow.bound(expected, np.float64)


@pytest.mark.parametrize("angle", [1e-7, 1e-4, 1e-2])
def test_small_angles_between_different_widths(angle):
    # The wider one is the narrower one, shrunk by cos, beside 5 columns that it lacks.
    q = np.linalg.qr(np.random.default_rng(0).standard_normal((200, 25)))[0]
    x, e = q[:, :20] / np.sqrt(20), q[:, 20:] / np.sqrt(5)
    wide = np.hstack([np.cos(angle) * x, np.sin(angle) * e]) @ rotation(25)
    for pair in ((x, wide), (wide, x)):
        error = abs(lw.procrustes(*pair, center=False) - angle)
        assert error <= slow.bound(angle, np.float64)


def test_widths_differ_as_if_padded_with_zeros():
    x, y = data(60, 8, 5)
    padded = np.hstack([y, np.zeros((60, 3))])
    with pytest.warns(lw.DegenerateWarning, match="3 constant units"):
        expected = lw.procrustes(x, padded)
    assert lw.procrustes(x, y) == pytest.approx(expected, abs=1e-13)


def test_all_pairs_equal_single_calls_for_many_narrow_items():
    rng = np.random.default_rng(0)
    items = [rng.standard_normal((70, d)) for d in rng.integers(1, 90, 25)]
    with lw.num_threads(2):
        grid = lw.pairwise(items)
    single = [[lw.procrustes(a, b) for b in items] for a in items]
    np.testing.assert_allclose(grid, single, atol=1e-12)
    np.testing.assert_array_equal(grid, grid.T)


@pytest.mark.parametrize("exponent", [-150, -290, 150, 290])
def test_distances_have_the_scale_of_the_data(exponent):
    x, y = data(50, 6, 6)
    options = {"scale": False, "score": "euclidean"}
    far = lw.procrustes(x * 10.0**exponent, y * 10.0**exponent, **options)
    assert far == pytest.approx(lw.procrustes(x, y, **options) * 10.0**exponent, rel=1e-12)


@pytest.mark.parametrize("measure", ["procrustes", "shape_distance"])
def test_distances_beyond_their_type_are_infinite_and_said(measure):
    rng = np.random.default_rng(0)
    items = [(2.0**127 * rng.uniform(-1, 1, (12, d))).astype(np.float32) for d in (3, 4)]
    in_data = {"scale": False, "score": "euclidean"}
    stream = lw.scale.Accumulator(measure, **in_data)
    stream.update(items)
    calls = {
        "call": lambda: getattr(lw, measure)(*items, **in_data),
        "grid": lambda: lw.pairwise(items, measure, **in_data)[0, 1],
        "cross": lambda: lw.cross(items[:1], items[1:], measure, **in_data)[0, 0],
        "stream": lambda: stream.compute()[0, 1],
    }
    for path, call in calls.items():
        with pytest.warns(lw.OverflowWarning, match=f"{measure}: . score"):
            assert call() == np.inf, path


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("shape", [(60, 8, 5), (20, 30, 25)], ids=str)
def test_shape_distance_agrees_with_its_definition(shape, alpha):
    x, y = data(*shape)
    expected = slow.procrustes(slow.whitened(x, alpha), slow.whitened(y, alpha))
    assert lw.shape_distance(x, y, alpha=alpha) == pytest.approx(expected, abs=2e-7)
    far = lw.shape_distance(x, y, alpha=alpha, score="euclidean", scale=False)
    expected = slow.procrustes(
        slow.whitened(x, alpha), slow.whitened(y, alpha), scale=False, score="euclidean"
    )
    assert far == pytest.approx(expected, rel=1e-7)


def test_shape_distance_at_zero_is_cca():
    x, y = data(200, 5, 5)
    y = y + np.random.default_rng(1).standard_normal(y.shape)
    ux, uy = (np.linalg.svd(slow.centred(a), full_matrices=False)[0] for a in (x, y))
    correlations = np.linalg.svd(ux.T @ uy, compute_uv=False)
    expected = np.arccos(correlations.mean())
    assert lw.shape_distance(x, y, alpha=0) == pytest.approx(expected, abs=1e-12)


def test_few_samples_warn_once_and_name_the_reason():
    x, y = data(30, 20, 5)
    with pytest.warns(lw.SmallSampleWarning, match="30 samples for 20 units") as seen:
        lw.procrustes(x, y)
    assert len(seen) == 1


def test_options_are_checked():
    x, y = data(10, 2, 2)
    with pytest.raises(ValueError, match="score must be one of"):
        lw.procrustes(x, y, score="cosine")
    with pytest.raises(ValueError, match=r"alpha must be between 0 and 1, got 1\.5"):
        lw.shape_distance(x, y, alpha=1.5)
