"""What went wrong in other packages, one test each, named after what went wrong there."""

from __future__ import annotations

import resource
import sys

import numpy as np
import pytest
from reference import procrustes as shapes

import likewise as lw

pytestmark = [
    pytest.mark.device,
    pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning"),
]


def data(n=60, dx=6, dy=8, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 4))
    return tuple(z @ rng.standard_normal((4, d)) + rng.standard_normal((n, d)) for d in (dx, dy))


def rotation(d, seed=1):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]


# Kernel alignment


def test_a_biased_score_is_not_called_unbiased():
    x, y = np.random.default_rng(0).standard_normal((2, 50, 200))
    assert lw.cka(x, y) > 0.7
    assert abs(lw.cka(x, y, estimator="unbiased")) < 0.1
    assert lw.measure("cka").estimator == "biased"  # the choice is on the measure and its grids
    assert lw.pairwise({"x": x, "y": y}, "cka").options["estimator"] == "biased"


@pytest.mark.parametrize("estimator", ["biased", "unbiased"])
def test_numerator_and_denominator_of_one_estimator(estimator):
    x, _ = data()
    assert lw.cka(x, x @ rotation(6), estimator=estimator) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("estimator", ["biased", "unbiased"])
def test_the_root_of_the_denominator(estimator):
    x, y = data()
    both, own_x, own_y = (lw.hsic(a, b, estimator=estimator) for a, b in ((x, y), (x, x), (y, y)))
    expected = both / np.sqrt(own_x * own_y)
    assert lw.cka(x, y, estimator=estimator) == pytest.approx(expected, abs=1e-12)


def test_negative_unbiased_hsic_under_a_root():
    rng = np.random.default_rng(0)
    scores = [lw.cka(*rng.standard_normal((2, 30, 5)), estimator="unbiased") for _ in range(30)]
    assert np.isfinite(scores).all()
    assert min(scores) < 0


@pytest.mark.parametrize("scale", [1e-2, 1e-9, 1e9])
def test_an_absolute_epsilon(scale):
    x, y = data()
    for name in lw.measures():
        m = lw.measure(name)
        if "isotropic_scaling" in m.invariances:
            assert m(scale * x, y) == pytest.approx(m(x, y), rel=1e-7, abs=1e-9), name


def test_minibatch_scores_are_not_those_of_all_samples():
    x, y = data(n=200)
    exact, batched = lw.scale.Accumulator("cka", estimator="unbiased"), lw.scale.MinibatchCKA()
    for first in range(0, 200, 20):
        for stream in (exact, batched):
            stream.update([x[first : first + 20], y[first : first + 20]])
    whole = lw.cka(x, y, estimator="unbiased")
    assert exact.compute()[0, 1] == pytest.approx(whole, abs=1e-12)
    assert abs(batched.compute()[0, 1] - whole) > 1e-3


def test_the_last_small_batch():
    x, y = data(n=3)
    with pytest.raises(ValueError, match="at least 4 samples"):
        lw.cka(x, y, estimator="unbiased")
    with pytest.raises(ValueError, match="at least 4 samples"):
        lw.scale.MinibatchCKA().update([x, y])


def test_an_uncentred_gram_matrix_in_float32():
    x, y = data(n=200, dx=30, dy=30)
    expected = lw.cka(x, y, estimator="unbiased")
    shifted = [(side + 30).astype(np.float32) for side in (x, y)]
    assert lw.cka(*shifted, estimator="unbiased") == pytest.approx(expected, abs=2e-5)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads kilobytes")
@pytest.mark.host_only("measures memory of the CPU")
def test_sample_by_sample_matrices_of_narrow_items():
    items = np.random.default_rng(0).standard_normal((3, 40_000, 2))  # a matrix would take 12 GB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert np.isfinite(lw.pairwise(list(items), "cka", estimator="unbiased")).all()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000


# Shapes


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-6)])
def test_arccos_of_almost_one(dtype, tolerance):
    x, _ = data()
    angle = lw.procrustes(x.astype(dtype), (x @ rotation(6)).astype(dtype))
    assert angle <= (tolerance if dtype == np.float64 else 1e-6)


