"""What hooks see: modules that work in place, compiled networks, padded batches."""

import itertools

import numpy as np
import pytest

import likewise as lw

torch = pytest.importorskip("torch")
nn = torch.nn
scale_free = pytest.mark.filterwarnings("ignore:Guidance. .* does not see the scale")

# Modules that write over what they get, by the arguments they need.
_MODULES = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "silu": nn.SiLU,
    "hardswish": nn.Hardswish,
    "hardsigmoid": nn.Hardsigmoid,
    "hardtanh": nn.Hardtanh,
    "leaky_relu": lambda inplace: nn.LeakyReLU(0.1, inplace),
    "elu": lambda inplace: nn.ELU(1.0, inplace),
    "celu": lambda inplace: nn.CELU(1.0, inplace),
    "selu": nn.SELU,
    "mish": nn.Mish,
    "threshold": lambda inplace: nn.Threshold(0.1, 0.3, inplace),
    "dropout": lambda inplace: nn.Dropout(0.5, inplace),
}


def _add(x, other, inplace):
    if inplace:
        x += other
        return x
    return x + other


def _first_column_of_zeros(x, inplace):
    x = x if inplace else x.clone()
    x[:, 0] = 0
    return x


# Operations that do, in a forward pass, with the value that skipped the layer before.
_OPERATIONS = {
    "relu_": lambda x, skip, inplace: x.relu_() if inplace else x.relu(),
    "mul_": lambda x, skip, inplace: x.mul_(3 * skip) if inplace else x.mul(3 * skip),
    "clamp_": lambda x, skip, inplace: x.clamp_(-0.1, 0.2) if inplace else x.clamp(-0.1, 0.2),
    "masked_fill_": lambda x, skip, inplace: (
        x.masked_fill_(skip > 0, 0.5) if inplace else x.masked_fill(skip > 0, 0.5)
    ),
    "slice": lambda x, skip, inplace: _first_column_of_zeros(x, inplace),
    "residual": _add,
}


class Net(nn.Module):
    """Convolutions or linear layers with something between them, in place or not."""

    def __init__(self, kind, inplace, dense):
        super().__init__()
        torch.manual_seed(0)
        layer = (lambda i, o: nn.Linear(i, o)) if dense else (lambda i, o: nn.Conv2d(i, o, 1))
        self.first, self.second, self.third = layer(3, 4), layer(4, 4), layer(4, 4)
        self.fc = nn.Linear(4, 3)
        self.between = _MODULES[kind](inplace=inplace) if kind in _MODULES else nn.Identity()
        self.operation = _OPERATIONS.get(kind, lambda x, skip, inplace: x)
        self.inplace, self.dense = inplace, dense

    def forward(self, x):
        skip = self.first(x)
        y = self.operation(self.second(self.between(skip.clone())), skip.detach(), self.inplace)
        y = self.operation(self.between(self.third(y)), skip.detach(), self.inplace)
        return self.fc(y if self.dense else y.mean((2, 3)))


def both(kind, dense):
    """The network that works in place, and its twin that does not."""
    return [Net(kind, inplace, dense).eval() for inplace in (True, False)]


def guide_for(net):
    """Another network of the same layers."""
    other = Net("relu", False, net.dense).eval()
    for module in (other.first, other.third):
        nn.init.normal_(module.weight, generator=torch.Generator().manual_seed(2))
    return other


def samples(dense, n=24):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(*((n, 3) if dense else (n, 3, 4, 3)), generator=generator)


@pytest.fixture(params=[*_MODULES, *_OPERATIONS])
def kind(request):
    return request.param


@pytest.mark.parametrize("stage", ["pre", "post"])
@pytest.mark.parametrize("how", [None, "mean"])
def test_recordings_are_of_what_a_module_saw(kind, how, stage):
    dense = how is None
    found, expected = (
        lw.torch.record(net, samples(dense).split(15), reduce=how, stage=stage)
        for net in both(kind, dense)
    )
    assert list(found) == list(expected)
    for label, values in expected.items():
        np.testing.assert_array_equal(found[label], values, err_msg=label)


@pytest.mark.parametrize("how", ["flatten", "centre", "positions"])
@pytest.mark.parametrize("kind", ["relu", "residual"])
def test_whatever_becomes_of_positions(kind, how):
    test_recordings_are_of_what_a_module_saw(kind, how, "post")


@scale_free
def test_guidance_sees_what_a_module_gave(kind):
    x, layers = samples(False), {name: name for name in ("first", "second", "third")}
    for guide, target in itertools.permutations(both(kind, False)):
        with lw.torch.Guidance(guide, target, layers, distance="procrustes") as guidance:
            target(x)
            assert guidance(x).item() < 1e-3


