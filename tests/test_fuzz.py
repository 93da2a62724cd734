"""The fuzzer of ``fuzz.py``: some 2000 calls, with ``--slow`` 200 000."""

from __future__ import annotations

import pytest
from fuzz import Fuzz

import likewise as lw


def _until(name: str, calls: int) -> None:
    run = Fuzz(name)
    seed = 0
    while run.calls < calls:
        run.run(seed)
        seed += 1
    assert run.findings == []


@pytest.mark.parametrize("name", lw.measures())
def test_paths_agree_on_random_data(name):
    _until(name, 2000 // len(lw.measures()))


@pytest.mark.slow
@pytest.mark.parametrize("name", lw.measures())
def test_paths_agree_on_much_random_data(name):
    _until(name, 200_000 // len(lw.measures()))


def test_a_path_that_disagrees_is_found(monkeypatch):
    monkeypatch.setattr(lw.scale.Accumulator, "compute", lambda self: _Wrong())
    run = Fuzz("cka")
    for seed in range(3):
        run.run(seed)
    assert any("stream: 0.123" in finding for finding in run.findings)


class _Wrong:
    def __getitem__(self, place):
        return 0.123
