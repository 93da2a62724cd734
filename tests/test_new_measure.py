"""A new measure is one class in one file: everything else finds it by its registration."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np
import pytest
import test_measures

import likewise as lw


@dataclass(frozen=True)
class VarianceDistance(lw.Measure):
    """How far apart the logarithms of two total variances are, to a power."""

    power: float = 1.0

    name = "variance_distance"
    kind = "distance"
    range = (0.0, math.inf)
    streamable = True
    invariances = frozenset({"translation", "orthogonal", "permutation"})

    def prepare(self, items):
        return [np.log(np.var(item.astype(np.float64), axis=0).sum()) for item in items]

    def compare(self, a, b):
        return np.abs(np.subtract.outer(a, a if b is None else b)) ** self.power

    def from_moments(self, moments):
        (m,) = moments
        sides = [
            [
                math.log(np.trace(item.gram) / m.samples) + 2 * math.log(m.unit(side, k))
                for k, item in enumerate(items)
            ]
            for side, items in enumerate((m.rows(), m.columns()))
        ]
        return self.compare(*sides)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    from likewise.measure import registry

    monkeypatch.setattr(registry, "_registry", dict(registry._registry))
    lw.register(VarianceDistance)


@pytest.fixture
def layers():
    rng = np.random.default_rng(0)
    return {name: s * rng.standard_normal((40, d)) for name, s, d in (("a", 1, 3), ("b", 5, 7))}


def expected(x, y):
    return abs(math.log(np.var(x, axis=0).sum()) - math.log(np.var(y, axis=0).sum()))


def test_it_is_looked_up_by_name(layers):
    x, y = layers.values()
    assert "variance_distance" in lw.measures()
    score = lw.variance_distance(x, y)
    assert score == pytest.approx(expected(x, y), rel=1e-12)
    assert lw.variance_distance(x, y, power=2.0) == pytest.approx(expected(x, y) ** 2, rel=1e-12)
    assert lw.measure(lw.variance_distance, power=2.0) == VarianceDistance(2.0)
    batch = lw.variance_distance(np.stack([x, 2 * x]), y)
    assert batch[1] == pytest.approx(expected(2 * x, y), rel=1e-12)
    with pytest.raises(TypeError, match=r"no option 'powr'.* did you mean 'power'"):
        lw.variance_distance(x, y, powr=2)


def test_grids_and_inference_take_it(layers):
    x, y = layers.values()
    grid = lw.pairwise(layers, "variance_distance")
    assert grid["a", "b"] == pytest.approx(expected(x, y), rel=1e-12)
    assert lw.cross([x], [y, x], "variance_distance")[0, 1] == 0
    test = lw.permutation_test(x, y, "variance_distance", n=20)
    assert test.p_value == 1  # shuffles change nothing
    half = lw.bootstrap(np.vstack([x, x]), np.vstack([y, y]), "variance_distance", n=20)
    assert half.low < half.score < half.high


def test_streams_take_it(layers):
    stream = lw.scale.Accumulator("variance_distance")
    for part in np.split(np.arange(40), [11, 25]):
        stream.update({name: layer[part] for name, layer in layers.items()})
    np.testing.assert_allclose(
        stream.compute(), lw.pairwise(layers, "variance_distance"), rtol=1e-10, atol=1e-12
    )


def test_the_command_line_and_its_report_take_it(layers, tmp_path):
    pytest.importorskip("typer")
    from typer.testing import CliRunner

    from likewise.cli import app

    for name, scale in (("one", 1), ("two", 3)):
        np.savez(tmp_path / f"{name}.npz", **{k: scale * v for k, v in layers.items()})
    files = [str(tmp_path / f"{name}.npz") for name in ("one", "two")]
    report, table = tmp_path / "report.html", tmp_path / "scores.json"
    ran = CliRunner().invoke(
        app, ["compare", *files, "--measure", "variance_distance", "--out", str(table)]
    )
    assert ran.exit_code == 0, ran.output
    assert "variance_distance" in table.read_text()
    assert json.loads(table.read_text())
    ran = CliRunner().invoke(
        app, ["compare", *files, "--measure", "variance_distance(power=2)", "--out", str(report)]
    )
    assert ran.exit_code == 0, ran.output
    assert "variance_distance" in report.read_text()


@pytest.mark.parametrize("seed", range(5))
def test_its_declared_properties_are_tested(seed):
    hold = test_measures.test_declared_properties_hold.hypothesis.inner_test
    hold(name="variance_distance", options={}, seed=seed, n=20, widths=(4, 5, 3))


def test_a_property_that_does_not_hold_is_seen(monkeypatch):
    monkeypatch.setattr(VarianceDistance, "invariances", frozenset({"isotropic_scaling"}))
    hold = test_measures.test_declared_properties_hold.hypothesis.inner_test
    with pytest.raises(AssertionError):
        hold(name="variance_distance", options={}, seed=0, n=20, widths=(4, 5, 3))


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="'variance_distance' exists already"):
        lw.register(VarianceDistance)
