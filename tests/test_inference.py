"""Permutation test and bootstrap over stimuli."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
import simulated
from processes import output
from scipy.stats import t as student
from variants import related

import likewise as lw
from benchmarks import coverage
from likewise._border.arrays import Library
from likewise._border.device import DeviceLibrary
from likewise.measure.orders import Orders
from likewise.measure.subsets import _student

pytestmark = pytest.mark.device

FREEDOM = 1 / 3  # degrees of the intervals' quantile for each sample


@pytest.fixture
def pair():
    return related(80, 6, 7)


def test_null_is_the_scores_of_shuffled_rows(pair):
    x, y = pair
    result = lw.permutation_test(x, y, "cka", n=30, random_state=3, estimator="unbiased")
    rng = np.random.default_rng(3)
    null = [lw.cka(x, y[rng.permutation(80)], estimator="unbiased") for _ in range(30)]
    np.testing.assert_allclose(result.null, null, atol=1e-12)
    assert result.score == pytest.approx(lw.cka(x, y, estimator="unbiased"))


VARIANTS = [(name, {}) for name in lw.measures()] + [
    ("cka", {"estimator": "unbiased"}),
    ("cka", {"kernel": "rbf"}),
    ("hsic", {"estimator": "unbiased"}),
    ("procrustes", {"score": "euclidean", "scale": False}),
    ("rsa", {"dissimilarity": "sqeuclidean", "comparison": "cosine"}),
    ("rsa", {"comparison": "tau-a"}),
]


@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=str)
@pytest.mark.parametrize(("n", "dx", "dy"), [(40, 6, 7), (30, 40, 3), (40, 3, 4)])
@pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")
def test_fast_ways_to_shuffle_change_nothing(name, options, n, dx, dy):
    rng = np.random.default_rng(0)
    z = rng.standard_normal((n, 2))
    x, y = (
        1e3 * (z @ rng.standard_normal((2, d)) + rng.standard_normal((n, d)) + 5) for d in (dx, dy)
    )
    result = lw.permutation_test(x, y, name, n=11, random_state=3, **options)
    rng = np.random.default_rng(3)
    m = lw.measure(name, **options)
    null = [m(x, y[rng.permutation(n)]) for _ in range(11)]
    np.testing.assert_allclose(result.null, null, rtol=1e-9, atol=1e-9)
    narrow = lw.permutation_test(
        *(side.astype(np.float32) for side in (x, y)), name, n=3, **options
    )
    assert narrow.null.dtype == np.float32


OF_FEW = {
    "mutual_knn": {"k": 2},
    "jaccard_knn": {"k": 2},
    "cknna": {"k": 3},
    "linear_predictivity": {"cv": 2, "alphas": (1.0,)},
}
ON_HOST = ("mutual_knn", "jaccard_knn", "cknna")

TIED = [(name, OF_FEW.get(name, {})) for name in lw.measures()] + [
    ("cka", {"estimator": "unbiased"}),
    ("cka", {"kernel": "rbf", "bandwidth": 1.0}),
    ("hsic", {"estimator": "unbiased"}),
    ("procrustes", {"score": "similarity"}),
    ("procrustes", {"score": "euclidean", "scale": False}),
    ("soft_match", {"score": "distance"}),
    *[("rsa", {"comparison": name}) for name in ("cosine", "corr", "kendall", "rho-a", "bures")],
    ("rsa", {"dissimilarity": "euclidean", "comparison": "bures_metric"}),
]


def planted(how, dtype=np.float64):
    """Representations of 5 samples, many of whose orders score alike."""
    if how == "one active sample":
        x, y = np.ones((5, 3)), np.ones((5, 4))
        x[-1, 0], y[-1, 1] = 9, -3
    elif how == "one-hot":
        x = y = np.eye(5)
    elif how == "repeats":
        x = np.array([[1, 2, 0], [1, 2, 0], [0, 1, 4], [0, 1, 4], [3, 0, 1]])
        y = np.array([[2, 1], [0, 3], [0, 3], [0, 3], [5, 1]])
    else:
        x = np.random.default_rng(0).standard_normal((5, 3))
        y = x @ np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))[0]
    return np.asarray(x, dtype), np.asarray(y, dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("how", ["one active sample", "one-hot", "repeats", "rotated copy"])
@pytest.mark.parametrize(("name", "options"), TIED, ids=str)
@pytest.mark.filterwarnings("ignore::likewise.LikewiseWarning")
def test_ties_count_and_all_orders_are_exact(name, options, how, dtype):
    x, y = planted(how, dtype)
    m = lw.measure(name, **options)
    if options.get("comparison") == "bures_metric" and dtype == np.float32:
        pytest.skip("refused by a fault of RDMs in float32")
    if simulated.is_used() and (name in ON_HOST or (name, how) == ("pwcca", "repeats")):
        pytest.skip("ties of neighbours and small directions are cut by rounding on devices")
    if options.get("scale") is False and how == "one-hot":
        pytest.skip("at distance 0 in every order, which leaves no scale for what rounding is")
    found = lw.permutation_test(x, y, name, n=120, **options)
    x, y = planted(how)
    every = np.array([m(x, y[list(order)]) for order in itertools.permutations(range(5))], float)
    assert len(found.null) == 120
    if np.isnan(every[0]):
        assert np.isnan(found.p_value)
        return
    # Scores of these data differ by 2e-5 or by rounding, small distances by its root.
    excess = (every - every[0]) * (1 if m.kind == "similarity" else -1)
    assert not ((np.abs(excess) > 1e-7) & (np.abs(excess) < 2e-5)).any()
    assert found.p_value == np.mean(excess >= -1e-6)
    sampled = lw.permutation_test(x.astype(dtype), y.astype(dtype), name, n=119, **options)
    again = np.random.default_rng(0)
    draws = np.array([m(x, y[again.permutation(5)]) for _ in range(119)], float)
    extreme = (draws - every[0]) * (1 if m.kind == "similarity" else -1) >= -1e-6
    assert sampled.p_value == (1 + extreme.sum()) / 120


@pytest.mark.host_only("counts orders, which take a minute there")
@pytest.mark.filterwarnings("ignore::likewise.LikewiseWarning")
def test_draws_that_tie_by_rounding_are_as_extreme():
    a, b = np.ones((8, 3)), np.ones((8, 4))
    a[-1, 0], b[-1, 1] = 9, -3
    assert lw.permutation_test(a, b, "cka", n=40320).p_value == 1 / 8
    assert abs(lw.permutation_test(a, b, "cka", n=999).p_value - 1 / 8) < 4 * 0.0105
    assert lw.permutation_test(np.eye(12), np.eye(12), "cka", n=99).p_value == 1


def test_the_draws_do_not_depend_on_the_blocks_that_they_come_in():
    whole = np.concatenate(list(Orders(9, 50, 3).blocks()))
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal(whole, [rng.permutation(9) for _ in range(50)])
    generator = np.random.default_rng(3)
    orders = Orders(9, 50, generator)
    for _ in range(2):
        parts = list(orders.blocks(4 * 9, 7 * 4 * 9))
        assert [len(part) for part in parts] == [7] * 7 + [1]
        assert parts[0].dtype == np.int32
        np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert generator.bit_generator.state == rng.bit_generator.state


PEAK = """
import resource, sys
import numpy as np
import likewise as lw
from likewise._border.arrays import Library
from likewise._border.device import DeviceLibrary

