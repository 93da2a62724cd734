"""The guidance study: its networks, data, trainings, numbers and report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_up import assert_findings_follow

import likewise as lw

pytest.importorskip("studies_extra")

import torch

from likewise.studies import guidance
from likewise.studies.guidance import data, networks, settings, training
from likewise.studies.guidance.report import findings, kappa
from likewise.studies.guidance.settings import (
    BASE,
    CUT,
    TRAINED,
    UNTRAINED,
)
from likewise.studies.guidance.training import error_consistency
from likewise.studies.training import drawn

TINY = replace(settings.OVERFITS, epochs=4, guide_epochs=4, depth=5, guide_depth=3)
SMALL = replace(
    guidance.Settings.quick(), cut_off=5, records=2, rows=(TINY, replace(TINY, name="again"))
)


@pytest.fixture(scope="module")
def result():
    return guidance.run(replace(SMALL, rows=(TINY,)))


def test_fully_connected_targets():
    network = drawn(0, lambda: networks.FullyConnected(20, 64))
    linear = [module for module in network if isinstance(module, torch.nn.Linear)]
    assert len(linear) == 20
    assert sum(isinstance(module, torch.nn.BatchNorm1d) for module in network) == 19
    stds = [module.weight.std().item() for module in linear[:-1]]
    np.testing.assert_allclose(stds, 1 / 8, rtol=0.05)
    bare = networks.FullyConnected(20, 64, normalized=False)
    assert not any(isinstance(module, torch.nn.BatchNorm1d) for module in bare)


def test_digits_are_tested_on_the_same_images_whatever_the_number_for_training():
    few, test = data.digits(300, 0)
    many, same = data.digits(1200, 0)
    assert (len(few.inputs), len(many.inputs), len(test.inputs)) == (300, 1200, 597)
    assert torch.equal(test.inputs, same.inputs)
    assert torch.equal(few.inputs, many.inputs[:300])


def test_copying_asks_for_every_symbol_again_and_never_for_padding():
    train, test = data.copying(50, 8, 0)
    assert len(test.inputs) == 500
    for inputs, answers in zip(train.inputs.tolist(), train.answers.tolist(), strict=True):
        n = inputs.index(data.COPY)
        assert 4 <= n <= 8
        symbols = inputs[:n]
        assert all(1 <= symbol <= data.SYMBOLS for symbol in symbols)
        rest = [data.PADDING] * (17 - 2 * n - 1)
        assert inputs == [*symbols, data.COPY, *symbols, *rest]
        ignored = [data.IGNORED] * n
        assert answers == [*ignored, *symbols, data.END, *[data.IGNORED] * len(rest)]
    assert not {tuple(x) for x in train.inputs.tolist()} & {tuple(x) for x in test.inputs.tolist()}


def test_parity():
    train, _ = data.parity(50, 10, 0)
    for inputs, answer in zip(train.inputs.tolist(), train.answers.tolist(), strict=True):
        bits = [token - 1 for token in inputs if token != data.PADDING]
        assert 2 <= len(bits) <= 10
        assert set(bits) <= {0, 1}
        assert answer == sum(bits) % 2
    with pytest.raises(ValueError, match="there are 124 sequences of 2 to 6 of 2 symbols, 550 are"):
        data.parity(50, 6, 0)


@pytest.mark.parametrize("row", [settings.COPYING, settings.PARITY], ids=lambda row: row.name)
def test_padding_changes_no_answer(row):
    examples = data.load(replace(row, examples=20), 0)[0]
    shortest = (examples.inputs != data.PADDING).sum(1).argmin()
    padded = examples.inputs[shortest][None]
    length = int((padded != data.PADDING).sum())
    assert length < padded.shape[1]
    for make in (networks.target_of, networks.guide_of):
        network = drawn(0, lambda make=make: make(row)).eval()
        with torch.no_grad():
            whole, bare = network(padded), network(padded[:, :length])
        if row.task == "copying":
            whole = whole[:, :length]
        torch.testing.assert_close(whole, bare, rtol=1e-4, atol=1e-5)


def test_copying_sees_nothing_that_comes_later():
    row = settings.COPYING
    inputs = data.load(replace(row, examples=4), 0)[0].inputs
    changed = inputs.clone()
    changed[:, 5] = 3
    for make in (networks.target_of, networks.guide_of):
        network = drawn(0, lambda make=make: make(row)).eval()
        with torch.no_grad():
            before, after = network(inputs)[:, :5], network(changed)[:, :5]
        torch.testing.assert_close(before, after)


def test_layer_maps():
    for row, count in ((settings.OVERFITS, 6), (settings.UNTRAINABLE, 16)):
        target = networks.target_of(row)
        guide = networks.guide_of(row)
        images = torch.rand(8, 64)
        with training._guidance(row, guide, target, None) as guided:
            target(images)
            guided(images)
            pairs = guided.pairs
        linear = [f"{3 * k}" for k in range(row.depth - 1)]
        convolutions = ["stem", *(f"blocks.{k}" for k in range(row.guide_depth - 1))]
        assert len(pairs) == count
        assert pairs == lw.torch.even_layer_map(convolutions, linear)
        assert (pairs[0], pairs[-1]) == (("stem", "0"), (convolutions[-1], linear[-1]))
    for row in (settings.COPYING, settings.PARITY):
        target, guide = networks.target_of(row), networks.guide_of(row)
        guided = training._guidance(row, guide, target, None)
        assert guided.pairs == [("blocks.0", "blocks.0"), ("blocks.1", "blocks.1")]


def test_every_network_is_trained_and_logged(result):
    conditions = [run.condition for run in result.runs]
    assert conditions == [*conditions[:2], BASE, UNTRAINED, TRAINED, CUT]
    steps = 4 * 3  # batches of 128 of 300 images
    for condition, logged in ((BASE, 0), (UNTRAINED, steps), (TRAINED, steps), (CUT, 5)):
        (run,) = result.of(TINY, condition)
        assert run.epochs.tolist() == [0, 2, 4]
        assert len(run.distances) == logged
        assert len(run.pairs) == (3 if logged else 0)
        assert np.all((run.distances >= 0) & (run.distances <= 1))
        assert run.correct.shape == (597,)
        assert run.correct.mean() == run.test_accuracy[-1]
    # Targets start alike; cut off, nothing differs from guidance before the end of it.
    (guided,), (cut,) = result.of(TINY, UNTRAINED), result.of(TINY, CUT)
    np.testing.assert_array_equal(guided.distances[:5], cut.distances)
    assert len({run.test_loss[0] for run in result.runs[2:]}) == 1
    assert len({run.test_loss[-1] for run in result.runs[2:]}) == 4


def test_error_consistency(result):
    runs = [result.of(TINY, name)[0] for name in (BASE, TRAINED)]
    a, b = (run.correct for run in runs)
    observed = (a == b).mean()
    p, q = a.mean(), b.mean()
    expected = p * q + (1 - p) * (1 - q)
    value = (observed - expected) / (1 - expected)
    assert error_consistency(*runs) == pytest.approx(value, abs=1e-12)
    assert kappa(result, TINY, BASE, TRAINED) == pytest.approx(value, abs=1e-12)
    assert error_consistency(runs[0], runs[0]) == pytest.approx(1)
    perfect = replace(runs[0], correct=np.ones(597, bool))
    assert np.isnan(error_consistency(perfect, perfect))


def test_a_guide_helps_if_it_does_with_every_one_of_enough_seeds(result):
    def verdict(gains):
        runs = [
            replace(run, test_accuracy=np.array([0.5 + (run.condition == UNTRAINED) * gain]))
            for gain in gains
            for run in result.runs
        ]
        return findings(replace(result, runs=runs))[0].verdict

    assert verdict([0.1] * 5) == "holds"
    assert verdict([-0.1] * 5) == "does not hold"
    assert verdict([0.1] * 4) == verdict([0.1] * 4 + [-0.1]) == verdict([0.0] * 9) == "undecided"


def test_findings_follow_the_numbers(result):
    assert_findings_follow(findings, replace(result, runs=5 * result.runs))


def test_processes_give_what_one_process_gives(result):
    threads = torch.get_num_threads()
    several = guidance.run(replace(SMALL, processes=2))
    assert torch.get_num_threads() == threads
    for name in ("overfits", "again"):
        there = [run for run in several.runs if run.row == name]
        for ours, theirs in zip(result.runs, there, strict=True):
            np.testing.assert_array_equal(ours.test_loss, theirs.test_loss)
            np.testing.assert_array_equal(ours.distances, theirs.distances)


@pytest.mark.slow
def test_guidance_helps_a_network_that_overfits():
    row = replace(settings.OVERFITS, conditions=(BASE, UNTRAINED, TRAINED))
    result = guidance.run(guidance.Settings(seeds=3, rows=(row,)))
    base, untrained, trained = (result.at_end(row, k).mean() for k in row.conditions)
    assert min(untrained, trained) > base + 0.05
