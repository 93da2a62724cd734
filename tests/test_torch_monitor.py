"""The monitor of a training."""

import time
from contextlib import contextmanager

import numpy as np
import pytest

import likewise as lw

torch = pytest.importorskip("torch")
pytest.importorskip("zarr")
nn = torch.nn
Store = lw.scale.Store
MEASURES = ("cka", lw.measure("procrustes", score="similarity"))
PROCRUSTES = "procrustes(score='similarity')"


def network(seed=0, widths=(4, 6)):
    torch.manual_seed(seed)
    first, second = widths
    return nn.Sequential(
        nn.Conv2d(1, first, 3),
        nn.BatchNorm2d(first),
        nn.ReLU(),
        nn.Conv2d(first, second, 3),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(second * 4, 3),
    )


def data(n=60, seed=1):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 3
    images = torch.randn(n, 1, 6, 6, generator=generator) + labels[:, None, None, None]
    return images, labels


def step(model, optimizer, x, y):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


def test_scores_are_those_of_recordings(tmp_path):
    model, reference, (x, y) = network(), network(1), data()
    monitor = lw.torch.Monitor(
        model,
        (x, y),
        tmp_path / "run.zarr",
        every=3,
        measures=MEASURES,
        reference=reference,
        classifier="6",
    )
    optimizer = torch.optim.Adam(model.parameters(), 0.05)

    def recorded(one):
        return lw.torch.record(one, x, ["0", "3", "6"], reduce="mean")

    def looked(step, numbers, before):
        now = recorded(model)
        row = {"step": step, **numbers}
        others = {"start": start, "reference": recorded(reference), "before": before}
        for kind, other in others.items():
            for layer in now.layers if other else ():
                row[f"{kind} cka/{layer}"] = lw.cka(now[layer], other[layer])
                row[f"{kind} {PROCRUSTES}/{layer}"] = MEASURES[1](now[layer], other[layer])
        model.eval()
        with torch.no_grad():
            features = model[:5](x)
        model.train()
        weight, bias = (parameter.detach() for parameter in model[6].parameters())
        collapse = lw.neural_collapse(features, y, weight, bias)
        row |= {f"collapse/{name}": value for name, value in collapse._asdict().items()}
        return now, row

    start = recorded(model)
    before, row = looked(0, {}, None)
    expected = [row]
    for k in range(1, 9):
        loss = step(model, optimizer, x, y)
        if k % 3 == 0:
            before, row = looked(k, {"numbers/loss": loss.item(), "numbers/rate": 0.05}, before)
            expected.append(row)
        monitor(loss=loss, rate=0.05)
    found = Store.open(tmp_path / "run.zarr").history("training").read()
    assert (monitor.looks, monitor.calls) == (3, 8)
    assert set(found) - {"time/training", "time/monitor"} == set(expected[-1])
    for name in expected[-1]:
        values = [row.get(name, np.nan) for row in expected]
        np.testing.assert_allclose(found[name], values, rtol=1e-6, err_msg=name)
    assert found["start cka/6"][-1] < 0.99  # it has moved


def test_the_training_is_the_same_as_without(tmp_path):
    x, y = data()
    trained = []
    for watched in (False, True):
        model = network()
        torch.manual_seed(5)
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        if watched:
            monitor = lw.torch.Monitor(
                model, (x, y), tmp_path / "run.zarr", every=2, classifier="6"
            )
        for _ in range(5):
            step(model, optimizer, x, y)
            if watched:
                monitor()
        trained.append(model)
    for without, beside in zip(*(model.state_dict().values() for model in trained), strict=True):
        assert torch.equal(without, beside)
    assert all(module.training for module in model.modules())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_layers_of_a_reference_by_depth(tmp_path):
    deeper = nn.Sequential(nn.Flatten(), nn.Linear(36, 9), nn.ReLU(), nn.Linear(9, 3))
    x, _ = data()
    monitor = lw.torch.Monitor(network(), x, tmp_path / "run.zarr", reference=deeper)
    mine = lw.torch.record(network(), x, ["0", "3", "6"], reduce="mean")
    theirs = lw.torch.record(deeper, x, ["1", "3"])
    row = monitor.history.read()
    assert not any(name.startswith("before") for name in row)
    for own, other in (("0", "1"), ("3", "1"), ("6", "3")):
        expected = lw.cka(mine[own], theirs[other])
        np.testing.assert_allclose(row[f"reference cka/{own}"], expected, rtol=1e-6)


class Crossed(nn.Module):
    """Two layers that are called in the order of their names, or the other way round."""

    def __init__(self, backwards):
        super().__init__()
        torch.manual_seed(int(backwards))
        self.a, self.b, self.backwards = nn.Linear(4, 4), nn.Linear(4, 4), backwards

    def forward(self, x):
        return self.a(self.b(x).relu()) if self.backwards else self.b(self.a(x).relu())


def test_layers_of_a_reference_by_name(tmp_path):
    x = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    mine, theirs = (lw.torch.record(Crossed(backwards), x) for backwards in (False, True))
    path = tmp_path / "run.zarr"
    monitor = lw.torch.Monitor(Crossed(False), x, path, reference=Crossed(True))
    row = monitor.history.read()
    for layer in "ab":
        expected = lw.cka(mine[layer], theirs[layer])
        np.testing.assert_allclose(row[f"reference cka/{layer}"], expected, rtol=1e-6)


