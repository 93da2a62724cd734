"""The fuzzer of ``fuzz.py``: some 2000 calls, with ``--slow`` 200 000."""

from __future__ import annotations

import fuzz_oracles
import numpy as np
import pytest
from fuzz import names, runner

import likewise as lw


def _until(name: str, calls: float) -> None:
    run = runner(name)
    seed = 0
    while run.calls < calls:
        run.run(seed)
        seed += 1
    assert run.findings == []


@pytest.mark.parametrize("name", names())
def test_random_data_give_what_was_promised(name):
    _until(name, 2000 / len(names()))


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_much_random_data_give_what_was_promised(name):
    _until(name, 200_000 / len(names()))


def _findings(name: str) -> list[str]:
    run = runner(name)
    for seed in range(4):
        run.run(seed)
    return run.findings


def test_a_path_that_disagrees_is_found(monkeypatch):
    monkeypatch.setattr(lw.scale.Accumulator, "compute", lambda self: np.array([[0.123]]))
    assert any("stream: 0.123" in finding for finding in _findings("cka"))


@pytest.mark.parametrize("name", lw.measures())
def test_a_score_that_is_not_the_oracles_is_found(monkeypatch, name):
    monkeypatch.setitem(fuzz_oracles.ORACLES, name, lambda *sides, **options: 0.123)
    assert any("oracle: 0.123" in finding for finding in _findings(name))


@pytest.mark.parametrize("name", [name for name in names() if name not in lw.measures()])
def test_a_result_that_is_off_by_a_thousandth_is_found(monkeypatch, name):
    """Every number that a call gives its check, floats and integers, one field at a time."""
    run = runner(name)
    call = type(run)._call
    found = 0

    def off(self, what, function, *arguments, **options):
        return _moved(call(self, what, function, *arguments, **options))

    monkeypatch.setattr(type(run), "_call", off)
    for seed in range(12):
        before = len(run.findings)
        run.run(seed)
        found += len(run.findings) > before
    assert found


def _moved(value):
    if isinstance(value, tuple) and hasattr(value, "_replace"):
        return value._replace(**{value._fields[0]: _moved(value[0])})
    if isinstance(value, tuple):
        return (_moved(value[0]), *value[1:])
    if isinstance(value, (float, np.floating)) or np.asarray(value).dtype.kind == "f":
        return np.asarray(value) * (1 + 1e-3) + 1e-3
    if isinstance(value, np.ndarray):
        return value + 1
    if hasattr(value, "coef_"):
        value.coef_ = value.coef_ * (1 + 2e-2) + 1e-2 * np.abs(value.coef_).max()
    return value
