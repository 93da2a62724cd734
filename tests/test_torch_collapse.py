"""The monitor of neural collapse."""

import numpy as np
import pytest

import likewise as lw

torch = pytest.importorskip("torch")
nn = torch.nn


def network(seed=0):
    torch.manual_seed(seed)
    layers = [nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3)]
    return nn.Sequential(*layers)


def data(n=60, seed=1):
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 3
    x = torch.randn(n, 6, generator=generator) + torch.nn.functional.one_hot(y, 6)
    return x, y


def batches(x, y, size=16):
    return list(zip(x.split(size), y.split(size), strict=True))


def state(model):
    return [
        [module.training for module in model.modules()],
        [parameter.grad for parameter in model.parameters()],
        [parameter.requires_grad for parameter in model.parameters()],
        [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()],
        [buffer.tolist() for buffer in model.buffers()],
        torch.random.get_rng_state().tolist(),
    ]


def test_the_numbers_are_those_of_the_features():
    model, (x, y) = network(), data()
    model[1].eval()  # modes that differ come back as they were
    before = state(model)
    monitor = lw.torch.CollapseMonitor(model, batches(x, y), "4")
    found = monitor(7)
    assert state(model) == before
    model.eval()
    with torch.no_grad():
        features = model[:4](x)
    expected = lw.neural_collapse(features, y, model[4].weight.detach(), model[4].bias.detach())
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    monitor()
    assert [step for step, _ in monitor.history] == [7, 1]
    assert monitor.history[0][1] == found
    named = lw.torch.CollapseMonitor(model, batches(x, y), "4", layer="2")()
    np.testing.assert_allclose(named, expected, rtol=1e-5)


def test_other_layers_have_no_classifier():
    model, (x, y) = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)), data()
    found = lw.torch.CollapseMonitor(nn.Sequential(nn.Identity(), model), batches(x, y), "1.2", "0")
    nc = found()
    assert np.isnan([nc.nc3, nc.nc4]).all()
    assert nc[:3] == pytest.approx(lw.neural_collapse(x, y)[:3], rel=1e-6)


def test_a_loader_leaves_the_random_state_alone():
    model, (x, y) = network(), data()
    dataset = torch.utils.data.TensorDataset(x, y)
    loader = torch.utils.data.DataLoader(dataset, batch_size=16, shuffle=True)
    before = torch.random.get_rng_state()
    one = lw.torch.CollapseMonitor(model, loader, "4")()
    assert torch.equal(torch.random.get_rng_state(), before)
    whole = lw.torch.CollapseMonitor(model, [(x, y)], "4")()
    np.testing.assert_allclose(one, whole, rtol=1e-4, atol=1e-6)


def test_everything_is_restored_after_an_error():
    model, (x, y) = network(), data()
    before = state(model)
    for probe, message in [
        ([(x, y), (torch.full_like(x, torch.nan), y)], "features must be finite"),
        ([(x, torch.zeros(60, dtype=torch.int64))], "at least 2 classes"),
        ([], "the probe gave no batches"),
    ]:
        monitor = lw.torch.CollapseMonitor(model, probe, "4")
        with pytest.raises(ValueError, match=message):
            monitor()
        assert state(model) == before
        assert monitor.history == []
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        lw.torch.CollapseMonitor(model, [(x[:, :3], y)], "4")()
    assert state(model) == before


def test_names():
    model, (x, y) = network(), data()
    model.add_module("classifier", nn.Identity())
    with pytest.raises(ValueError, match=r"no layer 'clasifier'.*mean 'classifier'"):
        lw.torch.CollapseMonitor(model, batches(x, y), "clasifier")
    with pytest.raises(ValueError, match="classifier 'classifier' must have a weight of two axes"):
        lw.torch.CollapseMonitor(model, batches(x, y), "classifier")
    with pytest.raises(ValueError, match="no layer 'x' in the network"):
        lw.torch.CollapseMonitor(model, batches(x, y), "4", layer="x")


def test_training_lowers_nc1():
    model, (x, y) = network(), data()
    monitor = lw.torch.CollapseMonitor(model, batches(x, y), "4")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    monitor()
    model[3].p = 0.0
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    monitor()
    (_, first), (_, last) = monitor.history
    assert last.nc1 < 0.8 * first.nc1
