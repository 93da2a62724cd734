"""Streams: the same scores as of all samples at once, in any order of batches and merges."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest
from reference import regression
from variants import related

import likewise as lw

pytestmark = [
    pytest.mark.device,
    pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning"),
]

STREAMED = [
    ("cka", {}),
    ("cka", {"estimator": "unbiased"}),
    ("hsic", {}),
    ("hsic", {"estimator": "unbiased"}),
    ("procrustes", {"score": "similarity"}),
    ("procrustes", {"score": "angular"}),
    ("procrustes", {"score": "euclidean", "scale": False}),
    ("procrustes", {"score": "similarity", "center": False}),
    ("shape_distance", {"alpha": 0.3}),
    ("shape_distance", {"alpha": 0.0, "score": "euclidean"}),
    ("shape_distance", {"alpha": 0.6, "score": "euclidean", "scale": False}),
    ("cca", {}),
    ("cca", {"regularization": 0.1}),
    ("svcca", {"variance": 0.8}),
    ("pwcca", {}),
]
every_stream = pytest.mark.parametrize(
    ("name", "options"), STREAMED, ids=lambda part: part if isinstance(part, str) else str(part)
)


def items(n=200, widths=(6, 9, 4, 9)):
    return related(n, *widths)


def batches(arrays, sizes):
    edges = np.cumsum([0, *sizes])
    assert edges[-1] == len(arrays[0])
    return [[array[first:last] for array in arrays] for first, last in itertools.pairwise(edges)]


def in_turns(x, y, cv=5, alphas=None):
    """Correlations (cv, targets) of linear predictivity whose folds take samples in turns."""
    fold = np.arange(len(x)) % cv
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(cv)]
    return regression.linear_predictivity(x, y, alphas, splits=splits)[0]


@every_stream
def test_streams_of_two_sides_give_what_all_samples_give(name, options):
    arrays = items()
    crossed = lw.scale.Accumulator(name, **options)
    for batch in batches(arrays, [120, 80]):
        crossed.update(batch[:2], batch[2:])
    expected = lw.cross(arrays[:2], arrays[2:], name, **options)
    np.testing.assert_allclose(crossed.compute(), expected, rtol=0, atol=1e-10)


def test_every_streamable_measure_is_tested_here():
    streamable = {name for name in lw.measures() if lw.measure(name).streamable}
    assert streamable == {name for name, _ in STREAMED} | {"linear_predictivity"}


@pytest.mark.parametrize("alphas", [None, (0.1, 1.0, 30.0)])
@pytest.mark.parametrize("crossed", [False, True])
@pytest.mark.filterwarnings("ignore::likewise.GridEdgeWarning")
def test_predictivity_streams_with_samples_in_turns(alphas, crossed):
    arrays = items(n=103)
    stream = lw.scale.Accumulator("linear_predictivity", alphas=alphas, cv=4)
    for batch in batches(arrays, [50, 2, 51]):
        stream.update(*([batch[:2], batch[2:]] if crossed else [batch]))
    expected = [[in_turns(x, y, 4, alphas).mean() for y in arrays] for x in arrays]
    expected = np.array(expected)[:2, 2:] if crossed else np.array(expected)
    np.testing.assert_allclose(stream.compute(), expected, rtol=0, atol=1e-8)


def test_a_target_that_is_constant_in_one_fold_scores_zero_there():
    x, y = items(n=100)[:2]
    y[1::5, 0] = 0.1  # whose sums leave a variance of rounding
    y[3::5, 2] = 7.7
    stream = lw.scale.Accumulator("linear_predictivity")
    stream.update([x], [y])
    with np.errstate(all="ignore"):  # the oracle divides by the variance
        r = in_turns(x, y)
    r[1, 0] = r[3, 2] = 0
    np.testing.assert_allclose(stream.compute()[0, 0], r.mean(), rtol=0, atol=1e-10)


def test_states_are_plain_arrays_that_new_accumulators_take_and_merge():
    arrays = dict(zip("abcd", items(), strict=True))
    workers = []
    for rows in (slice(0, 80), slice(80, 200)):
        worker = lw.scale.Accumulator("cca")
        worker.update({label: array[rows].astype(np.float32) for label, array in arrays.items()})
        workers.append(worker)
    states = [worker.state for worker in workers]
    assert all(type(a) is np.ndarray for state in states for a in state.values())
    kinds = {array.dtype for state in states for array in state.values()}
    assert kinds == {np.dtype(np.float64), np.dtype(np.int64)}
    copies = [lw.scale.Accumulator("cca") for _ in workers]
    for copy, state in zip(copies, states, strict=True):
        copy.state = state
    copies[1].state = copies[1].state
    expected = lw.pairwise([a.astype(np.float32).astype(float) for a in arrays.values()], "cca")
    copies[1].merge(copies[0])
    np.testing.assert_allclose(copies[1].compute(), expected, rtol=0, atol=1e-12)
    workers[0].merge(copies[1])  # whose items have no labels
    assert workers[0].compute().rows == tuple("abcd")
    copies[0].update({label: array[80:].astype(np.float32) for label, array in arrays.items()})
    assert copies[0].compute().rows == tuple("abcd")
    np.testing.assert_allclose(np.asarray(copies[0].compute()), expected, rtol=0, atol=1e-6)
    states[1]["0/cross"][:] = 0  # a copy, not the accumulator's own
    assert workers[1].state["0/cross"].any()


@pytest.mark.parametrize(
    "stream",
    [
        lw.scale.Accumulator("linear_predictivity", cv=3),
        lw.scale.MinibatchCKA(),
        lw.scale.UnitAccumulator(),
        lw.scale.UnitAccumulator("mutual_information", bins=4),
    ],
    ids=lambda stream: str(stream._settings()),
)
def test_every_stream_goes_on_from_its_state(stream):
    stream = pickle.loads(pickle.dumps(stream))
    fresh = pickle.loads(pickle.dumps(stream))
    fresh.state = stream.state  # of nothing
    x, y = items()[:2]
    sides = (x, y) if isinstance(stream, lw.scale.UnitAccumulator) else ([x], [y])
    half = [[s[0][:77]] if type(s) is list else s[:77] for s in sides]
    stream.update(*half)
    fresh.state = stream.state
    for part in (stream, fresh):
        part.update(*[[s[0][77:]] if type(s) is list else s[77:] for s in sides])
    assert stream.state.keys() == fresh.state.keys()
    for name, array in stream.state.items():
        np.testing.assert_array_equal(fresh.state[name], array)
    np.testing.assert_array_equal(fresh.compute(), stream.compute())


def test_states_of_other_arrays_are_refused():
    stream = lw.scale.Accumulator("cka")
    stream.update(items())
    plain = {"0/cross": stream.state["0/cross"]}  # what version 0.1 kept
    for other in (stream, lw.scale.Accumulator("cka")):
        with pytest.raises(ValueError, match=r"plain sums of version 0\.1, which lack their shift"):
            other.state = plain
    with pytest.raises(ValueError, match="a state must have the arrays of this accumulator"):
        stream.state = {}
    with pytest.raises(ValueError, match="a state must have the arrays of this accumulator"):
        lw.scale.Accumulator("linear_predictivity").state = stream.state
    crossed = lw.scale.Accumulator("cka")
    crossed.update(items(), items())
    with pytest.raises(ValueError, match="a state must have the arrays of this accumulator"):
        stream.state = crossed.state
    fresh = lw.scale.Accumulator("cka")
    fresh.state = crossed.state
    with pytest.raises(ValueError, match="labels and widths"):
        fresh.update(items())


def test_labels_may_come_in_any_order():
    arrays = dict(zip("abc", items(widths=(5, 5, 5)), strict=True))
    stream = lw.scale.Accumulator("cka")
    stream.update({label: arrays[label][:90] for label in "abc"})
    stream.update({label: arrays[label][90:] for label in "cab"})
    expected = lw.pairwise(arrays, "cka")
    np.testing.assert_allclose(stream.compute(), expected, rtol=0, atol=1e-12)


def test_empty_batches_add_nothing():
    for stream in (lw.scale.Accumulator("cka"), lw.scale.UnitAccumulator()):
        x, y = items()[:2]
        unit = isinstance(stream, lw.scale.UnitAccumulator)
        for rows in (slice(0, 0), slice(0, 90), slice(90, 90), slice(90, 200)):
            stream.update(*((x[rows], y[rows]) if unit else ([x[rows]], [y[rows]])))
        expected = lw.unit_similarity(x, y) if unit else lw.cka(x, y)
        np.testing.assert_allclose(stream.compute(), expected, rtol=0, atol=1e-12)


def test_labels_library_and_dtype_are_kept():
    stream = lw.scale.Accumulator("cka")
    named = dict(zip("abcd", items(), strict=True))
    for rows in (slice(0, 90), slice(90, 200)):
        stream.update({label: array[rows] for label, array in named.items()})
    grid = stream.compute()
    assert (grid.rows, grid.measure) == (tuple("abcd"), "cka")
    assert grid["a", "c"] == pytest.approx(lw.cka(named["a"], named["c"]), abs=1e-12)
    torch = pytest.importorskip("torch")
    stream = lw.scale.Accumulator("procrustes")
    stream.update([torch.tensor(array, dtype=torch.float32) for array in items()])
    assert stream.compute().dtype == torch.float32


def test_dead_and_repeated_units_do_not_matter():
    arrays = items()
    x = np.hstack([arrays[0], np.full((200, 1), 0.1), arrays[0][:, :2] + arrays[0][:, 2:4]])
    for name in ("cca", "cka", "procrustes", "linear_predictivity"):
        stream = lw.scale.Accumulator(name)
        for batch in batches([x, arrays[1]], [150, 50]):
            stream.update(batch)
        with pytest.warns(lw.DegenerateWarning, match="1 constant unit "):
            found = stream.compute()[0, 1]
        if name == "linear_predictivity":
            expected = in_turns(np.delete(x, 6, axis=1), arrays[1]).mean()
        else:
            with pytest.warns(lw.DegenerateWarning):
                expected = lw.measure(name)(x, arrays[1])
        assert found == pytest.approx(expected, abs=1e-8), name


@every_stream
def test_constant_representations_score_nan(name, options):
    arrays = [*items()[:2], np.full((200, 3), 0.1)]
    stream = lw.scale.Accumulator(name, **options)
    for batch in batches(arrays, [150, 50]):
        stream.update(batch)
    if options.get("center", True):
        with pytest.warns(lw.DegenerateWarning, match="1 constant representation"):
            found = stream.compute()
        assert np.isnan(found[2]).all()
        assert np.isnan(found[:, 2]).all()
        assert np.isfinite(found[:2, :2]).all()


def test_minibatch_cka_is_a_ratio_of_sums_over_batches():
    arrays = items()
    stream = lw.scale.MinibatchCKA()
    crossed = lw.scale.MinibatchCKA()
    products = 0
    for batch in batches(arrays, [50, 100, 50]):
        stream.update(batch)
        crossed.update(batch[:2], batch[2:])
        products = products + lw.pairwise(batch, "hsic", estimator="unbiased")
    expected = products / np.sqrt(np.outer(np.diag(products), np.diag(products)))
    np.testing.assert_allclose(stream.compute(), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(crossed.compute(), expected[:2, 2:], rtol=0, atol=1e-12)
    np.testing.assert_allclose(stream.compute_hsic(), products / 3, rtol=0, atol=1e-12)
    np.testing.assert_allclose(crossed.compute_hsic(), products[:2, 2:] / 3, rtol=0, atol=1e-12)
    halves = [lw.scale.MinibatchCKA() for _ in range(2)]
    for number, batch in enumerate(batches(arrays, [50, 100, 50])):
        halves[number > 0].update(batch)
    halves[0].merge(halves[1])
    np.testing.assert_allclose(halves[0].compute_hsic(), products / 3, rtol=0, atol=1e-12)
    exact = lw.pairwise(arrays, "cka", estimator="unbiased")
    assert np.abs(expected - exact).max() > 1e-4  # another estimand
    rbf = lw.scale.MinibatchCKA("rbf", bandwidth=3.0)
    rbf.update(dict(zip("abcd", arrays, strict=True)))
    whole = lw.pairwise(arrays, "cka", kernel="rbf", bandwidth=3.0, estimator="unbiased")
    np.testing.assert_allclose(np.asarray(rbf.compute()), whole, rtol=0, atol=1e-10)
    with pytest.raises(ValueError, match="batches of at least 4 samples, got 3"):
        stream.update([array[:3] for array in arrays])


def test_mutual_information_streams_in_the_bins_of_the_first_batch():
    x, y = (np.maximum(array, 0) for array in items(n=600)[:2])
    first = lw.scale.UnitAccumulator("mutual_information", bins=8)
    first.update(x, y)
    expected = lw.unit_similarity(x, y, similarity="mutual_information", bins=8)
    np.testing.assert_allclose(first.compute(), expected, rtol=0, atol=1e-12)
    # Batches that repeat the first: the same histogram, a quarter of the bias.
    again = pickle.loads(pickle.dumps(first))
    for rows in (slice(0, 250), slice(250, 600)):
        again.update(x[rows], y[rows])
    again.merge(first)
    plain = lw.unit_similarity(x, y, similarity="mutual_information", bins=8, bias_correction=False)
    bias = plain - expected
    np.testing.assert_allclose(again.compute(), plain - bias / 3, rtol=0, atol=1e-12)
    empty = lw.scale.UnitAccumulator("mutual_information", bins=8)
    empty.merge(first)  # takes over its bins
    copy = pickle.loads(pickle.dumps(first))
    for stream in (empty, copy):
        stream.update(x[:300], y[:300])
    np.testing.assert_array_equal(empty.compute(), copy.compute())
    other = lw.scale.UnitAccumulator("mutual_information", bins=8)
    other.update(x[:300], y[:300])
    with pytest.raises(ValueError, match="bins of different first batches do not merge"):
        other.merge(first)


def test_reset_forgets():
    stream = lw.scale.Accumulator("cka")
    stream.update(items())
    stream.reset()
    with pytest.raises(ValueError, match="no samples were seen"):
        stream.compute()
    stream.update(items(widths=(3, 2)))
    assert stream.compute().shape == (2, 2)


def test_what_cannot_be_streamed_is_refused():
    for name, options in (("rsa", {}), ("cka", {"kernel": "rbf"}), ("permutation_match", {})):
        with pytest.raises(ValueError, match=f"Accumulator: {name} with these options is no func"):
            lw.scale.Accumulator(name, **options)


def test_other_items_and_measures_do_not_mix():
    stream = lw.scale.Accumulator("cka")
    stream.update(items())
    with pytest.raises(ValueError, match="must have the labels and widths of the first batch"):
        stream.update(items(widths=(6, 9, 4, 8)))
    with pytest.raises(ValueError, match="labels and widths"):
        stream.update(items(), items())
    with pytest.raises(ValueError, match="only accumulators of the same measure and options"):
        stream.merge(lw.scale.Accumulator("cka", estimator="unbiased"))
    other = lw.scale.Accumulator("cka")
    other.update(items(widths=(3, 2)))
    with pytest.raises(ValueError, match="labels and widths"):
        stream.merge(other)
    with pytest.raises(ValueError, match="a state must have the arrays of this accumulator"):
        stream.state = other.state
    with pytest.raises(ValueError, match="must be finite"):
        stream.update([np.full((5, d), np.nan) for d in (6, 9, 4, 9)])
    with pytest.raises(ValueError, match="at least one item"):
        lw.scale.Accumulator("cka").update([])
    few = lw.scale.Accumulator("cka", estimator="unbiased")
    few.update([array[:3] for array in items()])
    with pytest.raises(ValueError, match="needs at least 4 samples, got 3"):
        few.compute()
    with pytest.raises(ValueError, match="similarity must be"):
        lw.scale.UnitAccumulator("cosine")
    with pytest.raises(ValueError, match="bins must be between 3 and 256"):
        lw.scale.UnitAccumulator("mutual_information", bins=2)


@pytest.mark.parametrize(("dtype", "size"), [("f4", 2.0**60), ("f8", 2.0**300)])
def test_scores_beyond_their_type_are_infinite_and_said(dtype, size):
    rng = np.random.default_rng(0)
    items = [(size * rng.standard_normal((12, d))).astype(dtype) for d in (3, 4)]
    for estimator in ("biased", "unbiased"):
        stream = lw.scale.Accumulator("hsic", estimator=estimator)
        stream.update(items)
        with pytest.warns(lw.OverflowWarning):
            found = stream.compute()
        with pytest.warns(lw.OverflowWarning):
            expected = lw.pairwise(items, "hsic", estimator=estimator)
        assert np.isinf(found).all()
        np.testing.assert_array_equal(found, expected)
    batches = lw.scale.MinibatchCKA()
    batches.update(items)
    with pytest.warns(lw.OverflowWarning):
        assert np.isinf(batches.compute_hsic()).all()
