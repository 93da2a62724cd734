"""What a study leaves behind in its folder."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

pytest.importorskip("plotly")
from likewise.report import Page
from likewise.studies import Outcome


@dataclass
class Settings:
    seed: int = 0


def outcome(text):
    return Outcome(
        study="toy",
        settings=Settings(),
        headline=text,
        findings=[(text, "1")],
        numbers={"x": np.float32(1)},
        grids={"scores": np.arange(6.0)},
        seconds={"all": 0.1},
        page=lambda own: Page(own.headline, "study", "lead"),
    )


def test_results_carry_their_format(tmp_path):
    outcome("first").save(tmp_path)
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["format"] == 1
    assert found["headline"] == "first"
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
    assert json.loads(after["results.json"])["headline"] == ("second" if written else "first")


def test_a_report_that_cannot_be_made_leaves_the_folder_alone(tmp_path):
    outcome("first").save(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    broken = outcome("second")
    object.__setattr__(broken, "page", lambda own: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        broken.save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
