"""The demo: what it trains, records, compares and reports."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pytest
from made_up import assert_findings_follow

import likewise as lw

pytest.importorskip("sklearn")
pytest.importorskip("rich")

from sklearn.neural_network import MLPClassifier

from likewise.report.style import number, short
from likewise.studies import demo
from likewise.studies.demo import report, training
from likewise.studies.demo.comparison import CKA_UNBIASED, PROCRUSTES, SCORES
from likewise.studies.demo.settings import (
    CLEAN,
    NOISE,
    PIXEL_SHUFFLE,
    ROTATION,
    Key,
    Network,
    State,
    Stream,
)

SMALL = demo.Settings(
    networks_per_width=2, widths=(16, 24), layers=2, steps=(0, 4, 200), held_out=150, shuffles=4
)
UNTRAINED, TRAINED = State(0, CLEAN), State(200, CLEAN)


@pytest.fixture(scope="module")
def result():
    return demo.run(SMALL)


@pytest.fixture(scope="module")
def images():
    return training.load(SMALL)


def test_images_are_split_without_overlap_and_shifted_as_named(images):
    clean = images.test_images[CLEAN]
    assert clean.shape == (150, 64)
    assert len(images.train_images) == 1797 - 150
    assert np.bincount(images.test_labels).min() >= 14
    everything = np.concatenate([images.train_images, clean])
    from sklearn.datasets import load_digits

    whole = load_digits().data / 16
    np.testing.assert_array_equal(np.sort(everything, axis=0), np.sort(whole, axis=0))

    noise = images.test_images[NOISE] - clean
    assert abs(noise.std() - SMALL.noise_sd) < 0.01
    assert abs(noise.mean()) < 0.01
    for before, after in zip(clean, images.test_images[ROTATION], strict=True):
        np.testing.assert_array_equal(after.reshape(8, 8), np.rot90(before.reshape(8, 8)))
    order = SMALL.generator(Stream.PIXELS).permutation(64)
    np.testing.assert_array_equal(images.test_images[PIXEL_SHUFFLE], clean[:, order])
    assert not np.array_equal(order, np.arange(64))


def test_checkpoints_are_those_of_scikit_learn(images):
    network = Network(0, 16, 0)
    first, later = training.train(network, images, dataclasses.replace(SMALL, steps=(0, 1)))
    for before, after in zip(first.weights, later.weights, strict=True):
        moved = np.abs(after - before)
        # One step of Adam moves no weight further than the learning rate.
        assert 0 < moved.max() <= SMALL.learning_rate * 1.001

    classifier = MLPClassifier((16, 16), random_state=0, max_iter=5, batch_size=64)
    classifier.partial_fit(images.train_images, images.train_labels, classes=np.arange(10))
    checkpoint = training._snapshot(network, 26, classifier)
    pixels = images.test_images[CLEAN]
    np.testing.assert_array_equal(checkpoint.predict(pixels), classifier.predict(pixels))
    assert [layer.shape for layer in checkpoint.hidden(pixels)] == [(150, 16)] * 2
    assert min(layer.min() for layer in checkpoint.hidden(pixels)) == 0


def test_every_step_of_training_sees_one_new_batch(images, monkeypatch):
    seen = []
    monkeypatch.setattr(training, "_fit", lambda classifier, digits, rows: seen.append(rows))
    monkeypatch.setattr(training, "_snapshot", lambda *arguments: None)
    list(training.train(Network(0, 16, 0), images, dataclasses.replace(SMALL, steps=(0, 1, 40))))
    initial, first, others = seen
    assert (len(initial), len(first), len(others)) == (64, 64, 39 * 64)
    # Every image is seen once before any is seen again.
    order = np.concatenate([first, others])
    for epoch in (order[:1647], order[1647:]):
        assert len(set(epoch)) == len(epoch)


@pytest.mark.filterwarnings("ignore::likewise.DegenerateWarning")
def test_everything_is_recorded_and_compared_with_everything(result):
    networks = {key.network for key in result.recordings}
    states = {key.state for key in result.recordings}
    assert sorted((n.width, n.seed) for n in networks) == [(16, 0), (16, 1), (24, 0), (24, 1)]
    assert states == {State(0, CLEAN), State(4, CLEAN), State(200, CLEAN)} | {
        State(200, shift) for shift in (NOISE, ROTATION, PIXEL_SHUFFLE)
    }
    assert len(result.recordings) == 4 * 6 * 2
    for key, activations in result.recordings.items():
        assert activations.shape == (150, key.network.width)
    labels = tuple(key.label for key in result.recordings)
    for score in SCORES:
        grid = result.comparisons.grids[score.title]
        assert grid.rows == grid.columns == labels
        assert np.all(np.isfinite(grid.values))
    a, b = list(result.recordings.items())[3], list(result.recordings.items())[-1]
    for score in SCORES:
        expected = lw.measure(score.measure, **score.options)(a[1], b[1])
        observed = result.comparisons.grids[score.title][a[0].label, b[0].label]
        assert observed == pytest.approx(expected, abs=1e-6)


def test_networks_learn_and_accuracy_has_its_control(result):
    for width in SMALL.widths:
        untrained, trained = (result.accuracy[state, width] for state in (UNTRAINED, TRAINED))
        assert untrained[0] < 0.35
        assert trained[0] > 0.7
        assert abs(trained[1:].mean() - 0.1) < 0.05


def test_shown_scores_are_those_of_the_grid_followed_by_controls(result):
    blocks = result.comparisons.blocks[PROCRUSTES.title]
    grid = result.comparisons.grids[PROCRUSTES.title]
    block = blocks[TRAINED, 0, 1]
    assert block.shape == (1 + SMALL.shuffles, 4, 4)
    networks = result.networks
    for i, a in enumerate(networks):
        for j, b in enumerate(networks):
            expected = grid[Key(a, 0, TRAINED).label, Key(b, 1, TRAINED).label]
            assert block[0, i, j] == expected


def test_a_control_breaks_the_pairing_between_networks_only(result):
    block = result.comparisons.blocks[PROCRUSTES.title][TRAINED, 0, 0]
    different = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(block[:, ~different], 1, atol=1e-6)
    assert block[0, different].min() > block[1:, different].max()
    # Layers of one network keep their common order of stimuli, so their score stays.
    across = result.comparisons.blocks[PROCRUSTES.title][TRAINED, 0, 1]
    own = across[:, np.eye(4, dtype=bool)]
    np.testing.assert_allclose(own, np.broadcast_to(own[0], own.shape), atol=1e-5)


def test_means_over_pairs_leave_out_a_network_with_itself(result):
    comparisons = result.comparisons
    block = comparisons.blocks[PROCRUSTES.title][TRAINED, 1, 1]
    same = comparisons.between(PROCRUSTES, TRAINED, (1, 1), (24, 24))
    np.testing.assert_allclose(same, (block[:, 2, 3] + block[:, 3, 2]) / 2)
    mixed = comparisons.between(PROCRUSTES, TRAINED, (1, 1), (16, 24))
    np.testing.assert_allclose(mixed, block[:, :2, 2:].mean(axis=(1, 2)))


def test_a_seed_gives_the_same_run_and_another_seed_another_one(result):
    again = demo.run(SMALL)
    other = demo.run(dataclasses.replace(SMALL, seed=1))
    for score in SCORES:
        first, second, third = (
            run.comparisons.blocks[score.title][TRAINED, 0, 0] for run in (result, again, other)
        )
        np.testing.assert_array_equal(first, second)
        assert not np.array_equal(first, third)
    without_time = [
        re.sub(r"[0-9.]+ s\b", "", demo.outcome(run).page().html()) for run in (result, again)
    ]
    assert without_time[0] == without_time[1]


def test_constant_units_are_counted_and_the_warning_is_reported(result):
    constant = sum(
        int(np.sum(activations.max(axis=0) == activations.min(axis=0)))
        for activations in result.recordings.values()
    )
    assert constant > 0
    assert sum(result.constant_units.values()) == constant
    assert any("DegenerateWarning" in message for message in result.comparisons.warnings)
    assert f"{constant:,} of" in demo.outcome(result).page().html()


def test_progress_is_told_every_stage():
    told = []
    demo.run(dataclasses.replace(SMALL, layers=1, steps=(0, 1)), told.append)
    assert len(told) == demo.stages(dataclasses.replace(SMALL, layers=1, steps=(0, 1)))


def test_findings_follow_the_numbers(result):
    """The same run with training turned round, and with no change at all, reads differently."""
    enough = dataclasses.replace(SMALL, shuffles=20)

    def told_with(untrained, trained):
        taken = {UNTRAINED: untrained, TRAINED: trained}
        blocks = {
            title: {
                (taken.get(state, state), a, b): block[[0, *range(1, 5)] + 16 * [1]]
                for (state, a, b), block in given.items()
            }
            for title, given in result.comparisons.blocks.items()
        }
        comparisons = dataclasses.replace(result.comparisons, blocks=blocks)
        return dataclasses.replace(result, settings=enough, comparisons=comparisons)

    forwards = told_with(UNTRAINED, TRAINED)
    assert_findings_follow(report.findings, forwards)
    assert report.findings(forwards)[0].verdict == "holds"
    still = {
        title: given | {(UNTRAINED, k, k): given[TRAINED, k, k] for k in range(SMALL.layers)}
        for title, given in forwards.comparisons.blocks.items()
    }
    comparisons = dataclasses.replace(forwards.comparisons, blocks=still)
    told = report.findings(dataclasses.replace(forwards, comparisons=comparisons))
    assert told[0].verdict == "undecided"


def test_figures_are_valid_for_plotly(result):
    graph_objects = pytest.importorskip("plotly.graph_objects")
    for figure in demo.outcome(result).figures:  # names and values of every property are checked
        graph_objects.Figure(figure.json())


def test_every_number_of_the_figures_comes_from_this_run(result):
    html = demo.outcome(result).page().html()

    def figure(name):
        text = re.search(rf'id="{name}-json">(.*?)</script>', html, re.DOTALL)[1]
        return json.loads(text)

    maps = [trace for trace in figure("layers")["data"] if trace["type"] == "heatmap"]
    drawn = [value for trace in maps for row in trace["z"] for value in row]
    between = result.comparisons.between
    expected = [
        value
        for score in SCORES
        for widths in report.pairings(result)
        for a in range(2)
        for b in range(2)
        for samples in [between(score, TRAINED, (a, b), widths)]
        for value in (samples[0], samples[1:].mean())
    ]
    np.testing.assert_allclose(sorted(drawn), sorted(expected), rtol=1e-12)

    lines = [trace for trace in figure("training")["data"] if trace["mode"] == "lines+markers"]
    assert len(lines) == len(SCORES) * 3 * 2
    assert lines[0]["y"][0] == between(PROCRUSTES, UNTRAINED, (0, 0), (16, 16))[0]
    shifts = [trace for trace in figure("shift")["data"] if trace["mode"] == "lines+markers"]
    noisy, clean = (
        between(PROCRUSTES, State(200, images), (1, 1), (16, 16))[0] for images in (NOISE, CLEAN)
    )
    assert shifts[0]["y"][1] == pytest.approx(noisy - clean)
    assert len(shifts) == len(SCORES) * 3 * 3


def test_negative_unbiased_estimates_are_shown_as_they_are(result):
    blocks = {
        address: -np.abs(block)
        for address, block in result.comparisons.blocks[CKA_UNBIASED.title].items()
    }
    everything = result.comparisons.blocks | {CKA_UNBIASED.title: blocks}
    negative = dataclasses.replace(
        result, comparisons=dataclasses.replace(result.comparisons, blocks=everything)
    )
    value = float(negative.comparisons.overall(CKA_UNBIASED, TRAINED, range(2))[0])
    assert value < -0.1
    assert f"<td>{number(value, 3)}" in demo.outcome(negative).page().html()


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(0.125, 2, "0.12"), (-0.5, 1, "−0.5"), (-0.0004, 3, "0.000"), (float("nan"), 2, "NaN")],
)
def test_numbers_are_written_plainly(value, digits, text):
    assert number(value, digits) == text


def test_three_digits_count():
    values = (0.0123, 12.345, 1.0, 0.0, 6.3e-10, 1234567.0, -0.5, float("nan"))
    expected = ["0.0123", "12.3", "1.00", "0", "6e−10", "1e6", "−0.500", "–"]
    assert list(map(short, values)) == expected