@scale_free
def test_guidance_has_the_gradients_of_a_network_that_does_not_work_in_place(kind):
    gradients = []
    for net in both(kind, False):
        layers = {"first": ["first", "second", "third"]}
        with lw.torch.Guidance(guide_for(net), net, layers) as guidance:
            net(samples(False))
            guidance(samples(False)).backward()
        gradients.append([p.grad for p in net.parameters() if p.grad is not None])
    for found, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("kind", ["relu", "silu", "slice", "residual"])
def test_monitors_see_what_a_module_gave(kind, tmp_path):
    pytest.importorskip("zarr")
    x, labels = samples(False), torch.arange(24) % 3
    rows, collapses = [], []
    for name, net in zip(("in place", "not"), both(kind, False), strict=True):
        monitor = lw.torch.Monitor(
            net, (x, labels), tmp_path / name, classifier="fc", reference=guide_for(net)
        )
        rows.append({k: v for k, v in monitor.history.read().items() if "time" not in k})
        collapses.append(lw.torch.CollapseMonitor(net, [(x, labels)], "fc", layer="third")())
    assert rows[0] == rows[1]
    assert collapses[0] == collapses[1]


def _compiled(net, how):
    if how == "network":
        compiled = torch.compile(net, backend="eager")
    elif how == "in place":
        net.compile(backend="eager")
        compiled = net
    else:
        net.between = torch.compile(nn.Sequential(net.between), backend="eager")
        compiled = net
    with torch.no_grad():
        compiled(samples(net.dense))
    return compiled


@scale_free
@pytest.mark.parametrize("how", ["network", "in place", "module"])
def test_compiled_networks_are_recorded_as_what_was_compiled(how, tmp_path):
    x, labels = samples(False), torch.arange(24) % 3
    expected = lw.torch.record(Net("relu", False, False), x, reduce="mean")
    compiled = _compiled(Net("relu", False, False), how)
    found = lw.torch.record(compiled, x, reduce="mean")
    assert set(expected) <= set(found)
    for label, values in expected.items():
        np.testing.assert_array_equal(found[label], values)
    pytest.importorskip("zarr")
    monitor = lw.torch.Monitor(compiled, (x, labels), tmp_path / "run", classifier="fc")
    assert set(monitor.history.read()) >= {"start cka/first", "collapse/nc1"}
    with lw.torch.Guidance(compiled, guide_for(Net("relu", False, False))) as guidance:
        guidance.target(x)
        assert guidance(x).item() > 0


@scale_free
def test_guidance_of_a_compiled_network():
    x, layers = samples(False), {"first": ["first", "third"]}
    net = Net("relu", False, False)
    compiled = torch.compile(net, backend="eager")
    torch._dynamo.reset()  # networks of one class share what was compiled of them
    with lw.torch.Guidance(guide_for(net), compiled, layers) as guidance:  # before its first run
        compiled(x)
        loss = guidance(x)
    with lw.torch.Guidance(guide_for(net), net, layers) as guidance:
        net(x)
        torch.testing.assert_close(loss, guidance(x))
    torch._dynamo.reset()
    compiled(x)
    with lw.torch.Guidance(guide_for(net), compiled, layers) as guidance:
        compiled(x)
        with pytest.raises(RuntimeError, match=r"compiled code .* torch._dynamo.reset\(\) once"):
            guidance(x)
        torch._dynamo.reset()
        compiled(x)
        torch.testing.assert_close(loss, guidance(x))


class Text(nn.Module):
    """Takes a mask as networks of text do, and returns sequences and a pooled vector."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.norm, self.pool = nn.Embedding(9, 4), nn.LayerNorm(4), nn.Linear(4, 3)

    def forward(self, input_ids, attention_mask):
        weights = attention_mask[..., None] / attention_mask.sum(1)[:, None, None]
        return self.pool((self.norm(self.embed(input_ids)) * weights).sum(1))


def _texts(padded):
    tokens = torch.randint(9, (6, 5), generator=torch.Generator().manual_seed(3))
    mask = torch.ones_like(tokens)
    if padded:
        mask[2, 3:] = 0
    return {"input_ids": tokens, "attention_mask": mask}


def test_guidance_refuses_padding():
    model, guide = Text(), Text()
    with lw.torch.Guidance(guide, model, {"norm": "norm"}) as guidance:
        model(**_texts(True))
        with pytest.raises(ValueError, match=r"layer 'norm' of the guide .*has zeros"):
            guidance(**_texts(True))
        model(**_texts(False))
        assert guidance(**_texts(False)).item() < 1e-6
