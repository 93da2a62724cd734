"""Scores above chance of a whole grid of layers."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import likewise as lw

pytestmark = [
    pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning"),
]


def layers(n=30):
    """Two on each side; the second of ``a`` and the first of ``b`` share factors."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal((n, 3))
    a = [rng.standard_normal((n, 5)), z @ rng.standard_normal((3, 4))]
    b = [z @ rng.standard_normal((3, 6)), rng.standard_normal((n, 3)), rng.standard_normal((n, 2))]
    return a, b


def by_definition(a, b, score, n, alpha, aggregate):
    """As Groeger et al. write it, a loop over orders, layers and layers."""
    sign, best = (1, score.range[1]) if score.kind == "similarity" else (-1, -score.range[0])
    grid = sign * np.array([[float(score(x, y)) for y in b] for x in a])
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(b[0])) for _ in range(n)]
    null = sign * np.array([[[float(score(x, y[o])) for y in b] for x in a] for o in orders])
    rank = math.ceil((1 - alpha) * (n + 1)) - 1
    total = {
        "max": np.max,
        "mean": np.mean,
        "best_per_row": lambda grid: np.mean([max(row) for row in grid]),
    }
    t = np.sort(np.concatenate([null, grid[None]]), axis=0)[rank]
    above = np.maximum(grid - t, 0)
    if np.isfinite(best):
        above = above / (best - t)
    p = (1 + (null >= grid - 1e-9).sum(axis=0)) / (n + 1)
    of_max = sorted([grid.max(), *(draw.max() for draw in null)])[rank]
    whole, draws = total[aggregate](grid), np.array([total[aggregate](draw) for draw in null])
    p_whole = (1 + (draws >= whole - 1e-9).sum()) / (n + 1)
    return sign * grid, p, above, sign * of_max, (sign * whole, p_whole, sign * draws)


@pytest.mark.parametrize("aggregate", ["max", "mean", "best_per_row"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cka", {}),
        ("cka", {"estimator": "unbiased"}),
        ("hsic", {"kernel": "rbf"}),
        ("procrustes", {}),
        ("rsa", {}),
        ("mutual_knn", {"k": 4}),
        ("linear_predictivity", {}),
    ],
)
def test_every_number_is_that_of_the_definition(name, options, aggregate):
    a, b = layers()
    found = lw.calibrate(a, b, name, 19, 0.1, aggregate, **options)
    scores, p, above, threshold, whole = by_definition(
        a, b, lw.measure(name, **options), 19, 0.1, aggregate
    )
    np.testing.assert_allclose(found.scores, scores, atol=1e-10)
    np.testing.assert_array_equal(found.p_values, p)
    np.testing.assert_allclose(found.above_chance, above, atol=1e-9)
    assert found.threshold == pytest.approx(threshold, abs=1e-10)
    assert found.aggregate.score == pytest.approx(whole[0], abs=1e-10)
    assert found.aggregate.p_value == whole[1]
    np.testing.assert_allclose(found.aggregate.null, whole[2], atol=1e-10)


@pytest.mark.filterwarnings("ignore::likewise.DegenerateWarning")  # of three factors
@pytest.mark.parametrize("name", lw.measures())
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_p_values_are_those_of_the_permutation_test_of_each_pair(name, dtype):
    a, b = ([side.astype(dtype) for side in sides] for sides in layers())
    found = lw.calibrate(a, b, name, n=9, random_state=3)
    for i, j in itertools.product(range(2), range(3)):
        alone = lw.permutation_test(a[i], b[j], name, n=9, random_state=3)
        assert found.p_values[i, j] == alone.p_value
    assert found.scores.dtype == dtype


def test_a_collection_with_itself_leaves_out_the_diagonal():
    a, b = layers()
    items = dict(zip("pqrst", a + b, strict=True))
    found = lw.calibrate(items, n=19)
    np.testing.assert_array_equal(np.asarray(found.scores), np.asarray(lw.pairwise(items, "cka")))
    assert found.scores.rows == found.p_values.columns == found.above_chance.rows == tuple("pqrst")
    np.testing.assert_array_equal(np.asarray(found.p_values), np.asarray(found.p_values).T)
    off = np.asarray(found.scores)[~np.eye(5, dtype=bool)]
    assert found.aggregate.score == off.max() < 1
    assert found.above_chance["q", "r"] > 0.5
    one_sided = lw.calibrate(items, None, "linear_predictivity", n=4)
    alone = lw.permutation_test(items["t"], items["p"], "linear_predictivity", n=4)
    assert one_sided.p_values["t", "p"] == alone.p_value