def test_alpha_between_zero_and_one_depends_on_the_scale_and_says_so():
    x, y = data()
    m = lw.measure("shape_distance", alpha=0.5)
    assert "isotropic_scaling" not in m.invariances
    slow = shapes.procrustes(shapes.whitened(x, 0.5), shapes.whitened(y, 0.5))
    assert m(x, y) == pytest.approx(slow, abs=1e-10)
    assert abs(m(10 * x, y) - m(x, y)) > 1e-4


def test_zero_padding_does_not_break_the_decomposition():
    x, y = data()
    padded = np.hstack([x, np.zeros((60, 40))])
    with pytest.warns(lw.DegenerateWarning, match="40 constant units"):
        assert lw.procrustes(padded, y) == pytest.approx(lw.procrustes(x, y), abs=1e-12)


def test_a_failure_is_no_perfect_score():
    x, y = data()
    y[3, 2] = np.nan
    for name in lw.measures():
        try:
            score = lw.measure(name)(x, y, check_finite=False)
        except (lw.ConvergenceError, ValueError):
            continue
        assert np.isnan(score), name


def test_similarity_or_distance():
    x, _ = data()
    for name in lw.measures():
        m = lw.measure(name)
        assert m.kind in ("similarity", "distance")
        own = m(x, x)
        assert own == pytest.approx(0, abs=1e-7) if m.kind == "distance" else own > 0
    assert lw.procrustes(x, x) < 1e-14


# Canonical correlations


def test_fewer_samples_than_units_look_perfect():
    x, y = np.random.default_rng(0).standard_normal((2, 30, 60))
    with pytest.warns(lw.SmallSampleWarning, match="30 samples for 60 units"):
        assert lw.cca(x, y) == pytest.approx(1, abs=1e-9)


def test_truncation_by_a_share_of_the_centred_variance():
    x, _ = data(n=200, dx=30)
    for scale in (1e-3, 1, 1e3):  # an absolute threshold would keep one component, or all
        assert lw.svcca(scale * x + 7, x) == pytest.approx(1, abs=1e-10)


def test_projection_weights_of_variates_not_of_coefficients():
    x, y = data()
    stretched = x * np.array([1e4, 1, 1, 1, 1, 1])  # coefficients shrink where variates do not
    assert lw.pwcca(stretched, y) != pytest.approx(lw.pwcca(x, y), abs=1e-3)
    assert lw.pwcca(x, y @ np.diag(np.arange(1.0, 9))) == pytest.approx(lw.pwcca(x, y), abs=1e-10)


def test_a_constant_unit_in_canonical_correlations():
    x, y = data()
    with pytest.warns(lw.DegenerateWarning):
        found = lw.cca(np.insert(x, 0, 4.0, axis=1), y)
    assert found == pytest.approx(lw.cca(x, y), abs=1e-12)


def test_canonical_correlations_of_uncentred_data():
    x, y = data()
    assert lw.cca(x + 5, y - 3) == pytest.approx(lw.cca(x, y), abs=1e-12)


# Kernels and dissimilarities


def test_which_median():
    x, y = data(n=8)
    distances = [lw.rdm(side, dissimilarity="euclidean") for side in (x, y)]
    sigma = np.median(distances[0])  # over pairs i < j, NumPy's median, no zero diagonal
    found = lw.hsic(x, x, kernel="rbf", bandwidth=("median", 1.0))
    assert found == pytest.approx(lw.hsic(x, x, kernel="rbf", bandwidth=sigma), rel=1e-12)


def test_squared_distances_by_products_in_float32():
    x, _ = data()
    far = (x + 100).astype(np.float32)
    exact = lw.rdm(far.astype(np.float64), dissimilarity="sqeuclidean")
    np.testing.assert_allclose(lw.rdm(far, dissimilarity="sqeuclidean"), exact, rtol=1e-5)


