"""Recording what the layers of a network represent."""

import numpy as np
import pytest

import likewise as lw

torch = pytest.importorskip("torch")
nn = torch.nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.head = nn.Linear(6, 3)  # registered first, called last
        self.conv1 = nn.Conv2d(1, 4, 3)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(0.5)
        self.conv2 = nn.Conv2d(4, 6, 2)
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        x = self.dropout(self.relu(self.conv1(x)))
        x = self.relu(self.conv2(x))
        return self.head(x.mean((2, 3)))


@pytest.fixture
def net():
    return Net()


def images(n=10):
    return torch.randn(n, 1, 7, 6, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def by_hand(net, x):
    net.eval()
    conv1 = net.conv1(x)
    relu = net.relu(conv1)
    conv2 = net.conv2(relu)
    return {"conv1": conv1, "relu": relu, "conv2": conv2, "relu#2": net.relu(conv2)}


@pytest.mark.parametrize("how", ["flatten", "mean", "centre", "positions"])
@pytest.mark.parametrize("batch", [1, 7, 10])
def test_layers_are_those_of_a_forward_pass(net, how, batch):
    x = images()
    found = lw.torch.record(net, x.split(batch), ["conv*", "relu"], reduce=how)
    expected = by_hand(net, x)
    assert list(found) == [f"{name} [{how}, post]" for name in ("conv1", "relu", "conv2", "relu#2")]
    assert found.layers == ("conv1", "relu", "conv2", "relu#2")
    for name, value in expected.items():
        values = lw.reduce(value.numpy(), "nchw", how)
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(found[f"{name} [{how}, post]"], found[name])


def test_what_a_module_gets(net):
    x = images()
    found = lw.torch.record(net, x, "relu", reduce="flatten", stage="pre")
    expected = by_hand(net, x)["conv1"].flatten(1)
    assert list(found) == ["relu [flatten, pre]", "relu#2 [flatten, pre]"]
    np.testing.assert_allclose(found["relu"], expected, rtol=1e-5, atol=1e-6)


def test_layers_by_function_and_by_name(net):
    x = images()
    convolutions = lw.torch.record(
        net, x, lambda name, module: isinstance(module, nn.Conv2d), reduce="mean"
    )
    assert convolutions.layers == ("conv1", "conv2")
    head = lw.torch.record(net, x, "head")  # in two axes already
    assert list(head) == ["head [post]"]
    np.testing.assert_allclose(head["head"], net.eval()(x).detach(), rtol=1e-5, atol=1e-6)
    everything = lw.torch.record(net, x, reduce="mean")
    assert everything.layers[-1] == "head"
    assert "unused" not in everything.layers


def test_grids_show_how_it_was_recorded(net):
    found = lw.torch.record(net, images(40), "conv*", reduce="centre")
    grid = lw.pairwise(found, "procrustes")
    assert grid.rows == ("conv1 [centre, post]", "conv2 [centre, post]")


def test_modes_and_hooks_return(net):
    net.train()
    net.conv1.eval()
    calls = []
    net.register_forward_pre_hook(lambda *_: calls.append(1))
    lw.torch.record(net, images().split(5), "conv1", reduce="mean")
    assert len(calls) == 2  # a forward pass per batch
    assert net.training
    assert not net.conv1.training
    assert not net.conv1._forward_hooks
    with pytest.raises(RuntimeError):
        lw.torch.record(net, torch.zeros(3, 2, 7, 6), "conv1", reduce="mean")
    assert net.training
    assert not net.conv1._forward_hooks
    assert net(images()).requires_grad


@pytest.mark.parametrize("stage", ["pre", "post"])
def test_forward_passes_end_at_the_last_layer_wanted(net, stage):
    calls = []
    for name in ("conv1", "relu", "conv2", "head"):
        module = getattr(net, name)
        module.register_forward_hook(lambda *_, name=name: calls.append(name))
    x = images()
    for layers in (["relu", "conv1"], ["relu"], ["conv2"], ["head"]):
        calls.clear()
        found = lw.torch.record(net, x.split(4), layers, reduce="mean", stage=stage)
        counts = [calls.count(name) for name in ("conv1", "conv2", "head")]
        # Three batches; the first one goes to the end, and tells which call is the last one.
        conv2 = 1 if stage == "pre" and layers == ["conv2"] else 3
        after = {"pre": 1, "post": 3}[stage] if layers == ["head"] else 1
        assert counts == [3, conv2, after]
        whole = lw.torch.record(net, x, layers, reduce="mean", stage=stage)
        for label, values in whole.items():
            np.testing.assert_allclose(found[label], values, rtol=1e-5, atol=1e-6)


def test_batches_as_loaders_and_models_take_them(net):
    x = images()
    expected = lw.torch.record(net, x, "head")["head"]
    labelled = torch.utils.data.TensorDataset(x, torch.arange(10))
    loader = torch.utils.data.DataLoader(labelled, batch_size=4)
    for data in (loader, [{"x": x[:6]}, {"x": x[6:]}], [[x, "names"]], {"x": x}):
        found = lw.torch.record(net, data, "head")["head"]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    for samples in (1, 4, 7, 10, 50):
        found = lw.torch.record(net, loader, "head", samples=samples)["head"]
        np.testing.assert_allclose(found, expected[:samples], rtol=1e-5, atol=1e-6)


def test_drawn_positions(net):
    x = images(20)
    options = {"reduce": "positions", "positions": 5}
    found = lw.torch.record(net, x, "*", **options)
    assert found["conv1"].shape == (20 * 5, 4)
    maps = by_hand(net, x)
    places = maps["conv1"].flatten(2).transpose(1, 2)
    where = [
        int((places[0] - torch.tensor(row)).abs().sum(1).argmin()) for row in found["conv1"][:5]
    ]
    assert where == sorted(set(where))
    expected = places[:, where].reshape(-1, 4)
    np.testing.assert_allclose(found["conv1"], expected, rtol=1e-5, atol=1e-6)
    relu = maps["relu"].flatten(2).transpose(1, 2)[:, where].reshape(-1, 4)
    np.testing.assert_allclose(found["relu"], relu, rtol=1e-5, atol=1e-6)  # the same places
    other = lw.torch.record(net, x, "conv1", random_state=1, **options)
    assert not np.array_equal(other["conv1"], found["conv1"])
    part = lw.torch.record(net, x.split(7), "conv1", samples=9, **options)
    np.testing.assert_allclose(part["conv1"], found["conv1"][:45], rtol=1e-5, atol=1e-6)


def test_sequences_and_tuples():
    class Sequences(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.embed, self.rnn = nn.Embedding(9, 4), nn.LSTM(4, 5, batch_first=True)

        def forward(self, tokens):
            return self.rnn(self.embed(tokens))

    model, tokens = Sequences(), torch.randint(9, (6, 7), generator=torch.manual_seed(0))
    found = lw.torch.record(model, tokens, "rnn", reduce="mean")
    expected = model(tokens)[0].mean(1).detach()
    np.testing.assert_allclose(found["rnn"], expected, rtol=1e-5, atol=1e-6)


def test_time_first_layers():
    class Sequences(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.rnn, self.out = nn.GRU(4, 5), nn.Linear(5, 2)

        def forward(self, x):
            return self.out(self.rnn(x.transpose(0, 1))[0])

    model, x = Sequences(), torch.randn(6, 3, 4, generator=torch.manual_seed(0))
    found = lw.torch.record(model, x, "rnn", reduce="mean")
    expected = model.rnn(x.transpose(0, 1))[0].mean(0).detach()
    np.testing.assert_allclose(found["rnn"], expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match=r"the 6 samples .* got shape \(3, 6, 2\) of 'out'"):
        lw.torch.record(model, x, "out", reduce="mean")  # which says nothing about its axes


def test_hugging_face_models():
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=20,
        vocab_size=30,
    )
    torch.manual_seed(0)
    model = transformers.BertModel(config)
    tokens = torch.randint(30, (6, 8), generator=torch.manual_seed(0))
    batches = [
        {"input_ids": part, "attention_mask": torch.ones_like(part)} for part in tokens.split(4)
    ]
    found = lw.torch.record(model, batches, "encoder.layer.?", reduce="mean")
    assert found.layers == ("encoder.layer.0", "encoder.layer.1")
    model.eval()
    with torch.no_grad():
        states = model(input_ids=tokens, output_hidden_states=True).hidden_states
    for layer, state in zip(found.layers, states[1:], strict=True):
        np.testing.assert_allclose(found[layer], state.mean(1), rtol=1e-4, atol=1e-5)


def test_timm_models():
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    x = torch.randn(6, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    convolutional = timm.create_model("resnet10t", pretrained=False).eval()
    found = lw.torch.record(convolutional, x.split(4), ["layer?", "fc"], reduce="mean")
    assert found.layers == ("layer1", "layer2", "layer3", "layer4", "fc")
    with torch.no_grad():
        features = convolutional.forward_features(x)
        np.testing.assert_allclose(found["layer4"], features.mean((2, 3)), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(found["fc"], convolutional(x), rtol=1e-4, atol=1e-5)
    transformer = timm.create_model("vit_tiny_patch16_224", pretrained=False, img_size=32).eval()
    found = lw.torch.record(transformer, x.split(4), "blocks.?", reduce="mean")
    assert found.layers == tuple(f"blocks.{k}" for k in range(10))
    with torch.no_grad():
        states = transformer.forward_intermediates(
            x, indices=list(range(10)), norm=False, output_fmt="NLC", return_prefix_tokens=True
        )[1]
    for layer, (patches, prefix) in zip(found.layers, states, strict=True):
        mean = torch.cat([prefix, patches], dim=1).mean(1)
        np.testing.assert_allclose(found[layer], mean, rtol=1e-4, atol=1e-5)


def test_half_precision(net):
    found = lw.torch.record(net, images(), "conv1", reduce="mean", dtype=np.float16)
    assert found["conv1"].dtype == np.float16


@pytest.mark.parametrize("how", ["mean", "positions"])
def test_into_a_store(net, tmp_path, how):
    pytest.importorskip("zarr")
    store = lw.scale.Store.create(tmp_path / "new.zarr")
    x, names = images(), [f"image {k}" for k in range(10)]
    keys = lw.torch.record(
        net,
        x.split(4),
        ["conv*", "head"],
        reduce=how,
        store=store,
        model_name="net",
        checkpoint="epoch 1",
        data_name=how,
        ids=None if how == "positions" else names,
        samples=9,
    )
    expected = lw.torch.record(net, x, ["conv*", "head"], reduce=how, samples=9)
    assert [key.layer for key in keys] == ["conv1", "conv2", "head"]
    for key in keys:
        np.testing.assert_allclose(store.read(key), expected[key.layer], rtol=1e-5, atol=1e-6)
    if how == "mean":
        assert store.ids(keys[0]).tolist() == names[:9]
    assert store.label(keys[0]) == f"net/epoch 1/{how}/conv1 [{how}, post]"
    assert store.label(keys[2]) == f"net/epoch 1/{how}/head [post]"


def test_refusals(net):
    x = images()
    record = lw.torch.record
    with pytest.raises(ValueError, match=r"'conv3' does not; near are conv1, conv2|conv2, conv1"):
        record(net, x, "conv3")
    with pytest.raises(ValueError, match="choose at least one module, got none"):
        record(net, x, lambda name, module: False)
    with pytest.raises(ValueError, match="layer 'unused' is not called"):
        record(net, x, "unused")
    with pytest.raises(ValueError, match="none is called"):
        record(net, x, "unus*")
    with pytest.raises(ValueError, match=r"reduce must be given for layer 'conv1' of shape \(10, "):
        record(net, x, "conv1")
    with pytest.raises(ValueError, match="reduce: how must be one of"):
        record(net, x, "conv1", reduce="max")
    with pytest.raises(ValueError, match="stage must be 'pre' or 'post'"):
        record(net, x, "conv1", stage="middle")
    with pytest.raises(ValueError, match="dtype must be float32 or float16, got float64"):
        record(net, x, "conv1", dtype=np.float64)
    with pytest.raises(ValueError, match="positions goes with reduce='positions'"):
        record(net, x, "conv1", reduce="mean", positions=3)
    with pytest.raises(ValueError, match="at least one sample, got none"):
        record(net, [], "head")
    with pytest.raises(ValueError, match=r"batches must be tensors, .* got str"):
        record(net, ["image.png"], "head")
    with pytest.raises(ValueError, match=r"as wide in every batch, got \[40, 80\] units"):
        record(net, [x, x[..., :4]], "conv1", reduce="flatten")
