"""Guidance of a network by the layers of another."""

import numpy as np
import pytest

import likewise as lw

torch = pytest.importorskip("torch")
nn = torch.nn

pytestmark = pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning")


def mlp(depth=3, width=6, normalized=True, seed=0):
    torch.manual_seed(seed)
    layers = []
    for k in range(depth):
        layers += [nn.Linear(8 if k == 0 else width, width)]
        layers += [nn.BatchNorm1d(width)] if normalized else []
        layers += [nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, 3))


def batch(n=32, seed=1):
    return torch.randn(n, 8, generator=torch.Generator().manual_seed(seed))


def linear_outputs(network, x):
    """Outputs of its linear layers by name, computed step by step."""
    outputs = {}
    for name, module in network.named_children():
        x = module(x)
        if isinstance(module, nn.Linear):
            outputs[name] = x
    return outputs


def test_the_even_map():
    names = [f"g{k}" for k in range(5)]
    assert lw.torch.even_layer_map(names[:3], list("abc")) == [
        ("g0", "a"),
        ("g1", "b"),
        ("g2", "c"),
    ]
    assert lw.torch.even_layer_map(names[:2], list("abcde")) == [("g0", "a"), ("g1", "e")]
    assert [t for _, t in lw.torch.even_layer_map(names, list("abc"))] == list("aabcc")
    assert lw.torch.even_layer_map(["g"], list("ab")) == [("g", "b")]
    with pytest.raises(ValueError, match="at least one layer"):
        lw.torch.even_layer_map([], ["a"])


def test_the_loss_and_its_gradient_are_those_of_the_pairs():
    guide, target, x = mlp(depth=2, width=5), mlp(depth=3, seed=2), batch()
    guidance = lw.torch.Guidance(guide, target, weight=0.5)
    target.eval()  # so that a second pass sees the same statistics
    target(x)
    loss = guidance(x)
    assert guidance.pairs == [("0", "0"), ("3", "6")]
    assert loss.requires_grad
    loss.backward()
    found = [p.grad.clone() for p in target.parameters() if p.grad is not None]

    guide.eval()
    guides, targets = linear_outputs(guide, x), linear_outputs(target, x)
    distances = [1 - lw.cka(targets[t], guides[g].detach()) for g, t in guidance.pairs]
    expected = 0.5 * sum(distances)
    assert loss.item() == pytest.approx(expected.item(), abs=1e-6)
    target.zero_grad()
    expected.backward()
    wanted = [p.grad for p in target.parameters() if p.grad is not None]
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    (step,) = guidance.log
    assert step.step == 0
    assert step.weight == 0.5
    assert step.loss == pytest.approx(loss.item(), abs=1e-6)
    assert list(step.distances) == ["0 -> 0", "3 -> 6"]
    np.testing.assert_allclose(
        list(step.distances.values()), [d.item() for d in distances], atol=1e-6
    )


def test_the_target_runs_once_and_the_guide_stays_as_it_is():
    guide, target, x = mlp(), mlp(seed=2), batch()
    calls = []
    target.register_forward_hook(lambda *_: calls.append(1))
    guide.train()
    guide[0].eval()
    before = {name: value.clone() for name, value in guide.state_dict().items()}
    guidance = lw.torch.Guidance(guide, target)
    target(x)
    guidance(x).backward()
    assert len(calls) == 1
    assert guide.training
    assert not guide[0].training
    assert guide[1].training
    for name, value in guide.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(p.grad is None and p.requires_grad for p in guide.parameters())


def test_modes_return_after_an_error_in_the_guide():
    guide, target, x = mlp(), mlp(seed=2), batch()
    guidance = lw.torch.Guidance(guide, target)
    target(x)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        guidance(x[:, :5])
    assert guide.training


def test_several_guide_layers_for_one_target_layer():
    guide, target, x = mlp(depth=4), mlp(depth=2, seed=2), batch()
    losses, logs = {}, {}
    for several in ("all", "mean", "last"):
        target.eval()
        with lw.torch.Guidance(guide, target, several=several) as guidance:
            target(x)
            losses[several] = guidance(x).item()
            logs[several] = list(guidance.log[0].distances.values())
    assert guidance.pairs == [("0", "0"), ("3", "0"), ("6", "3"), ("9", "3")]
    first, second, third, fourth = logs["all"]
    assert losses["all"] == pytest.approx(first + second + third + fourth, abs=1e-6)
    assert losses["mean"] == pytest.approx((first + second + third + fourth) / 2, abs=1e-6)
    assert losses["last"] == pytest.approx(second + fourth, abs=1e-6)


def test_schedules_and_the_end_of_guidance():
    guide, target, x = mlp(), mlp(seed=2), batch()
    runs = []
    guide.register_forward_hook(lambda *_: runs.append(1))
    guidance = lw.torch.Guidance(guide, target, weight=lambda step: 1 / (1 + step), until=2)
    losses = []
    for _ in range(4):
        task = target(x).square().mean()
        loss = guidance(x)
        (task + loss).backward()
        losses.append(loss.item())
    assert losses[0] > losses[1] > 0
    assert losses[2:] == [0, 0]
    assert len(runs) == 2
    assert [(s.step, s.weight) for s in guidance.log] == [(0, 1), (1, 0.5)]


