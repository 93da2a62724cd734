"""The convergence study: its scores, networks, shifts, numbers and report, and users' models."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from browser import assert_drawn_whole
from made_up import assert_findings_follow

import likewise as lw

pytest.importorskip("studies_extra")

import torch
from torch import nn
from typer.testing import CliRunner

from likewise.cli import app
from likewise.studies import convergence
from likewise.studies.convergence import pairs, shifts, training
from likewise.studies.convergence.experiment import DIFFERENT, SAME
from likewise.studies.convergence.networks import Networks, load
from likewise.studies.convergence.pairs import (
    LINEAR,
    MEASURES,
    PERMUTATION,
    PROCRUSTES,
    SOFT,
    Folds,
    held_out,
)
from likewise.studies.convergence.recordings import Layer, Recorded, chosen
from likewise.studies.convergence.report import findings
from likewise.studies.convergence.settings import MAIN, REDUCTIONS
from likewise.studies.processes import one_thread

SMALL = replace(
    convergence.Settings.quick(), epochs=2, later=(), most_units=256, positions=4, folds=3
)
TINY = replace(
    SMALL, widths=(2, 3), seeds=1, epochs=1, early=(), variants=1, processes=1, folds=2, draws=1
)

ESTIMATORS = {
    LINEAR: "Ridge",
    PROCRUSTES: "Orthogonal",
    PERMUTATION: "Permutation",
    SOFT: "SoftPermutation",
}

FILE = """
import torch
from torch import nn
from likewise.studies.convergence import Networks
from beside import WIDTHS

def vectors():
    torch.manual_seed(0)
    def one(width):
        return nn.Sequential(nn.Linear(6, width), nn.Tanh(), nn.Linear(width, 3))
    return Networks({name: one(width) for name, width in WIDTHS.items()}, torch.randn(60, 6))

def nothing():
    return {}
