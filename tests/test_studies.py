"""What every study promises: one command, its files, a report that is drawn, and its findings."""

import json
from dataclasses import replace

import numpy as np
import pytest
from browser import assert_drawn_whole
from made_up import assert_findings_follow

pytest.importorskip("studies_extra")

import torch
from typer.testing import CliRunner

from likewise.cli import app
from likewise.studies import NAMES, study
from likewise.studies.digits import digits
from likewise.studies.guidance.settings import BASE, GUIDE_TRAINED, TRAINED, UNTRAINED
from likewise.studies.training import drawn

SLOW = ("circles", "convergence")
SEEDS = {"convergence": "1"}


@pytest.fixture(
    scope="module",
    params=[pytest.param(k, marks=[pytest.mark.slow] * (k in SLOW)) for k in NAMES],
)
def quick(request, tmp_path_factory):
    """The name of a study and the folder that its command wrote."""
    name = request.param
    random, threads = torch.random.get_rng_state(), torch.get_num_threads()
    out = tmp_path_factory.mktemp(name)
    options = ["--quick", "--seed", SEEDS.get(name, "0"), "--out", str(out)]
    answer = CliRunner().invoke(app, ["study", name, *options])
    assert answer.exit_code == 0, answer.output
    assert torch.equal(torch.random.get_rng_state(), random)
    assert torch.get_num_threads() == threads
    headline = json.loads((out / "results.json").read_text())["headline"]
    assert headline in " ".join(answer.output.split())
    assert headline in (out / "report.html").read_text()
    return name, out


def test_the_report_is_drawn(browser, quick):
    assert_drawn_whole(browser, quick[1] / "report.html")


def test_the_command_shows_the_findings(quick):
    name, out = quick
    found = json.loads((out / "results.json").read_text())
    with np.load(out / "grids.npz") as grids:
        globals()[f"check_{name}"](found, found["numbers"], grids)


def check_circles(found, numbers, grids):
    pooled = numbers["correlations"]["twice the mean"][0]
    assert pooled["r"] > 0
    assert pooled["p_value"] < 0.01
    assert pooled["r"] > pooled["control_mean"] + 3 * pooled["control_sd"]
    assert min(numbers["accuracy"]["survival"]) > 0.99
    fitted = numbers["recurrences"]["linear, least squares"]["fitted steps"]
    assert np.mean([score["r2"] for score in fitted]) > 0.9
    assert max(score["error"] for score in fitted) < 0.05
    # What the increments of unrelated runs reach belongs beside it.
    assert len(numbers["r2 of unrelated signals"]) == len(fitted)
    circles_left = [one for one in numbers["collaboration"] if len(one["circles"]) > 1]
    assert circles_left
    for one in circles_left:
        assert one["loss"][-1][-1] < one["loss"][0][-1] < one["loss of dead"][-1]
    roundness = numbers["circularity"]
    assert roundness["survivors"] > 0.98 > roundness["others"]
    assert grids["signals"].shape == (3, 4, found["settings"]["steps"] + 1, 15)


def check_convergence(found, numbers, grids):
    verdicts = {f["statement"]: f["verdict"] for f in found["findings"]}
    for claim in (
        "A rotation relates networks nearly as well as any linear map",
        "Most of the gain is there after the first epoch",
        "Maps fitted anew to shifted stimuli lose more in late layers than in early ones",
    ):
        assert verdicts[claim] == "holds"


def check_guidance(found, numbers, grids):
    numbers = numbers["overfits"]
    base, untrained, trained = (numbers[k]["test_accuracy"][0] for k in (BASE, UNTRAINED, TRAINED))
    assert min(untrained, trained) > base + 0.05
    assert min(numbers[k]["train_accuracy"][0] for k in (BASE, UNTRAINED, TRAINED)) > 0.95
    last = grids[f"overfits.{TRAINED}.distances"][:, -1]
    np.testing.assert_allclose(last, np.array(numbers[TRAINED]["last_distances"]))
    assert numbers["kappa"][f"{TRAINED} / {GUIDE_TRAINED}"] is not None


def check_matching(found, numbers, grids):
    assert min(numbers["accuracies"]) > 0.9
    assert numbers["average"]["matched"] > numbers["average"]["as they are"] + 0.2
    for layer, of_layer in numbers["layers"].items():
        assert of_layer["correlation_greedy"] >= of_layer["correlation_one_to_one"]
        assert of_layer["correlation_one_to_one"] > of_layer["shuffled_one_to_one"] + 0.3
        matrix, alive = grids[f"{layer}.0-1.correlation"], grids[f"{layer}.alive"]
        best = np.where(alive[1], matrix, 0).max(axis=1)[alive[0]]
        assert of_layer["correlation_greedy"] == pytest.approx(best.mean(), abs=1e-12)


def check_truncation(found, numbers, grids):
    assert numbers["identity_error"] < 1e-12
    assert numbers["scales_error"] < 1e-12
    assert numbers["stray_points"] == 0
    flows = numbers["flows"]
    assert flows["separated"]["diameter"][1] == 0
    assert flows["separated"]["share"][0] < 0.4 < flows["separated"]["share"][1] == 1
    assert flows["near_side"]["share"][1] < flows["near_side"]["share"][0]
    assert flows["positive_orthant"]["events"] == 0
    collapse = numbers["collapse"]
    for (untrained,), (trained,) in [
        (collapse[name]["untrained"], collapse[name]["trained"]) for name in ("nc1", "nc4")
    ]:
        assert trained < untrained / 3
    ((before, after),) = numbers["accuracy"]
    assert before < 0.3
    assert after > 0.9
    for state in numbers["structure"][0].values():
        assert state["identity_error"] < 1e-16 * 100 * max(state["conditions"])
    assert grids["collapse"].shape == (1, found["settings"]["epochs"] + 1, 5)
    np.testing.assert_allclose(grids["collapse"][0, -1, 0], collapse["nc1"]["trained"][0])


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        (
            "circles",
            {
                **{"p": 7, "dimension": 6, "hidden": 8, "steps": 20, "checkpoints": (0, 20)},
                **{"dynamics_steps": 20, "intervention_steps": 20, "shuffles": 20},
            },
        ),
        ("truncation", {"points": 20, "moments": 41, "networks": 2, "epochs": 2, "rotations": 3}),
    ],
)
def test_findings_follow_the_numbers(name, sizes):
    module = study(name)
    result = module.run(replace(module.Settings.quick(), **sizes))
    assert_findings_follow(module.report.findings, result)


# what they share


def test_no_probe_image_is_trained_on():
    training, probe = digits(0)
    assert (len(training.images), len(probe.images)) == (1200, 597)
    seen = {tuple(image) for image in training.images.flatten(1).tolist()}
    assert not seen & {tuple(image) for image in probe.images.flatten(1).tolist()}
    assert torch.equal(digits(0)[1].images, probe.images)
    assert probe.images.max() == 1


def test_drawing_leaves_the_random_state_alone():
    before = torch.get_rng_state()
    first, second, other = (drawn(seed, lambda: torch.nn.Linear(4, 3)) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.weight, second.weight)
    assert not torch.equal(first.weight, other.weight)
