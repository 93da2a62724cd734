"""Groups of samples that are exchanged, or drawn, whole."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import likewise as lw
from likewise.measure.orders import Orders


def every_order(samples, admissible):
    orders = itertools.permutations(range(samples))
    return {order for order in orders if admissible(np.array(order))}


def test_whole_groups_take_each_others_place_keeping_the_order_of_their_samples():
    groups = np.array(["b", "a", "b", "c", "a", "c"])
    rows = {label: np.flatnonzero(groups == label) for label in groups}
    found = [
        tuple(map(int, order))
        for block in Orders(6, 6, 0, groups=groups).blocks()
        for order in block
    ]

    def admissible(order):
        return all(any(np.array_equal(order[a], b) for b in rows.values()) for a in rows.values())

    assert len(found) == 6
    assert set(found) == every_order(6, admissible)
    assert found[0] == tuple(range(6))
    sampled = Orders(6, 5, 0, groups=groups)
    assert not sampled.exact
    assert sampled.count == 5
    for order in np.concatenate(list(sampled.blocks())):
        assert admissible(order)


def test_samples_within_groups_of_any_sizes():
    groups = np.array([3, 1, 1, 3, 1, 2])
    given = Orders(6, 12, 0, groups=groups, within=True)
    found = [tuple(map(int, order)) for block in given.blocks(most_bytes=60) for order in block]
    assert given.exact
    assert len(found) == 12
    assert set(found) == every_order(6, lambda order: (groups[order] == groups).all())
    sampled = np.concatenate(list(Orders(6, 11, 0, groups=groups, within=True).blocks()))
    assert len(sampled) == 11
    assert all((groups[order] == groups).all() for order in sampled)


@pytest.mark.parametrize("name", ["cka", "procrustes", "rsa", "permutation_match"])
@pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")
def test_exact_p_values_are_those_of_all_admissible_orders(name):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 8, 3))
    groups = np.repeat([4, 9, 1, 7], 2)
    blocks = np.arange(8).reshape(4, 2)
    score = lw.measure(name)
    every = np.array(
        [score(x, y[blocks[list(p)].ravel()]) for p in itertools.permutations(range(4))]
    )
    sign = 1 if score.kind == "similarity" else -1
    found = lw.permutation_test(x, y, name, n=24, groups=groups)
    np.testing.assert_allclose(found.null, every, atol=1e-12)
    assert found.p_value == np.mean(sign * (every - every[0]) >= -1e-9)


def test_groups_of_one_and_one_group_are_the_ungrouped_test():
    x, y = np.random.default_rng(0).standard_normal((2, 30, 3))
    plain = lw.permutation_test(x, y, "cka", n=9).null
    alone = lw.permutation_test(x, y, "cka", n=9, groups=np.arange(30)[::-1]).null
    one = lw.permutation_test(x, y, "cka", n=9, groups=["all"] * 30, within=True).null
    np.testing.assert_array_equal(alone, plain)
    np.testing.assert_array_equal(one, plain)


def films(rng, groups, size, shared=0.0):
    """Frames that resemble their film; ``shared`` of what the films of both sides have."""
    z = rng.standard_normal((groups, 1, 3))
    sides = [shared * z + rng.standard_normal((groups, 1, 3)) for _ in range(2)]
    noisy = [side + 0.3 * rng.standard_normal((groups, size, 3)) for side in sides]
    return [side.reshape(-1, 3) for side in noisy]


def test_p_values_of_grouped_data_are_uniform_only_with_groups():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(12), 6)
    p, naive = [], []
    for k in range(150):
        x, y = films(rng, 12, 6)
        p.append(lw.permutation_test(x, y, "cka", n=19, random_state=k, groups=labels).p_value)
        naive.append(lw.permutation_test(x, y, "cka", n=19, random_state=k).p_value)
    # Uniform over 20 values: mean 0.525 with standard error 0.024, 0.05 +- 0.018 at the first.
    assert abs(np.mean(p) - 0.525) < 0.1
    assert np.mean(np.array(p) <= 0.05) < 0.12
    assert np.mean(np.array(naive) <= 0.05) > 0.5


def test_intervals_of_grouped_data_cover_only_with_groups():
    labels = np.repeat(np.arange(60), 4)
    rng = np.random.default_rng(0)
    truth = np.mean([lw.cka(*films(rng, 60, 4, 1.0)) for _ in range(3000)])
    inside, naive = [], []
    for k in range(200):
        x, y = films(rng, 60, 4, 1.0)
        for held, groups in ((inside, labels), (naive, None)):
            found = lw.bootstrap(x, y, "cka", n=60, random_state=k, groups=groups)
            held.append(found.low <= truth <= found.high)
    assert np.mean(inside) > 0.89  # 0.95 with a standard error of 0.016
    assert np.mean(naive) < 0.8


def test_subsets_hold_whole_groups():
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(np.arange(50), 3))
    blocks = np.stack([np.flatnonzero(labels == g) for g in dict.fromkeys(labels)])
    x, y = rng.standard_normal((2, 150, 4))
    found = lw.bootstrap(x, y, "cka", n=8, random_state=2, groups=labels)
    again = np.random.default_rng(2)
    drawn = [again.permutation(50)[:40] for _ in range(4)]
    for order in (again.permutation(50) for _ in range(2)):
        drawn += [order[:25], order[25:]]
    expected = [lw.cka(x[blocks[d].ravel()], y[blocks[d].ravel()]) for d in drawn]
    np.testing.assert_allclose(found.draws, expected, atol=1e-12)


def test_what_cannot_be_exchanged_is_refused():
    x, y = np.random.default_rng(0).standard_normal((2, 120, 3))
    uneven = np.minimum(np.arange(120) // 2, 50)
    for function in (lw.permutation_test, lw.bootstrap):
        with pytest.raises(ValueError, match=f"{function.__name__}: groups must have equal sizes"):
            function(x, y, "cka", groups=uneven)
        with pytest.raises(ValueError, match="one label for each of the 120 samples, got shape"):
            function(x, y, "cka", groups=uneven[:-1])
        with pytest.raises(ValueError, match="at least 2, all samples are in one"):
            function(x, y, "cka", groups=np.zeros(120))
        with pytest.raises(ValueError, match="got NaN for sample 0"):
            function(x, y, "cka", groups=np.full(120, np.nan))
        with pytest.raises(ValueError, match="kept whole by the folds of linear_predictivity"):
            function(x, y, "linear_predictivity", groups=np.arange(120))
    with pytest.raises(ValueError, match="within=True needs groups"):
        lw.permutation_test(x, y, "cka", within=True)
    with pytest.raises(ValueError, match="got groups of one"):
        lw.permutation_test(x, y, "cka", groups=np.arange(120), within=True)
    with pytest.raises(ValueError, match="at least 50 groups for cka, got 40"):
        lw.bootstrap(x, y, "cka", groups=np.repeat(np.arange(40), 3))
    mixed = lw.permutation_test(x, y, "cka", n=3, groups=np.array(["a", 1] * 60, object))
    assert len(mixed.null) == math.factorial(2)
