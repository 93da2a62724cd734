"""What a study leaves behind in its folder."""

import json
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("plotly")
from likewise.report import Figure, Panel, Table
from likewise.studies import Outcome
from likewise.studies.verdicts import above, bounded, compared, given, sign_test, undecided


@dataclass
class Settings:
    seed: int = 0


def outcome(text):
    return Outcome(
        result=SimpleNamespace(settings=Settings(), seconds={"all": 0.1}),
        text=SimpleNamespace(study="toy", command="likewise toy", lead="lead", notes=[]),
        findings=[undecided(text, 1.0, note="</td>")],
        numbers={"x": np.float32(1), "y": [np.nan, np.inf]},
        grids={"scores": np.arange(6.0)},
        figures=[Figure("one", "title", "caption", [Panel("", {}, {}, [])])],
        tables=[("about", Table(["", "r"], [["row", 0.5]]))],
    )


def test_results_carry_their_format(tmp_path):
    outcome("first").save(tmp_path)
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["format"] == 1
    assert found["headline"] == "first: undecided (1.00)"
    assert found["numbers"] == {"x": 1, "y": [None, None]}
    (finding,) = found["findings"]
    assert finding["statement"] == "first"
    assert finding["control"] is finding["p_value"] is None
    np.testing.assert_array_equal(np.load(tmp_path / "grids.npz")["scores"], np.arange(6.0))


@pytest.mark.parametrize("written", [0, 1, 2])
def test_a_full_disk_leaves_whole_files_alone(tmp_path, monkeypatch, written):
    outcome("first").save(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    left = [written]

    def full(descriptor):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        outcome("second").save(tmp_path)
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(after) == {"results.json", "grids.npz", "report.html"}
    replaced = [name for name in before if before[name] != after[name]]
    assert len(replaced) <= written
    assert json.loads(after["results.json"])["headline"].split(":")[0] == (
        "second" if written else "first"
    )


def test_a_report_that_cannot_be_made_leaves_the_folder_alone(tmp_path):
    outcome("first").save(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    broken = outcome("second")
    object.__setattr__(broken, "figures", [])
    with pytest.raises(ValueError, match="not enough values"):
        broken.save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_verdicts():
    rng = np.random.default_rng(0)
    assert sign_test([1, 1, 1, 1, 1]) == 1 / 32
    assert sign_test([1, 1, 1, 1, -1]) == 6 / 32
    assert sign_test([0, 0]) == 1
    five = np.arange(1.0, 6)
    assert compared("", five, 0, "seed").verdict == "holds"
    assert compared("", five, 0, "seed", smaller=True).verdict == "does not hold"
    assert compared("", five[:4], 0, "seed").verdict == "undecided"
    assert compared("", [*five, np.nan], np.zeros(6), "seed") == compared("", five, 0, "seed")
    assert compared("", [np.nan], 0, "seed").units == "0 seeds"
    draws = rng.random(19)
    assert [above("", x, draws, "").verdict for x in (2, -1, 0.5, np.nan)] == [
        "holds",
        "does not hold",
        "undecided",
        "undecided",
    ]
    assert above("", 2, draws, "").p_value == 1 / 20
    told = [given("", 1, 0, p, "").verdict for p in (0.05, 0.5, np.nan)]
    assert told == ["holds", "undecided", "undecided"]
    assert given("", -1, 0, 0.05, "").verdict == "does not hold"
    assert [bounded("", x, 1, "").verdict for x in (1, 2, np.nan)] == [
        "holds",
        "does not hold",
        "undecided",
    ]


def test_no_effect_is_called_one_in_at_most_one_of_twenty_runs():
    rng = np.random.default_rng(0)
    nothing = rng.standard_normal((2000, 2, 10))
    verdicts = [compared("", a, b, "seed").verdict for a, b in nothing]
    assert verdicts.count("holds") < 0.05 * 2000
    effect = [compared("", a + 3, b, "seed").verdict for a, b in nothing[:200]]
    assert effect.count("holds") > 0.9 * 200
