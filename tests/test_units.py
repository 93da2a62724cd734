"""Single units across networks: similarity, partners, groups and activity."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from reference import information

import likewise as lw

pytestmark = pytest.mark.device

# On devices groups are found on the CPU, and say so.


def networks(n=400, shared=5, seed=0):
    """Rectified units of two networks: `shared` alike ones (shuffled in the second), and others."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((n, shared))
    x = np.hstack([common, rng.standard_normal((n, 3))]) + 0.2 * rng.standard_normal(
        (n, shared + 3)
    )
    y = np.hstack([common, rng.standard_normal((n, 2))]) + 0.2 * rng.standard_normal(
        (n, shared + 2)
    )
    order = rng.permutation(shared + 2)
    return np.maximum(x, 0), np.maximum(y[:, order], 0), order


def test_rounding_makes_no_edges_between_units():
    """Every unit of x is orthogonal to every one of y, but for rounding."""
    rng = np.random.default_rng(0)
    q = np.linalg.qr(np.hstack([np.ones((12, 1)), rng.standard_normal((12, 6))]))[0][:, 1:]
    with pytest.raises(ValueError, match="the 0 units that vary"):
        lw.cluster_units(q[:, :3], q[:, 3:], 2, method="hierarchical")


def test_correlations_are_those_of_numpy():
    x, y, _ = networks()
    expected = np.corrcoef(x.T, y.T)[:8, 8:]
    np.testing.assert_allclose(lw.unit_similarity(x, y), expected, rtol=0, atol=1e-12)
    batch = lw.unit_similarity(x, np.stack([y, -y]))
    np.testing.assert_allclose(batch, np.stack([expected, -expected]), rtol=0, atol=1e-12)
    narrow = lw.unit_similarity(x.astype(np.float32), y.astype(np.float32))
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, expected, rtol=0, atol=1e-6)


def single_precision(kind):
    """Units that are hard to correlate in float32, seven and six."""
    rng = np.random.default_rng(5)
    common = rng.standard_normal((10_000, 7))
    x, y = (np.maximum(common + 0.3 * rng.standard_normal(common.shape) - 1, 0) for _ in range(2))
    if kind == "large means":
        x, y = x + 300, y - 1000
    if kind == "mixed scales":
        x, y = x * 10.0 ** np.arange(-30, 33, 10)[:7], y * 10.0 ** np.arange(30, -33, -10)[:7]
    return x.astype(np.float32), y[:, :6].astype(np.float32)


@pytest.mark.parametrize("kind", ["rectified", "large means", "mixed scales"])
def test_float32_units_correlate_as_float64_units_of_the_same_numbers(kind):
    x, y = single_precision(kind)
    x64, y64 = x.astype(np.float64), y.astype(np.float64)
    expected = np.corrcoef(x64.T, y64.T)[:7, 7:]
    found = lw.unit_similarity(x, y)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=2.0**-24 + 1e-12)
    tolerance = 260 * 2.0**-24 / 4  # as a rule less (see permutation_match); float32 sums: 1e-4
    for match in (
        lw.semi_match,
        lw.permutation_match,
        lw.soft_match,
        partial(lw.soft_match, mass=0.5),
    ):
        score = match(x64, y64).score
        assert match(x, y).score == pytest.approx(score, abs=tolerance)


@pytest.mark.parametrize("correct", [True, False])
@pytest.mark.parametrize("bins", [3, 10, 16])
def test_mutual_information_is_that_of_its_definition(bins, correct):
    x, y, _ = networks(n=301)
    y[:, 1] = np.round(y[:, 1])  # ties
    found = lw.unit_similarity(
        x, y, similarity="mutual_information", bins=bins, bias_correction=correct
    )
    expected = [[information.mutual_information(a, b, bins, correct) for b in y.T] for a in x.T]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("bins", [4, 256])