def test_a_single_item_has_no_pairs_to_sum_up():
    a, _ = layers()
    found = lw.calibrate(a[:1], n=9)
    assert found.p_values[0, 0] == 0.1
    assert np.isnan([found.threshold, found.aggregate.score, found.aggregate.p_value]).all()


def test_one_draw_serves_all_layers_and_no_other_layer_changes_it():
    a, b = layers()
    whole = lw.calibrate(a, b, n=19)
    part = lw.calibrate(a[1:], b[:2], n=19)
    np.testing.assert_array_equal(np.asarray(part.p_values), np.asarray(whole.p_values)[1:, :2])
    same = lw.calibrate([a[0], a[0]], [b[0], b[0]], n=19)
    one = lw.calibrate(a[:1], b[:1], n=19)
    np.testing.assert_allclose(same.aggregate.null, one.aggregate.null, atol=1e-12)


def test_exact_where_orders_are_few():
    a, b = ([side[:4] for side in sides] for sides in layers())
    found = lw.calibrate(a, b, "cka", n=24, alpha=0.25)
    orders = list(itertools.permutations(range(4)))
    every = np.array([[[lw.cka(x, y[list(o)]) for y in b] for x in a] for o in orders])
    expected = np.mean(every >= every[0] - 1e-10, axis=0)
    np.testing.assert_allclose(np.asarray(found.p_values), expected)
    assert found.threshold == pytest.approx(np.sort(every.max(axis=(1, 2)))[17])


def test_groups_are_those_of_the_permutation_test():
    a, b = layers()
    for groups, within in ((np.repeat(np.arange(10), 3), False), (np.arange(30) % 4, True)):
        found = lw.calibrate(a, b, n=9, groups=groups, within=within)
        alone = lw.permutation_test(a[0], b[1], "cka", n=9, groups=groups, within=within)
        assert found.p_values[0, 1] == alone.p_value


def test_unrelated_layers_exceed_the_threshold_of_the_grid_as_often_as_alpha():
    beyond, of_pairs = [], []
    for k in range(120):
        rng = np.random.default_rng(k)
        a, b = rng.standard_normal((2, 4, 20, 3))
        found = lw.calibrate(a, b, n=19, alpha=0.1, random_state=k)
        beyond.append(np.asarray(found.scores).max() > found.threshold)
        of_pairs.append((np.asarray(found.above_chance) > 0).any())
    assert 0.02 < np.mean(beyond) < 0.2  # 0.1 with a standard error of 0.027
    assert np.mean(of_pairs) > 0.4  # 16 pairs, each at 0.1


def test_constant_layers_are_left_out():
    a, b = layers()
    with pytest.warns(lw.DegenerateWarning) as seen:
        found = lw.calibrate([*a, np.ones((30, 2))], b, n=9, aggregate="best_per_row")
    assert len(seen) == 1
    for part in found[:3]:
        assert np.isnan(part[2]).all()
        assert not np.isnan(part[:2]).any()
    alone = lw.calibrate(a, b, n=9, aggregate="best_per_row")
    assert found.aggregate.score == pytest.approx(alone.aggregate.score)
    assert found.threshold == pytest.approx(alone.threshold)


def test_tensors_come_back_as_tensors():
    torch = pytest.importorskip("torch")
    a, b = ([torch.from_numpy(side) for side in sides] for sides in layers())
    found = lw.calibrate(a, b, n=9)
    assert all(isinstance(part, torch.Tensor) for part in (*found[:3], found.aggregate.null))
    assert "over 9 shuffles" in repr(found)


def test_bad_input_is_named():
    a, b = layers()
    with pytest.raises(ValueError, match="calibrate: n must be at least 1, got 0"):
        lw.calibrate(a, b, n=0)
    with pytest.raises(ValueError, match="alpha must be between 0 and 1, got 5"):
        lw.calibrate(a, b, alpha=5)
    with pytest.raises(ValueError, match="'best_per_row', got 'min'"):
        lw.calibrate(a, b, aggregate="min")
    with pytest.raises(ValueError, match="at least one item on each side"):
        lw.calibrate(a, [])
    with pytest.raises(ValueError, match="same number of samples"):
        lw.calibrate(a, [side[:-1] for side in b])
    with pytest.raises(ValueError, match="calibrate: groups must have equal sizes"):
        lw.calibrate(a, b, groups=[0] * 29 + [1])