"""


@pytest.fixture(scope="module")
def result():
    return convergence.run(SMALL)


@pytest.fixture
def file(tmp_path):
    (tmp_path / "beside.py").write_text("WIDTHS = {'a': 8, 'b': 8, 'wide': 11}")
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


def signals(seed=0, samples=50, widths=(6, 6)):
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((samples, 4))
    return [
        shared @ rng.standard_normal((4, w)) + rng.standard_normal((samples, w)) for w in widths
    ]


# scores


@pytest.mark.parametrize("measure", MEASURES)
def test_scores_are_those_of_the_public_cross_validation(measure):
    x, y = signals()
    estimator = getattr(lw.maps, ESTIMATORS[measure])()
    expected = lw.maps.cross_validate(estimator, x, y, cv=5, random_state=3).score
    assert held_out(measure, x, y, Folds(50, 5, 3))[0] == pytest.approx(expected, abs=1e-12)


def test_linear_is_linear_predictivity():
    x, y = signals(widths=(6, 9))
    expected = lw.linear_predictivity(x, y, cv=5, random_state=3).score
    # Its default penalties are shares of the variance of all samples, not of those of each fit.
    assert held_out(LINEAR, x, y, Folds(50, 5, 3))[0] == pytest.approx(expected, abs=2e-3)


def test_what_the_measures_do_not_see():
    x, y = signals()
    rng = np.random.default_rng(1)
    folds = Folds(50, 5, 0)
    turned = x @ np.linalg.qr(rng.standard_normal((6, 6)))[0]
    reordered = x[:, rng.permutation(6)] * rng.uniform(1, 2, 6)
    for measure in (LINEAR, PROCRUSTES):
        assert held_out(measure, turned, y, folds)[0] == pytest.approx(
            held_out(measure, x, y, folds)[0], abs=1e-9
        )
    for measure in (PERMUTATION, SOFT):
        native = held_out(measure, x, y, folds)[0]
        assert held_out(measure, reordered, y, folds)[0] == pytest.approx(native, abs=1e-9)
        assert abs(held_out(measure, turned, y, folds)[0] - native) > 0.01
    soft, permutation = (held_out(measure, x, y, folds)[0] for measure in (SOFT, PERMUTATION))
    assert soft == pytest.approx(permutation, abs=1e-12)


def test_transferred_maps_are_fitted_without_shift_and_scored_on_held_out_rows():
    x, y = signals()
    p, q = signals(seed=1)
    folds = Folds(50, 5, 0)
    scores = held_out(PROCRUSTES, x, y, folds, [(x, y), (p, q)])
    assert scores[1] == scores[0]
    expected = [
        lw.maps.Orthogonal().fit(x[fit], y[fit]).correlation_score(p[test], q[test])
        for fit, test in folds.rows(50)
    ]
    assert scores[2] == pytest.approx(np.mean(expected), abs=1e-12)
    assert scores[2] != pytest.approx(held_out(PROCRUSTES, p, q, folds)[0], abs=1e-3)


def test_positions_of_a_sample_are_held_out_and_shuffled_together():
    folds = Folds(10, 5, 0)
    of_sample = np.repeat(np.arange(10), 3)
    for fit, test in folds.rows(30):
        assert not set(of_sample[fit]) & set(of_sample[test])
        assert sorted([*fit, *test]) == list(range(30))
    order = np.random.default_rng(0).permutation(10)
    array = np.arange(60.0).reshape(30, 2)
    expected = np.concatenate([array[3 * k : 3 * k + 3] for k in order])
    np.testing.assert_array_equal(folds.reordered(array, order), expected)


def test_everything_of_a_pair_is_compared_as_it_says():
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((40, 4))

    def network(widths):
        def layers():
            noise = [rng.standard_normal((40, w)) for w in widths]
            return [shared @ rng.standard_normal((4, e.shape[1])) + e for e in noise]

        return Recorded(
            layers=[Layer(str(k), width, None) for k, width in enumerate(widths)],
            checkpoints=[layers(), layers()],
            reduced={how: layers() for how in REDUCTIONS},
            shifted=[layers(), layers(), layers()],
            accuracy=np.empty(0),
            dead=[0, 0],
        )

    a, b = network((5, 7)), network((5, 6))
    a.reduced["flatten"][0] = None
    settings = replace(TINY, draws=2)
    scores = pairs.compared(settings, pairs.Job(0, a, b))
    folds = Folds(40, settings.folds, settings.seed)
    for m, measure in enumerate(MEASURES):

        def score(x, y, measure=measure):
            if measure == PERMUTATION and x.shape[1] != y.shape[1]:
                return np.nan
            return held_out(measure, x, y, folds)[0]

        x, y = (one.checkpoints[-1] for one in (a, b))
        expected = [[score(p, q) for q in y] for p in x]
        np.testing.assert_allclose(scores.depth[m], expected, atol=1e-12)
        for layer in range(2):
            for found, sources, targets in (
                (scores.training, a.checkpoints, b.checkpoints),
                (scores.reduced, a.reduced.values(), b.reduced.values()),
                (scores.refitted, a.shifted, b.shifted),
            ):
                for k, (p, q) in enumerate(zip(sources, targets, strict=True)):
                    if p[layer] is None:
                        assert np.isnan(found[m, k, layer])
                    else:
                        wanted = score(p[layer], q[layer])
                        assert found[m, k, layer] == pytest.approx(wanted, abs=1e-12, nan_ok=True)
            if not np.isnan(score(x[layer], y[layer])):
                others = [(p[layer], q[layer]) for p, q in zip(a.shifted, b.shifted, strict=True)]
                wanted = held_out(measure, x[layer], y[layer], folds, others)[1:]
                np.testing.assert_allclose(scores.transferred[m, :, layer], wanted, atol=1e-12)
    rotated = scores.rotated[:, 0, 0]
    assert np.isnan(rotated[:2]).all()
    assert (rotated[2] != scores.reduced[2, 0, 0]).all()
    assert rotated[2, 0] != rotated[2, 1]
    shuffled = scores.training_shuffled[:, 0, 0, 0]
    assert (shuffled < scores.training[:, 0, 0] - 0.2).all()


# data and trainings


def test_an_epoch_has_400_steps():
    assert convergence.Settings().epoch_steps >= 400
    assert convergence.Settings.quick().epoch_steps >= 400


def test_shifts():
    images = torch.rand(5, 2, 8, 8)
    found = {(shift.kind, shift.size): shift.inputs for shift in shifts.shifts(images, 0)}
    assert [shift[0] for shift in found] == [k for k in shifts.SIZES for _ in range(3)]
    torch.testing.assert_close(found[shifts.ROTATION, 90], torch.rot90(images, 1, (2, 3)))
    for size, inputs in ((s, found[shifts.NOISE, s]) for s in shifts.SIZES[shifts.NOISE]):
        assert (inputs - images).std().item() == pytest.approx(size * images.std().item(), rel=0.1)
    for size, inputs in ((s, found[shifts.SHUFFLE, s]) for s in shifts.SIZES[shifts.SHUFFLE]):
        torch.testing.assert_close(inputs.flatten(2).sort()[0], images.flatten(2).sort()[0])
        moved = (inputs != images).flatten(2)
        assert 0.8 * size * 64 < moved[0, 0].sum() <= size * 64
        assert (moved == moved[0, 0]).all()
    assert {shift.kind for shift in shifts.shifts(torch.rand(4, 6), 0)} == {
        shifts.NOISE,
        shifts.SHUFFLE,
    }
    assert shifts.shifts(torch.zeros(4, 6, dtype=torch.int64), 0) == []
    assert shifts.shifts({"inputs": torch.rand(4, 6)}, 0) == []


def test_checkpoints():
    settings = replace(TINY, epochs=2, early=(3,), later=())
    assert settings.checkpoints == (0, 3, 37, 74)
    with one_thread():
        jobs = ((2, 0), (2, 0), (2, 1))
        states, again, other = (training.train(settings, job) for job in jobs)
    steps = [int(state["conv1.1.num_batches_tracked"]) - 1 for state in states]
    assert tuple(steps) == settings.checkpoints
    weights = [state["conv1.0.weight"] for state in states]
    assert not any(torch.equal(a, b) for a, b in pairwise(weights))
    assert all(
        torch.equal(a["fc.0.weight"], b["fc.0.weight"]) for a, b in zip(states, again, strict=True)
    )
    assert not torch.equal(other[0]["conv1.0.weight"], weights[0])
    # The untrained network has its normalisation from the images, not from nowhere.
    assert states[0]["conv1.1.running_var"].max() < 0.9


# what the run finds


def test_linear_predicts_best_and_permutations_least(result):
    linear, procrustes, permutation = (
        result.at_end(measure) for measure in (LINEAR, PROCRUSTES, PERMUTATION)
    )
    assert (linear >= procrustes).all()
    assert (procrustes >= permutation).all()
    assert procrustes.mean() > 0.85 * linear.mean()
    assert permutation.min() > 0.3


def test_nothing_is_left_with_shuffled_stimuli(result):
    for measure in MEASURES:
        assert np.abs(result.control_at_end(measure)).max() < 0.1
    positions = REDUCTIONS.index("positions")
    shuffled = result.scores.reduced_shuffled[:, :, positions]
    assert result.mean(shuffled, PROCRUSTES)[0].min() > 0.1  # places are left


def test_most_of_the_gain_comes_in_the_first_epoch(result):
    assert result.steps[result.first_epoch] == "412"
    for measure in (LINEAR, PROCRUSTES, PERMUTATION):
        scores = result.mean(result.scores.training, measure)
        gains = (scores - scores[0]).sum(axis=1)
        assert 0.5 < gains[result.first_epoch] / gains[-1] < 1.2
        assert (scores[-1, 2:] > scores[0, 2:] + 0.1).all()
    shares = result.share_of_gain(PROCRUSTES)[:, 3]
    assert (shares[0], shares[-1]) == (0, 1)


def test_shift_takes_more_from_late_layers(result):
    lost = result.drops(PROCRUSTES)
    early, late = result.early_and_late()
    for kind in result.kinds():
        k = result.shifts.index((kind, max(shifts.SIZES[kind])))
        assert lost[k, late].mean() > lost[k, early].mean() + 0.05
    assert (result.drops(PROCRUSTES, transferred=True).mean(axis=1) > lost.mean(axis=1)).all()


def test_units_share_their_axes(result):
    main = REDUCTIONS.index(MAIN)
    rotated = result.mean(result.scores.rotated[:, :, main], PERMUTATION).mean(axis=1)
    native = result.at_end(PERMUTATION)
    assert native[0] > rotated[0] + 0.03
    assert native[-1] > rotated[-1] + 0.2


def test_every_part_of_the_result_agrees(result):
    scores, main = result.scores, REDUCTIONS.index(MAIN)
    ends = scores.training[:, :, -1]
    np.testing.assert_array_equal(ends, np.diagonal(scores.depth, axis1=2, axis2=3))
    np.testing.assert_array_equal(ends, scores.reduced[:, :, main])
    equal = [array[:, MEASURES.index(SOFT)] for array in (scores.training, scores.reduced)]
    same = [array[:, MEASURES.index(PERMUTATION)] for array in (scores.training, scores.reduced)]
    for a, b in zip(equal, same, strict=True):
        np.testing.assert_array_equal(a, b)
    flat = scores.reduced[:, :, REDUCTIONS.index("flatten")]
    assert np.isnan(flat[:, :, :3]).all()  # 512 and more units each
    np.testing.assert_array_equal(flat[:, :, 3:], ends[:, :, 3:])
    assert result.accuracy.shape == (2, 4 + 9)
    assert result.accuracy[:, 3].min() > 0.9
    assert result.accuracy[:, 0].max() < 0.4


def test_the_outcome_is_written_and_drawn(browser, result, tmp_path):
    outcome = convergence.outcome(result)
    outcome.save(tmp_path)
    results = json.loads((tmp_path / "results.json").read_text())
    page = (tmp_path / "report.html").read_text()
    assert results["headline"] in page
    assert_drawn_whole(browser, tmp_path / "report.html")
    numbers = results["numbers"][SAME]
    np.testing.assert_allclose(numbers[PROCRUSTES]["training"][-1], result.at_end(PROCRUSTES))
    assert numbers[LINEAR]["rotated"][0][0] == [None, None]
    with np.load(tmp_path / "grids.npz") as grids:
        assert grids["depth"].shape == (2, 4, 5, 5)
        assert grids["pairs"].tolist() == [[0, 1], [1, 0]]


def test_findings_follow_the_numbers(result):
    assert_findings_follow(findings, result)
    told = {finding.statement: finding.verdict for finding in findings(result)}
    assert told["The axes of the units are shared"] == "holds"
    main = REDUCTIONS.index(MAIN)
    rotated = result.scores.rotated.copy()
    rotated[:, :, main] = result.scores.training[:, :, -1, :, None]
    random = replace(result, scores=replace(result.scores, rotated=rotated))
    told = {finding.statement: finding.verdict for finding in findings(random)}
    assert told["The axes of the units are shared"] == "undecided"


def test_two_widths(tmp_path):
    seen = []
    result = convergence.run(TINY, seen.append)
    assert len(seen) == convergence.stages(TINY)
    assert list(result.groups()) == [DIFFERENT]
    ends = {measure: result.at_end(measure) for measure in MEASURES}
    assert np.isnan(ends[PERMUTATION]).tolist() == [True, True, True, False, False]
    assert not any(np.isnan(ends[measure]).any() for measure in (LINEAR, PROCRUSTES, SOFT))
    assert result.matching() == SOFT
    outcome = convergence.outcome(result)
    outcome.save(tmp_path)
    assert any("soft matching" in finding.statement for finding in outcome.findings)


# networks of a user


def test_the_command_takes_models(file, tmp_path):
    arguments = ["study", "convergence", "--quick", "--out", str(tmp_path / "out")]
    answer = CliRunner().invoke(app, [*arguments, "--models", f"{file}:vectors"])
    assert answer.exit_code == 0, answer.output
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    numbers = results["numbers"]
    assert numbers["networks"] == ["a", "b", "wide"]
    assert [layer["name"] for layer in numbers["layers"]["wide"]] == ["0", "2"]
    assert [layer["units"] for layer in numbers["layers"]["wide"]] == [11, 3]
    assert {shift["kind"] for shift in numbers["shifts"]} == {shifts.NOISE, shifts.SHUFFLE}
    assert numbers[SAME][LINEAR]["training"][0][0] > 0.99  # both linear in the input
    assert numbers[DIFFERENT][PERMUTATION]["training"][0][0] is None
    page = (tmp_path / "out" / "report.html").read_text()
    assert "training: the networks come without checkpoints" in page
    assert "reductions: no layer gives feature maps" in page
    assert "How alike networks become during training" not in page


@pytest.mark.parametrize(
    ("models", "name", "message"),
    [
        ("{}:missing", "convergence", "has no 'missing'"),
        ("{}:nothing", "convergence", "nothing must return a .*Networks, got dict"),
        ("{}", "convergence", "--models must be FILE.py:function, got"),
        ("elsewhere.py:vectors", "convergence", "there is none at 'elsewhere.py'"),
        ("{}:vectors", "truncation", "--models is an option of the study convergence, not of trun"),
    ],
)
def test_models_that_cannot_be_had(file, tmp_path, models, name, message):
    arguments = ["study", name, "--quick", "--out", str(tmp_path / "out")]
    answer = CliRunner().invoke(app, [*arguments, "--models", models.format(file)])
    assert answer.exit_code == 2
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(answer.output)


def test_networks_say_what_they_need():
    one = nn.Linear(3, 2)
    probe = torch.rand(20, 3)
    for arguments, message in (
        (([one, one], probe), "models must be a mapping, got list"),
        (({"a": one}, probe), "models must be two or more, got 1"),
        (({"a": one, "b": 3}, probe), "modules or sequences of them, 'b' is, got 3"),
        (({"a": one, "b": [one, one]}, probe), "as many checkpoints, got {'a': 1, 'b': 2}"),
        (({"a": one, "b": one}, [1.0]), "probe must be a tensor or a mapping of tensors, got list"),
    ):
        with pytest.raises(ValueError, match=r"^Networks: ") as error:
            Networks(*arguments)
        assert message in str(error.value)
    both = {"a": one, "b": one}
    for options, message in (
        ({"labels": torch.zeros(3)}, r"labels must have shape \(20,\), got \(3,\)"),
        ({"checkpoints": (1, 2)}, "checkpoints must name all 1, got 2"),
        ({"first_epoch": 1}, "first_epoch must be one of the 1 checkpoints after the first, got 1"),
    ):
        with pytest.raises(ValueError, match=message):
            Networks(both, probe, **options)
    few = Networks(both, probe[:3])
    with pytest.raises(ValueError, match="probe must have at least 4 samples for 2 folds, got 3"):
        convergence.run(TINY, networks=few)


class Maps(nn.Module):
    def __init__(self, convolutions, stride=1):
        super().__init__()
        self.maps = nn.Sequential(
            *(nn.Conv2d(1 if k == 0 else 3, 3, 3, padding=1) for k in range(convolutions)),
            nn.AvgPool2d(stride),
        )
        self.readout = nn.Linear(3, 2)

    def forward(self, images):
        return self.readout(self.maps(images).mean((2, 3)))


def test_checkpoints_depths_and_maps_of_a_user():
    torch.manual_seed(0)
    models = {"deep": [Maps(5), Maps(5)], "flat": [Maps(2), Maps(2)]}
    networks = Networks(models, torch.rand(30, 1, 4, 4), labels=torch.arange(30) % 2)
    names = {name: [layer.name for layer in chosen(networks, name, 8)] for name in models}
    assert names == {
        "deep": ["maps.0", "maps.2", "readout"],
        "flat": ["maps.0", "maps.1", "readout"],
    }
    assert len(chosen(networks, "deep", 2)) == 2
    result = convergence.run(TINY, networks=networks)
    assert result.layer_names() == ["depth 1", "depth 2", "depth 3"]
    assert result.steps == ("0", "1")
    assert result.accuracy.shape == (2, 2 + 9)
    assert not np.isnan(result.scores.reduced[:, :3]).any()
    statements = [finding.statement for finding in convergence.outcome(result).findings]
    assert any("more alike" in statement for statement in statements)
    assert not any("first epoch" in statement for statement in statements)


def test_positions_of_maps_of_different_sizes_are_not_compared():
    torch.manual_seed(0)
    models = {
        "full": nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten()),
        "half": nn.Sequential(nn.Conv2d(1, 3, 3, stride=2), nn.Flatten()),
    }
    networks = Networks(models, torch.rand(30, 1, 4, 4), layers="0")
    result = convergence.run(TINY, networks=networks)
    compared = ~np.isnan(result.scores.reduced[0, 0, :, 0])
    expected = [how != "positions" for how in REDUCTIONS]
    assert compared.tolist() == expected
    assert len(convergence.outcome(result).page().html()) > 1e6


def test_load_lets_the_file_import_what_lies_beside_it(file):
    networks = load(f"{file}:vectors")
    assert list(networks.models) == ["a", "b", "wide"]