def test_distances_of_guidance(tmp_path):
    guide, target, (x, y) = network(2), network(), data()
    optimizer = torch.optim.Adam(target.parameters(), 0.01)
    with lw.torch.Guidance(guide, target, until=2) as guidance:
        # Its first look is before guidance has measured anything.
        monitor = lw.torch.Monitor(target, x, tmp_path / "run.zarr", every=1, guidance=guidance)
        for _ in range(2):
            optimizer.zero_grad()
            (nn.functional.cross_entropy(target(x), y) + guidance(x)).backward()
            optimizer.step()
            monitor()
        log = guidance.log
    assert guidance.last == log[-1]
    row = monitor.history.read()
    for pair in ("0 -> 0", "3 -> 3"):
        expected = [np.nan, *(entry.distances[pair] for entry in log)]
        np.testing.assert_array_equal(row[f"guidance/{pair}"], expected)


def test_a_constant_layer_is_nan_and_said_once(tmp_path):
    model, (x, _) = network(), data()
    nn.init.zeros_(model[6].weight)
    with pytest.warns(lw.DegenerateWarning):
        monitor = lw.torch.Monitor(model, x, tmp_path / "run.zarr", every=1)
    monitor()  # warnings are errors here
    row = monitor.history.read()
    assert np.isnan(row["start cka/6"]).all()
    np.testing.assert_allclose(row["start cka/3"], 1, rtol=1e-6)


def test_time_is_what_it_took(tmp_path, monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)

    @contextmanager
    def slow(module):
        nonlocal now
        now += 2.0
        yield []

    monkeypatch.setattr("likewise.torch.monitor._inputs_of", slow)
    monitor = lw.torch.Monitor(network(), data()[0], tmp_path / "run.zarr", every=1)
    now += 6.0
    monitor()
    assert (monitor.seconds, monitor.overhead) == (4.0, 0.4)
    row = monitor.history.read()
    np.testing.assert_array_equal(row["time/monitor"], [2, 4])
    np.testing.assert_array_equal(row["time/training"], [2, 10])


def test_several_trainings_in_one_store(tmp_path):
    store, (x, _) = Store.create(tmp_path / "run.zarr"), data()
    for seed in range(2):
        lw.torch.Monitor(network(seed), x, store, name=f"seed {seed}").look(loss=seed)
    assert store.histories() == ["seed 0", "seed 1"]
    with pytest.raises(ValueError, match="there is a history 'seed 1' already"):
        lw.torch.Monitor(network(), x, tmp_path / "run.zarr", name="seed 1")


class Summed(nn.Module):
    """Takes keyword arguments, as models of text do."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(9, 4)
        self.fc = nn.Linear(4, 3)

    def forward(self, tokens, mask):
        return self.fc((self.embedding(tokens) * mask[..., None]).sum(1))


def test_a_probe_of_keyword_arguments(tmp_path):
    torch.manual_seed(0)
    model = Summed()
    probe = {"tokens": torch.randint(9, (20, 5)), "mask": (torch.rand(20, 5) > 0.3).float()}
    labels = torch.arange(20) % 3
    before = lw.torch.record(model, probe, "fc")
    monitor = lw.torch.Monitor(model, (probe, labels), tmp_path / "run.zarr", classifier="fc")
    with torch.no_grad():
        model.fc.weight += torch.randn(3, 4)
    monitor.look()
    row = {name: values[-1] for name, values in monitor.history.read().items()}
    now = lw.torch.record(model, probe, "fc")
    assert row["start cka/fc"] == pytest.approx(lw.cka(now["fc"], before["fc"]), abs=1e-6)
    assert row["start cka/fc"] < 0.99
    assert row["collapse/nc1"] > 0
    assert monitor.history.notes["samples"] == 20
    shorter = probe | {"mask": probe["mask"][:-1]}
    for wrong, match in (
        (shorter, "as many samples in every tensor, got 19 and 20"),
        ({"tokens": [1, 2]}, "a tensor or a mapping of tensors, got list"),
        ({}, "a tensor or a mapping of tensors, got nothing"),
        (np.zeros((20, 5)), "a tensor or a mapping of tensors, got ndarray"),
    ):
        with pytest.raises(ValueError, match=match):
            lw.torch.Monitor(model, wrong, tmp_path / "other.zarr")


def test_refusals(tmp_path):
    model, (x, y) = network(), data()
    store = Store.create(tmp_path / "run.zarr")
    for options, match in (
        ({"every": 0}, "every must be at least 1, got 0"),
        ({"probe": x[:1]}, "probe must have 2 samples or more, got 1"),
        ({"probe": (x, y[:-1]), "classifier": "6"}, "as many labels as samples, got 59 and 60"),
        ({"probe": x, "classifier": "6"}, r"classifier needs a probe of \(samples, labels\)"),
        ({"classifier": "fc"}, "Monitor: no layer 'fc' in the network"),
        ({"classifier": "2"}, "classifier '2' must have a weight of two axes"),
        ({"layers": "conv*"}, "'conv\\*' does not"),
        ({"measures": ["ckka"]}, "no measure 'ckka'"),
        ({"measures": []}, "measures must name at least one"),
    ):
        with pytest.raises(ValueError, match=match):
            lw.torch.Monitor(**{"model": model, "probe": (x, y), "store": store} | options)
    assert store.histories() == []