@pytest.mark.parametrize("batches", [1, 2, 3])  # NaN in the first, in the second, merged
def test_mutual_information_of_units_with_nan_is_nan(bins, batches):
    x, y, _ = networks(n=90)
    x[70, 2] = y[80, 0] = np.nan
    expected = np.zeros((8, 7), bool)
    expected[2] = expected[:, 0] = True

    def stream(*parts):
        found = lw.scale.UnitAccumulator("mutual_information", bins=bins)
        for rows in parts:
            found.update(x[rows], y[rows], check_finite=False)
        return found

    first, second = slice(0, 60), slice(60, 90)
    if batches == 1:
        options = {"similarity": "mutual_information", "bins": bins}
        found = lw.unit_similarity(x, y, check_finite=False, **options)
        batch = lw.unit_similarity(np.stack([x, x]), y, check_finite=False, **options)
        np.testing.assert_array_equal(np.isnan(batch[1]), expected)
        np.testing.assert_array_equal(np.isnan(stream(slice(0, 90)).compute()), expected)
    elif batches == 2:
        found = stream(first, second).compute()
    else:
        whole = stream(first)
        for _ in range(3):
            part = stream(first, second)
            whole.merge(part)
        found = whole.compute()
    np.testing.assert_array_equal(np.isnan(found), expected)


def test_mutual_information_of_a_unit_with_itself_is_its_entropy():
    x = np.random.default_rng(0).standard_normal((900, 2))
    found = lw.unit_similarity(x, x, similarity="mutual_information", bias_correction=False)
    np.testing.assert_allclose(np.diag(found), np.log(9), rtol=0, atol=1e-4)  # no zeros: 9 bins


def test_pitfall_zero_mass_has_its_own_bin():
    rng = np.random.default_rng(0)
    gate = rng.random(2000) < 0.5  # silent together, unrelated where active
    x, y = (np.where(gate, 0, rng.random(2000) + 1)[:, None] for _ in range(2))
    found = lw.unit_similarity(x, y, similarity="mutual_information")[0, 0]
    assert found == pytest.approx(np.log(2), abs=0.02)


def test_pitfall_the_correction_has_the_unit_of_the_information():
    # Independent units: around 0 in nats; a correction in bits would leave a bias.
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 500, 30))
    corrected = lw.unit_similarity(x, y, similarity="mutual_information").mean()
    plain = lw.unit_similarity(x, y, similarity="mutual_information", bias_correction=False).mean()
    assert abs(corrected) < 0.01
    assert plain == pytest.approx(64 / 1000, abs=0.01)