x, y = np.random.default_rng(0).standard_normal(({n}, 2, {d})).astype("{dtype}").swapaxes(0, 1)
x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
lw.permutation_test(x[:40], y[:40], "{name}", n=3)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
lw.permutation_test(x, y, "{name}", n={draws})
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print((peak * 2**10 - 2 * (x.nbytes + y.nbytes)) / 2**20)
"""


@pytest.mark.host_only("measures the memory of the host")
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss in KiB")
@pytest.mark.parametrize(
    ("name", "n", "d", "draws", "dtype"),
    [
        ("cka", 10_000, 2, 2000, "f4"),
        ("procrustes", 10_000, 2, 2000, "f8"),
        ("rsa", 200, 400, 20_000, "f8"),
        ("mutual_knn", 300, 500, 40, "f8"),
        ("permutation_match", 60_000, 40, 3, "f8"),
    ],
)
def test_orders_are_never_all_in_memory(name, n, d, draws, dtype):
    program = PEAK.format(name=name, n=n, d=d, draws=draws, dtype=dtype)
    assert float(output("-c", program)) < 64


def test_related_data_is_significant_both_ways(pair):
    for name in ("cka", "procrustes"):  # a similarity and a distance
        assert lw.permutation_test(*pair, name, n=99).p_value == 0.01


@pytest.mark.host_only("a simulation of many trials")
def test_p_values_of_unrelated_data_are_uniform():
    rng = np.random.default_rng(1)
    p = [
        lw.permutation_test(
            rng.standard_normal((40, 3)), rng.standard_normal((40, 3)), "cka", n=19, random_state=k
        ).p_value
        for k in range(200)
    ]
    # Each of 20 values equally likely: mean 0.525, standard error of the mean 0.02.
    assert abs(np.mean(p) - 0.525) < 0.08
    assert 0.01 < np.mean(np.array(p) <= 0.05) < 0.12


@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=str)
@pytest.mark.filterwarnings("ignore::likewise.LikewiseWarning")
def test_resamples_of_rarely_active_units_are_their_single_calls(name, options):
    # Many draws lack the two samples for which a unit is active: it, or all of x, is constant.
    rng = np.random.default_rng(0)
    x, y = np.zeros((30, 3)), rng.standard_normal((30, 4))
    x[[4, 17], 0] = 1, 2
    draws = rng.integers(0, 30, (40, 30))
    m = lw.measure(name, **options)
    for a in (x, x[:, :1]):
        alone = [m(a[rows], y[rows]) for rows in draws]
        np.testing.assert_allclose(m(a[draws], y[draws]), alone, rtol=1e-9, atol=1e-12)


def subsets(samples, n, seed):
    """Rows of the parts and of the halves that a bootstrap of measures without folds draws."""
    rng = np.random.default_rng(seed)
    halves, pairs = samples // 2, n // 4
    kept = samples - round(samples / 5)
    parts = [rng.permutation(samples)[:kept] for _ in range(n - 2 * pairs)]
    orders = [rng.permutation(samples) for _ in range(pairs)]
    return parts, [(order[:halves], order[halves : 2 * halves]) for order in orders]


@pytest.mark.parametrize(
    ("name", "options"),
    [("procrustes", {}), ("cka", {"estimator": "unbiased"}), ("rsa", {}), ("hsic", {})],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_intervals_follow_from_parts_and_halves(pair, name, options, dtype, monkeypatch):
    x, y = (side.astype(dtype) for side in pair)
    m = lw.measure(name, **options)
    monkeypatch.setattr(type(m), "least_for_interval", 50, raising=False)
    found = lw.bootstrap(x, y, name, n=41, random_state=4, level=0.9, **options)
    parts, pairs = subsets(80, 41, 4)
    of_parts = np.array([m(x[rows], y[rows]) for rows in parts], float)
    of_halves = np.array([[m(x[rows], y[rows]) for rows in half] for half in pairs], float)
    scale = 1e-4 if dtype == np.float32 else 1e-10
    expected = np.concatenate([of_parts, of_halves.ravel()])
    np.testing.assert_allclose(found.draws, expected, rtol=scale, atol=scale)
    assert found.draws.dtype == dtype
    between = np.mean((of_halves[:, 0] - of_halves[:, 1]) ** 2) / 4
    joint = min(of_halves.mean(axis=1).var(ddof=1) / between, 0.5)
    pairwise = (joint / (1 - joint)) ** (1 if name == "hsic" else 2)
    error = np.sqrt(of_parts.var(ddof=1) * 64 / 16 / (1 + 80 / 64 * pairwise))
    score, reach = float(m(x, y)), student.ppf(0.95, FREEDOM * 80) * error
    assert found.standard_error == pytest.approx(error, rel=100 * scale)
    ends = np.array([score - reach, score + reach])
    if name == "hsic":
        root = np.cbrt(score)
        ends = np.maximum(root + np.array([-1, 1]) * reach / (3 * root**2), 0) ** 3
    elif m.range[1] == 1:
        ends = np.tanh(np.arctanh(score) + np.array([-1, 1]) * reach / (1 - score**2))
    np.testing.assert_allclose([found.low, found.high], ends, rtol=100 * scale + 1e-4)


@pytest.mark.host_only("looks at what the measure is given")
def test_parts_stay_in_their_folds_and_neighbourhoods(pair, monkeypatch):
    x, y = pair
    for name in ("mutual_knn", "linear_predictivity"):
        monkeypatch.setattr(type(lw.measure(name)), "least_for_interval", 50)
    measure = lw.measure("linear_predictivity", cv=4)
    seen = []

    class Seen(type(measure)):
        def pairs(self, pair):
            seen.append(np.asarray(pair.x))
            return super().pairs(pair)

    lw.bootstrap(np.arange(80.0)[:, None], y, Seen(cv=4), n=8)
    whole = {int(row): k for k, fold in enumerate(measure.folds(80)) for row in fold}
    (parts,) = (array for array in seen if array.ndim == 3 and array.shape[1] == 64)
    for part in parts[..., 0].astype(int):
        for k, fold in enumerate(measure.folds(64)):
            assert {whole[row] for row in part[fold]} == {k}
        assert len(set(part)) == 64
    (halves,) = (array for array in seen if array.ndim == 3 and array.shape[1] == 40)
    for a, b in halves[..., 0].reshape(-1, 2, 40):
        assert not set(a) & set(b)
    found = lw.bootstrap(x, y, "mutual_knn", n=8, k=10, random_state=4)
    parts, pairs = subsets(80, 8, 4)
    expected = [lw.mutual_knn(x[rows], y[rows], k=8) for rows in parts]
    expected += [lw.mutual_knn(x[rows], y[rows], k=5) for half in pairs for rows in half]
    np.testing.assert_allclose(found.draws, expected, atol=1e-12)


@pytest.mark.parametrize("name", lw.measures())
@pytest.mark.filterwarnings("ignore::likewise.LikewiseWarning")
def test_intervals_hold_their_own_score(name):
    rng = np.random.default_rng(0)
    n, draws = (300, 40) if simulated.module is None else (200, 20)  # more takes minutes there
    z = rng.standard_normal((n, 8))
    x, y = (z @ rng.standard_normal((8, 24)) + rng.standard_normal((n, 24)) for _ in range(2))
    for other in (y, x, rng.standard_normal((n, 24))):
        found = lw.bootstrap(x, other, name, n=draws)
        low, high = lw.measure(name).range
        assert low <= found.low <= float(found.score) + 1e-12
        assert float(found.score) - 1e-7 <= found.high <= high


@pytest.mark.host_only("a simulation of many trials")
@pytest.mark.parametrize(
    ("population", "measure", "options", "samples"),
    [
        (population, measure, options, samples)
        for population in ("shared", "unrelated")
        for samples in (50, 100)
        for measure, options in (
            ("cka", {}),
            ("cka", {"estimator": "unbiased"}),
            ("procrustes", {}),
            ("permutation_match", {}),
        )
    ]
    + [("shared", "rsa", {}, 50), ("rectified", "cca", {}, 50)],
)
def test_intervals_cover_what_they_are_about(population, measure, options, samples):
    cell = coverage.simulate(population, measure, samples, trials=200, **options)
    # Of 200 trials at 92.5 to 97.5 %, outside of these in one of 1000 simulations each.
    assert cell is not None
    assert 0.865 <= cell.coverage <= 1
    assert 0.9 <= cell.standard_error / cell.spread <= 1.3


@pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")
def test_halves_that_differ_by_rounding_say_nothing():
    # More units than half of the samples: every half has correlations of 1.
    x, y = np.random.default_rng(0).standard_normal((2, 60, 31))
    wide = lw.bootstrap(x, y, "cca", n=41)
    halves = wide.draws[-20:]
    np.testing.assert_allclose(halves, 1, atol=1e-12)
    parts = wide.draws[:-20].astype(float)
    assert wide.standard_error == pytest.approx(2 * parts.std(ddof=1), rel=1e-9)


def test_quantiles_are_those_of_student():
    for freedom in (12.5, 25, 80):
        for probability in (0.9, 0.975, 0.995):
            expected = student.ppf(probability, freedom)
            assert _student(probability, freedom) == pytest.approx(expected, rel=2e-4)


def test_many_draws_come_in_chunks(pair, monkeypatch):
    whole = lw.bootstrap(*pair, "cka", n=10)
    limit = property(lambda self: 3 * sum(a.nbytes for a in pair))
    for library in (Library, DeviceLibrary):
        monkeypatch.setattr(library, "block_bytes", limit)
    parts = lw.bootstrap(*pair, "cka", n=10)
    np.testing.assert_allclose(whole.draws, parts.draws, atol=1e-12)


def test_degenerate_draws_are_left_out_of_the_summary():
    x = np.zeros((60, 1))
    x[0] = 1
    y = np.arange(60.0)[:, None]
    result = lw.bootstrap(x, y, "cka", n=200)
    assert 0 < np.isnan(result.draws).sum() < 200
    assert np.isnan(result.standard_error)  # one half is always constant
    x[:9] = 1
    result = lw.bootstrap(x, y, "cka", n=200)
    assert np.isfinite([result.standard_error, result.low, result.high]).all()


def test_constant_representation_gives_nan_p_value():
    with pytest.warns(lw.DegenerateWarning) as seen:
        result = lw.permutation_test(np.ones((20, 2)), np.eye(20, 2), "cka", n=10)
    assert len(seen) == 1
    assert np.isnan(result.score)
    assert np.isnan(result.p_value)


def test_torch_in_torch_out(pair):
    torch = pytest.importorskip("torch")
    result = lw.permutation_test(*map(torch.from_numpy, pair), "cka", n=5)
    assert isinstance(result.score, torch.Tensor)
    assert isinstance(result.null, torch.Tensor)


def test_bad_input_is_named(pair):
    x, y = pair
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        lw.permutation_test(x, y, n=0)
    with pytest.raises(ValueError, match="n must be at least 8, got 7"):
        lw.bootstrap(x, y, n=7)
    with pytest.raises(ValueError, match="level must be between 0 and 1, got 95"):
        lw.bootstrap(x, y, level=95)
    with pytest.raises(ValueError, match="at least 50 samples for procrustes, got 40"):
        lw.bootstrap(x[:40], y[:40])
    with pytest.raises(ValueError, match="at least 100 samples for linear_predictivity, got 80"):
        lw.bootstrap(x, y, "linear_predictivity")
    with pytest.raises(ValueError, match="at least 120 samples for linear_predictivity, got 80"):
        lw.bootstrap(x, y, "linear_predictivity", cv=30)
    with pytest.raises(ValueError, match="must be 2-D"):
        lw.bootstrap(x[None], y, n=8)
    with pytest.raises(ValueError, match="same number of samples"):
        lw.permutation_test(x, y[:-1])


def test_results_print_summaries_of_their_draws(pair):
    test = lw.permutation_test(*pair, "cka", n=5)
    summary = f"null={test.null.mean():.4g} ± {test.null.std():.4g} over 5 shuffles"
    assert summary in repr(test)
    spread = lw.bootstrap(*pair, "cka", n=9)
    assert f"low={spread.low:.4g}" in repr(spread)
    assert "over 9 draws" in repr(spread)