def test_a_mapping_with_other_distances():
    guide, target, x = mlp(depth=2), mlp(depth=3, seed=2), batch()
    distance = lw.measure("procrustes", score="angular")
    guidance = lw.torch.Guidance(guide, target, {"0": ["0", "3"]}, distance=distance)
    target(x)
    loss = guidance(x)
    assert guidance.pairs == [("0", "0"), ("0", "3")]
    target.zero_grad()
    assert 0 < loss.item() < np.pi


def test_guidance_learns():
    guide, target = mlp(), mlp(seed=2)
    optimizer = torch.optim.Adam(target.parameters(), lr=0.02)
    with lw.torch.Guidance(guide, target) as guidance:
        for step in range(60):
            x = batch(64, seed=step)
            target(x)
            loss = guidance(x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert guidance.log[-1].loss < 0.5 * guidance.log[0].loss


def test_sequences_and_recurrent_calls():
    class Cells(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell, self.norm, self.out = nn.Linear(8, 4), nn.LayerNorm(4), nn.Linear(4, 2)

        def forward(self, x):
            states = [self.norm(self.cell(x[:, t])) for t in range(x.shape[1])]
            return self.out(states[-1])

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.out = nn.LSTM(8, 3), nn.Linear(3, 2)  # time first

        def forward(self, x):
            return self.out(self.rnn(x.transpose(0, 1))[0][-1])

    torch.manual_seed(0)
    x = torch.randn(16, 5, 8)
    target, guide = Cells(), Encoder()
    guidance = lw.torch.Guidance(guide, target, {"rnn": "cell"})
    target(x)
    loss = guidance(x)
    states = torch.stack([target.cell(x[:, t]) for t in range(5)], dim=1).flatten(1)
    outputs = guide.rnn(x.transpose(0, 1))[0].transpose(0, 1).flatten(1)
    expected = 1 - lw.cka(states.detach(), outputs.detach()).item()
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_validation_passes_are_not_guided():
    guide, target, x = mlp(), mlp(seed=2), batch()
    guidance = lw.torch.Guidance(guide, target)
    with torch.no_grad():
        target(x)
    with pytest.raises(RuntimeError, match="run the target on a batch, with gradients"):
        guidance(x)
    target(x)
    guidance(x)
    with pytest.raises(RuntimeError, match="before every call"):
        guidance(x)


def test_closed_hooks():
    guide, target = mlp(), mlp(seed=2)
    with lw.torch.Guidance(guide, target):
        pass
    for network in (guide, target):
        for module in network.modules():
            assert not module._forward_hooks
            assert not module._forward_pre_hooks


def test_constant_layers_count_as_unaligned():
    guide, target, x = mlp(), mlp(seed=2), batch()
    with torch.no_grad():
        target[6].weight.zero_()
    guidance = lw.torch.Guidance(guide, target)
    target(x)
    with pytest.warns(lw.DegenerateWarning, match="of 6 -> 6 are constant over this batch"):
        loss = guidance(x)
    assert guidance.log[0].distances["6 -> 6"] == 1
    loss.backward()
    assert torch.isfinite(target[0].weight.grad).all()


def test_targets_without_normalisation():
    with pytest.warns(lw.LikewiseWarning, match="target has no normalisation layers"):
        lw.torch.Guidance(mlp(), mlp(normalized=False))
    lw.torch.Guidance(mlp(normalized=False), mlp())
    scale = lw.measure("procrustes")
    with pytest.warns(lw.LikewiseWarning, match="procrustes does not see the scale"):
        lw.torch.Guidance(mlp(), mlp(normalized=False), distance=scale)


def test_refusals():
    guide, target, x = mlp(), mlp(seed=2), batch()
    with pytest.raises(ValueError, match="several must be one of"):
        lw.torch.Guidance(guide, target, several="first")
    with pytest.raises(ValueError, match="layers must be 'auto' or a mapping"):
        lw.torch.Guidance(guide, target, "even")
    with pytest.raises(ValueError, match="at least one pair"):
        lw.torch.Guidance(guide, target, {})
    with pytest.raises(ValueError, match="no layer '33' in the target; did you mean '3'"):
        lw.torch.Guidance(guide, target, {"0": "33"})
    with pytest.raises(ValueError, match="must be a differentiable measure"):
        lw.torch.Guidance(guide, target, distance="mutual_knn")
    with pytest.raises(ValueError, match="at most 1"):
        lw.torch.Guidance(guide, target, distance="hsic")
    distance = lw.measure("procrustes", score="euclidean", scale=False)
    with pytest.raises(ValueError, match="must be bounded"):
        lw.torch.Guidance(guide, target, distance=distance)
    guidance = lw.torch.Guidance(guide, target)
    target(x)
    with pytest.raises(ValueError, match="32 of target layer '0' and 20 of guide layer '0'"):
        guidance(x[:20])