@pytest.mark.parametrize("similarity", ["correlation", "mutual_information"])
def test_constant_units_are_zero_and_counted(similarity):
    x, y, _ = networks()
    expected = lw.unit_similarity(x, y, similarity=similarity)
    with pytest.warns(lw.DegenerateWarning, match="2 constant units"):
        found = lw.unit_similarity(
            np.insert(x, 1, 0.1, axis=1), np.insert(y, 0, 0, axis=1), similarity=similarity
        )
    assert (found[1] == 0).all()
    assert (found[:, 0] == 0).all()
    np.testing.assert_allclose(np.delete(found, 1, 0)[:, 1:], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("similarity", ["correlation", "mutual_information"])
def test_planted_partners_are_matched(similarity):
    x, y, order = networks()
    threshold = {"correlation": 0.5, "mutual_information": 0.3}[similarity]
    found = lw.match_units(lw.unit_similarity(x, y, similarity=similarity), threshold=threshold)
    for unit in range(5):
        assert order[found.one_to_one[unit]] == order[found.greedy[unit]] == unit
    assert (found.matched, found.unmatched) == (5, 3)
    assert found.threshold == threshold
    assert (found.one_to_one == -1).sum() == 1  # 8 units, 7 partners
    assert np.isnan(found.one_to_one_similarity).sum() == 1
    assert found.same_partner >= 5 / 8
    assert "5 matched and 3 unmatched" in repr(found)


def test_matchings_agree_with_those_of_representations():
    x, y, _ = networks()
    found = lw.match_units(lw.unit_similarity(x, y))
    assert found.greedy_similarity.mean() == pytest.approx(lw.semi_match(x, y).score)
    total = np.nansum(found.one_to_one_similarity)
    assert total / 7 == pytest.approx(lw.permutation_match(x, y).score)


@pytest.mark.parametrize(
    ("method", "library"), [("spectral", "sklearn"), ("hierarchical", "scipy")]
)
@pytest.mark.parametrize("edges", ["between", "all"])
def test_planted_groups_are_found(method, library, edges):
    pytest.importorskip(library)
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((500, 4))
    of_x, of_y = np.repeat(np.arange(4), 3), np.tile(np.arange(4), 2)
    x = latents[:, of_x] + 0.3 * rng.standard_normal((500, 12))
    y = -latents[:, of_y] + 0.3 * rng.standard_normal((500, 8))
    found = lw.cluster_units(x, y, 4, method=method, edges=edges)
    for side, truth in ((found.labels_x, of_x), (found.labels_y, of_y)):
        for group in range(4):
            assert len(set(side[truth == group])) == 1
    np.testing.assert_array_equal(found.labels_x[::3], found.labels_y[:4])
    assert found.shared == 4
    assert repr(found) == "UnitClusters(4 clusters, 4 with units of both networks)"
    assert (found.tree is None) == (method == "spectral")
    if method == "hierarchical":
        assert found.tree.shape == (19, 4)


def test_edges_inside_a_network_count_only_if_asked_for():
    pytest.importorskip("scipy")
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((400, 2)), rng.standard_normal((400, 2))
    x = np.hstack([x, x[:, :1] + 0.01 * rng.standard_normal((400, 1))])  # a unit and its twin
    lowest = {
        edges: lw.cluster_units(x, y, 2, method="hierarchical", edges=edges).tree[0, 2]
        for edges in ("between", "all")
    }
    assert lowest["all"] < 0.01
    assert lowest["between"] > 0.8


def test_units_without_similarity_have_no_group():
    pytest.importorskip("scipy")
    x, y, _ = networks()
    with pytest.warns(lw.DegenerateWarning, match="1 constant unit "):
        found = lw.cluster_units(np.insert(x, 2, 1.0, axis=1), y, 3, method="hierarchical")
    assert found.labels_x[2] == -1
    assert (np.delete(found.labels_x, 2) >= 0).all()
    assert (found.labels_y >= 0).all()


def test_statistics_are_those_of_numpy():
    x, _, _ = networks()
    found = lw.unit_statistics(np.stack([x, 2 * x]))
    np.testing.assert_allclose(found.mean[0], x.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(found.deviation[1], 2 * x.std(axis=0), rtol=1e-13)
    np.testing.assert_allclose(found.active[0], (x > 0).mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(found.spectrum[0], np.sort(x.mean(axis=0))[::-1], rtol=1e-13)
    assert found.spread[0] == pytest.approx(x.mean(axis=0).max() / x.mean(axis=0).min())
    assert np.isnan(lw.unit_statistics(np.zeros((5, 3))).spread)


@pytest.mark.parametrize("exponent", [-1060, -700, 0, 700, 1020])
def test_statistics_hold_at_every_scale(exponent):
    """Deviations of constant units are exactly 0."""
    x = np.random.default_rng(0).integers(-8, 8, (50, 5)).astype(float)
    x[:, 2] = 0.3
    expected = lw.unit_statistics(x)
    assert expected.deviation[2] == 0
    found = lw.unit_statistics(np.ldexp(x, exponent))
    atol = 5e-324 if exponent < -1000 else 0  # a last digit
    for part in ("mean", "deviation", "spectrum"):
        moved = np.ldexp(getattr(expected, part), exponent)
        np.testing.assert_allclose(getattr(found, part), moved, rtol=1e-15, atol=atol)
    assert found.deviation[2] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, y: lw.unit_similarity(x, y, similarity="cosine"), "similarity must be 'corr"),
        (lambda x, y: lw.unit_similarity(x, y, bins=2), "bins must be between 3 and 256, got 2"),
        (lambda x, y: lw.unit_similarity(x, y[:-1]), "same number of samples"),
        (lambda x, y: lw.match_units(x[0]), r"shape \(dx, dy\)"),
        (lambda x, y: lw.match_units([[np.nan]]), "must be finite"),
        (lambda x, y: lw.cluster_units(x, y, 1), "n_clusters must be between 2 and the 15 units"),
        (lambda x, y: lw.cluster_units(x, y, 3, method="kmeans"), "method must be one of"),
        (lambda x, y: lw.cluster_units(x, y, 3, edges="within"), "edges must be one of"),
        (lambda x, y: lw.cluster_units(x[None], y, 3), "x and y must be 2-D"),
        (lambda x, y: lw.unit_statistics(x[0]), "must have shape"),
    ],
)
def test_bad_input_is_named(call, message):
    x, y, _ = networks()
    with pytest.raises(ValueError, match=message):
        call(x, y)


def test_unknown_linkages_are_refused():
    pytest.importorskip("scipy")
    x, y, _ = networks()
    with pytest.raises(ValueError, match="linkage must be 'average'"):
        lw.cluster_units(x, y, 3, method="hierarchical", linkage="ward")
