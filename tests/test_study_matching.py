"""The matching study: its streams, partners, groups, sparse maps, averages and report."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

import numpy as np
import pytest
from made_up import assert_findings_follow

import likewise as lw

pytest.importorskip("studies_extra")

import torch

from likewise.studies import matching
from likewise.studies.digits import HELD_OUT, Digits, digits
from likewise.studies.matching import groups as groups_
from likewise.studies.matching import networks, pictures, streaming
from likewise.studies.matching.averaging import averages
from likewise.studies.matching.experiment import trained
from likewise.studies.matching.networks import LAYERS, RECORDED, UNITS
from likewise.studies.matching.partners import partners
from likewise.studies.matching.report import findings
from likewise.studies.matching.sparse import TRIVIAL, knee, path
from likewise.studies.processes import one_thread
from likewise.studies.training import accuracy
from likewise.torch import record

SMALL = replace(matching.Settings.quick(), epochs=15)


@pytest.fixture(scope="module", autouse=True)
def one_thread_of_everything():
    """Matrices this small are many times slower on more."""
    with one_thread():
        yield


@pytest.fixture(scope="module")
def result():
    return matching.run(SMALL)


@pytest.fixture(scope="module")
def pair():
    """Two networks before training, and the images that probe them."""
    return [networks.untrained(SMALL, k) for k in range(2)], digits(0)[1].images


@pytest.fixture(scope="module")
def whole(pair):
    """Activations of all layers of both networks on the whole probe, in float64."""
    recorded = [
        record(one, pair[1], list(RECORDED.values()), reduce="positions") for one in pair[0]
    ]
    return {layer: [r[RECORDED[layer]].astype(np.float64) for r in recorded] for layer in LAYERS}


def test_streamed_correlations_are_those_of_all_samples(pair, whole):
    streamed = streaming.stream(*pair, replace(SMALL, probe_batch=100))
    for layer in LAYERS:
        x, y = whole[layer]
        units = UNITS[layer]
        with np.errstate(invalid="ignore"):  # constant units
            both = np.nan_to_num(np.corrcoef(x.T, y.T))
        found = streamed[layer]
        assert len(x) == HELD_OUT * {"conv1": 64, "conv2": 64, "conv3": 16}.get(layer, 1)
        np.testing.assert_allclose(found.pairs[0, 1].correlation, both[:units, units:], atol=1e-10)
        np.testing.assert_allclose(found.within[0], both[:units, :units], atol=1e-10)
        np.testing.assert_allclose(found.within[1], both[units:, units:], atol=1e-10)
        for k, side in enumerate((x, y)):
            statistics = lw.unit_statistics(side)
            np.testing.assert_allclose(found.means[k], statistics.mean, atol=1e-10)
            np.testing.assert_allclose(found.active[k], statistics.active, atol=1e-12)
        # Untrained networks with a few dead units: only those without variance or activity are.
        np.testing.assert_array_equal(found.alive[0], lw.unit_statistics(x).active >= SMALL.dead)


def test_controls_are_correlations_with_other_samples(pair, whole):
    settings = replace(SMALL, probe_batch=HELD_OUT, seed=3)
    found = streaming.stream(*pair, settings)["conv1"]
    generator = np.random.default_rng(3)
    x, y = whole["conv1"]
    anywhere, images = (streaming.derangement(generator, n) for n in (len(x), HELD_OUT))
    elsewhere = y.reshape(HELD_OUT, 64, 16)[images].reshape(-1, 16)
    for name, other in (("shuffled", y[anywhere]), ("same_position", elsewhere)):
        living = np.ix_(*found.alive)
        expected = np.corrcoef(x[:, found.alive[0]].T, other[:, found.alive[1]].T)
        units = found.alive[0].sum()
        values = getattr(found.pairs[0, 1], name)[living]
        np.testing.assert_allclose(values, expected[:units, units:], atol=1e-10)
    information = found.pairs[0, 1].shuffled_information
    assert np.abs(information).max() < 0.01
    assert found.pairs[0, 1].information.max() > 0.1


@pytest.mark.filterwarnings("ignore::likewise.DegenerateWarning")
def test_streamed_information_in_one_batch_is_that_of_all_samples(pair, whole):
    streamed = streaming.stream(*pair, replace(SMALL, probe_batch=HELD_OUT))
    for layer in LAYERS:
        information = lw.unit_similarity(*whole[layer], similarity="mutual_information")
        found = streamed[layer].pairs[0, 1].information
        np.testing.assert_allclose(found, information, atol=1e-10)


def test_the_strongest_images_and_their_positions(pair, whole):
    streamed = streaming.stream(*pair, replace(SMALL, probe_batch=100, tops=7))
    for layer in ("conv1", "conv3", "logits"):
        maps = whole[layer][1].reshape(HELD_OUT, -1, UNITS[layer])
        peaks = maps.max(axis=1)
        tops = streamed[layer].tops[1]
        assert tops.images.shape == (7, UNITS[layer])
        np.testing.assert_array_equal(tops.values, -np.sort(-peaks, axis=0)[:7])
        unit = np.arange(UNITS[layer])
        np.testing.assert_array_equal(maps[tops.images, tops.positions, unit], tops.values)


def test_in_a_derangement_nothing_keeps_its_place():
    generator = np.random.default_rng(0)
    for count in (2, 3, 50):
        order = streaming.derangement(generator, count)
        assert sorted(order) == list(range(count))
        assert (order != np.arange(count)).all()


def strided_first():
    """Convolutions after one with a stride."""
    convolutions = OrderedDict(
        conv1=torch.nn.Conv2d(1, 4, 3, stride=2, padding=1),
        conv2=torch.nn.Conv2d(4, 4, 3, padding=1),
    )
    return torch.nn.Sequential(convolutions)


@pytest.mark.parametrize(
    ("network", "layer"),
    [
        *((networks.untrained(SMALL, 0), layer) for layer in ("conv1", "conv2", "conv3")),
        (strided_first(), "conv2"),
    ],
    ids=["conv1", "conv2", "conv3", "after a stride"],
)
def test_a_unit_sees_its_receptive_field_and_nothing_else(network, layer):
    seen = networks.receptive_field(network, layer)
    before_relu = network[: list(dict(network.named_children())).index(layer) + 1]
    side = 8 // seen.step
    image = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
    for position in (0, 1, side * side // 2, side * side - 1):
        # All channels: no single weight decides whether a pixel is seen.
        value = before_relu(image).flatten(2)[0, :, position].square().sum()
        (gradient,) = torch.autograd.grad(value, image)
        rows, columns = np.nonzero(gradient[0, 0].numpy())
        for found, place in zip((rows, columns), divmod(position, side), strict=True):
            start = seen.start + place * seen.step
            assert found.min() == max(start, 0)
            assert found.max() == min(start + seen.size, 8) - 1


def test_layers_that_see_the_whole_image_have_no_frame():
    network = networks.untrained(SMALL, 0)
    assert all(networks.receptive_field(network, layer) is None for layer in ("fc", "logits"))


def statistics_of(correlation, alive):
    """One layer of two networks from the correlations between them."""
    pair = streaming.PairStatistics(*[correlation] * 5)
    units = np.arange(len(correlation))
    return streaming.LayerStatistics(
        within=np.array([np.eye(len(correlation))] * 2),
        means=np.stack([units + 1.0, units + 1.0]),
        active=np.ones((2, len(correlation))),
        alive=np.array(alive),
        pairs={(0, 1): pair},
        tops=[],
    )


def test_partners_by_hand():
    correlation = np.array([[0.95, 0.9, 0], [0.92, 0.3, 0], [0.1, 0.4, 0.2]])
    pair = partners(statistics_of(correlation, np.ones((2, 3), bool)), (0, 1), SMALL)
    counts, found = pair.numbers(SMALL), pair.correlation
    assert (counts["living"], counts["matched"], counts["unmatched"]) == (3, 1, 1)
    np.testing.assert_array_equal(found.matching.greedy, [0, 0, 1])
    np.testing.assert_array_equal(found.matching.one_to_one, [1, 0, 2])
    assert found.greedy == pytest.approx((0.95 + 0.92 + 0.4) / 3)
    assert found.one_to_one == pytest.approx((0.9 + 0.92 + 0.2) / 3)
    assert found.same == pytest.approx(1 / 3)
    np.testing.assert_array_equal(found.ranked(), [1, 0, 2])


def test_likeness_inside_a_network_leaves_out_the_unit_itself():
    statistics = statistics_of(np.eye(3), [[True, True, True], [True, True, True]])
    statistics.within[0, 0, 1] = statistics.within[0, 1, 0] = 0.8
    assert partners(statistics, (0, 1), SMALL).inside == pytest.approx((0.8 + 0.8 + 0) / 3)


def test_best_pairs_that_mutual_information_makes_too():
    correlation = np.diag([0.9, 0.6, 0.8, 0.7])
    statistics = statistics_of(correlation, np.ones((2, 4), bool))
    other = replace(statistics.pairs[0, 1], information=np.eye(4)[[0, 1, 3, 2]])
    found = partners(
        replace(statistics, pairs={(0, 1): other}), (0, 1), replace(SMALL, best_pairs=2)
    )
    assert (found.kept, found.best) == (1, 2)


def test_dead_units_are_similar_to_nothing_and_out_of_all_means():
    correlation = np.full((3, 3), 0.9)
    np.fill_diagonal(correlation, 0.99)
    alive = np.array([[True, True, False], [True, False, True]])
    found = partners(statistics_of(correlation, alive), (0, 1), SMALL).correlation
    # Two living units of each: 0 keeps its partner, 1 loses its own, which is dead, to 2.
    assert len(found.similarity) == 2
    assert found.one_to_one == pytest.approx((0.99 + 0.9) / 2)
    spectrum, spread = statistics_of(correlation, alive).spectrum(1)
    np.testing.assert_array_equal(spectrum, [3, 1])
    assert spread == 3


def test_one_to_one_partners_are_less_alike_than_greedy_ones_and_far_above_shuffled(result):
    for layer in LAYERS:
        found = result.partners[layer][0, 1]
        for kind in ("correlation", "information"):
            one = getattr(found, kind)
            assert 0 < one.one_to_one <= one.greedy
            alive = one.alive
            difference = one.matching.greedy_similarity - one.matching.one_to_one_similarity
            assert (difference[alive] >= 0).all()
            assert 0 <= one.same <= 1
        assert found.shuffled.greedy < 0.15
        assert found.shuffled.one_to_one < 0.1
        assert found.correlation.one_to_one > found.shuffled.one_to_one + 0.3
        assert found.information.one_to_one > found.shuffled_information.one_to_one + 0.2
    logits = result.partners["logits"][0, 1].correlation
    np.testing.assert_array_equal(logits.matching.one_to_one, np.arange(10))
    assert logits.same == 1


def test_the_knee_by_hand():
    loss = np.array([0.5, 0.31, 0.14, 0.12, 0.1, 0.11])
    assert knee(loss, 0.1) == 2
    assert knee(loss, 0.05) == 3
    assert knee(loss, 0) == 4
    assert knee(loss, 1) == 0


def test_a_sum_of_two_units_needs_two_weights():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((500, 8))
    y = np.stack([x[:, 0] + x[:, 1], x[:, 2] - x[:, 3]], axis=1)
    found = path(x, y, SMALL)
    k = knee(found.loss, SMALL.knee)
    assert found.weights[k] == 2
    assert found.loss[0] == pytest.approx(TRIVIAL, abs=0.02)


def test_the_loss_is_held_out():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 15)), rng.standard_normal((40, 3))
    found = path(x, y, SMALL)
    assert found.loss[-1] > TRIVIAL
    assert found.weights[-1] > 10


def test_the_lasso_is_flat_while_weights_fall_and_jumps_at_the_end(result):
    for layer in LAYERS:
        _, weights = result.path_of(layer)
        bend = result.knee_of(layer)
        assert (np.diff(weights) > -0.5).all()
        assert bend.loss <= bend.least_loss + 0.1 * TRIVIAL
        assert bend.weights < 0.6 * bend.most_weights
        assert bend.trivial == pytest.approx(TRIVIAL, abs=0.02)
        assert weights[0] == 0
        assert bend.loss < 0.5 * TRIVIAL


def sizes(clusters):
    """Units of the first and of the second network in each group."""
    labels = sorted({*clusters.labels_x, *clusters.labels_y})
    return [((clusters.labels_x == k).sum(), (clusters.labels_y == k).sum()) for k in labels]


def test_groups_find_what_two_networks_share():
    rng = np.random.default_rng(0)
    sources = rng.standard_normal((400, 3))
    x, y = (sources[:, [0, 0, 0, 1, 1, 1, 2, 2, 2]] for _ in range(2))
    x, y = (side + 0.3 * rng.standard_normal(side.shape) for side in (x, y))
    settings = replace(SMALL, units_per_group=3)
    found = groups_.groups(x, y, settings)
    for clusters in (found.spectral, found.tree):
        assert clusters.shared == 3
        assert sizes(clusters) == [(3, 3)] * 3
        inside, outside = found.contrast(clusters)
        assert inside > 0.8
        assert outside < 0.15
    shuffled = y[streaming.derangement(rng, 400)]
    alone = groups_.groups(x, shuffled, replace(settings, units_per_group=1))
    assert alone.tree.shared == 0
    assert np.isnan(alone.contrast(alone.tree)[0])


def test_groups_of_the_networks_hold_units_of_both(result):
    for layer in LAYERS:
        place = LAYERS.index(layer)
        assert result.shared("spectral")[place] > 0.5
        # With edges inside the networks too, only likeness can mix them.
        mixed, shuffled = (result.shared("tree", shuffled=s)[place] for s in (False, True))
        assert mixed > shuffled + 0.3
        found = result.groups[layer][0, 1]
        for clusters in (found.spectral, found.tree):
            inside, outside = found.contrast(clusters)
            assert inside > outside + 0.1
        living = result.statistics[layer].alive.sum(axis=1)
        assert np.sum(sizes(found.tree), axis=0).tolist() == living.tolist()
        assert len(found.tree.tree) == living.sum() - 1


def test_a_network_with_its_units_in_another_order_is_matched_exactly():
    training, probe = digits(0)
    weights = networks.trained_weights(networks.Job(replace(SMALL, epochs=3), 0))
    first = networks.with_weights(SMALL, weights)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    second = networks.with_weights(SMALL, weights)
    with torch.no_grad():
        second.conv1.weight[:] = second.conv1.weight[order]
        second.conv1.bias[:] = second.conv1.bias[order]
        second.conv2.weight[:] = second.conv2.weight[:, order]
    few = Digits(probe.images[:300], probe.labels[:300])
    found = averages(first, second, training.images[:400], few, SMALL)
    own = accuracy(first, few)
    np.testing.assert_array_equal(found.line[1], own)
    np.testing.assert_array_equal(found.by_layer[1], own)
    assert found.middle[0] < own
    assert found.by_layer[0, 0] < own
    np.testing.assert_array_equal(found.by_layer[0, 2:], own)


def test_averages_are_better_after_matching(result):
    found = result.averages[0, 1]
    np.testing.assert_array_equal(found.line[:, 0], result.accuracies[0])
    np.testing.assert_array_equal(found.line[:, -1], result.accuracies[1])
    plain, matched = result.middle_of()
    assert matched > plain + 0.2
    assert found.by_layer[1].mean() > found.by_layer[0].mean()


def test_findings_follow_the_numbers(result):
    before = replace(result, partners=result.untrained, untrained=result.partners)
    mixed = replace(result, groups=result.shuffled_groups)
    assert_findings_follow(findings, result, before, mixed)
    verdicts = [findings(one)[0].verdict for one in (result, before)]
    assert verdicts[0] == "holds"
    assert verdicts[1] != "holds"
    worse = {k: replace(one, by_layer=one.by_layer[::-1]) for k, one in result.averages.items()}
    told, turned = (findings(one)[-2] for one in (result, replace(result, averages=worse)))
    assert (turned.number, turned.control) == (told.control, told.number)


def test_pictures_show_the_images_that_drive_the_units(result):
    for layer in LAYERS:
        shown = list(pictures.shown_pairs(result, layer))
        assert [pair.name for pair in shown] == [name for name, _ in pictures.RANKS]
        assert sorted((pair.r for pair in shown), reverse=True) == [pair.r for pair in shown]
        first, second = result.statistics[layer].tops
        for pair in shown:
            sides = first.images[:, pair.unit], second.images[:, pair.partner]
            assert pair.shared == len(set(sides[0].tolist()) & set(sides[1].tolist()))
            assert result.partners[layer][0, 1].correlation.matching.one_to_one[pair.unit] == (
                pair.partner
            )
    assert shown[0].shared > SMALL.tops / 2  # of the logits, where partners are surely the same
    (panel,) = pictures.units(result)
    mosaics = [trace for trace in panel.traces if trace["type"] == "heatmap"]
    assert [trace["meta"] for trace in mosaics] == list(range(len(LAYERS)))
    pixels = np.array(mosaics[-1]["z"], float)
    tops = result.statistics["logits"].tops
    for network, unit, left in ((0, shown[0].unit, 0), (1, shown[0].partner, 5 * 9 + 4)):
        first = result.probe[tops[network].images[0, unit], 0].numpy()
        np.testing.assert_allclose(pixels[:8, left : left + 8], first, atol=1e-3)
    frames = [t for t in panel.traces if t.get("mode") == "lines" and t["meta"] == 0]
    assert len(frames[0]["x"]) == len(pictures.RANKS) * 2 * SMALL.shown * 6


def test_processes_give_what_one_process_gives():
    settings = replace(SMALL, epochs=1)
    told = []
    several = trained(replace(settings, processes=2), told.append)
    assert sorted(told) == ["network 1 of 2 trained", "network 2 of 2 trained"]
    for here, there in zip(trained(settings, told.append), several, strict=True):
        for name, value in here.state_dict().items():
            assert torch.equal(value, there.state_dict()[name])
    assert not torch.equal(several[0].fc.weight, several[1].fc.weight)