def test_euclidean_means_the_distance_itself():
    x, _ = data()
    distance = lw.rdm(x, dissimilarity="euclidean")
    np.testing.assert_allclose(distance[0], np.linalg.norm(x[0] - x[1]), rtol=1e-12)
    # rsatoolbox's "euclidean" is the square divided by the number of units.
    theirs = lw.rdm(x, dissimilarity="sqeuclidean") / x.shape[1]
    np.testing.assert_allclose(theirs, distance**2 / 6, rtol=1e-12)


def test_names_of_rank_correlations():
    p, q = np.array([1.0, 1, 2, 3, 3, 4]), np.array([2.0, 1, 1, 3, 4, 4])
    names = ("spearman", "rho-a", "tau-a", "tau-b")
    found = {name: lw.compare_rdms(p, q, comparison=name) for name in names}
    assert len({round(float(value), 6) for value in found.values()}) == 4  # ties tell them apart
    assert lw.compare_rdms(p, q, comparison="kendall") == found["tau-b"]


# Matching, transport and regression


def test_indices_of_tied_optima():
    cost = np.ones((5, 5))
    found = lw.assignment(cost)
    assert found.cost == 5
    np.testing.assert_array_equal(found.col_ind, np.arange(5))


def test_infeasible_and_infinite_costs():
    for cost, message in (
        ([[np.inf, np.inf], [1.0, 2.0]], "infeasible"),
        ([[np.nan, 1.0], [1.0, 2.0]], "invalid numeric"),
    ):
        with pytest.raises(ValueError, match=message):
            lw.linear_sum_assignment(np.array(cost))


def test_float32_masses_whose_sum_is_not_quite_one():
    cost = np.random.default_rng(0).random((30, 70)).astype(np.float32)
    a, b = (np.full(size, 1 / size, np.float32) for size in cost.shape)
    plan = lw.optimal_transport(cost, a, b)
    np.testing.assert_allclose(plan.sum(), 1, rtol=1e-5)


@pytest.mark.filterwarnings("ignore::likewise.DegenerateWarning")
def test_units_that_are_silent_in_one_split():
    pytest.importorskip("sklearn")
    x, y = data()
    order = np.random.RandomState(0).permutation(60)
    x[order[:12], 1] = 0  # in the first fold
    y[order[12:], 2] = 0  # in all others
    for cls in (lw.maps.SoftPermutation, lw.maps.Permutation, lw.maps.Ridge, lw.maps.Orthogonal):
        found = lw.maps.cross_validate(cls(), x, y)
        assert np.isfinite(found.per_fold).all()


@pytest.mark.filterwarnings("ignore::likewise.GridEdgeWarning")
def test_primal_and_dual_regression():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 10)), rng.standard_normal((40, 3))
    wide = np.hstack([x] * 30) / np.sqrt(30)  # the same kernel from 300 units
    alphas = (0.1, 1.0, 10.0)
    narrow = lw.linear_predictivity(x, y, alphas=alphas)
    np.testing.assert_allclose(
        lw.linear_predictivity(wide, y, alphas=alphas).per_fold, narrow.per_fold, rtol=0, atol=1e-9
    )


def test_an_epsilon_in_pearsons_correlation():
    x, y = data()
    expected = lw.linear_predictivity(x, y).per_target
    found = lw.linear_predictivity(x, 1e-9 * y).per_target
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_a_target_that_is_constant_in_one_fold():
    x, y = data()
    order = np.random.RandomState(0).permutation(60)
    y[order[:12], 0] = 1.5
    found = lw.linear_predictivity(x, y)
    assert found.per_fold[0, 0] == 0
    assert (found.per_fold[1:, 0] != 0).all()


# Engineering


def test_inputs_are_not_changed():
    x, y = data()
    before = x.copy(), y.copy()
    for name in lw.measures():
        lw.measure(name)(x, y)
        lw.pairwise([x, y], name)
    np.testing.assert_array_equal((x, y)[0], before[0])
    np.testing.assert_array_equal((x, y)[1], before[1])


def test_no_global_state():
    x, y = data()
    expected = lw.cka(x, y)
    with lw.num_threads(1):
        lw.cka(x.astype(np.float32), y.astype(np.float32), kernel="rbf")
    assert lw.cka(x, y) == expected
