"""Recordings of padded batches, and of layers with axes and outputs of their own."""

from dataclasses import dataclass

import numpy as np
import pytest

import likewise as lw

torch = pytest.importorskip("torch")
nn = torch.nn
REDUCTIONS = ["mean", "first", "last", "centre", "positions"]


class Text(nn.Module):
    """A network of text with a convolution over time, attention and a pooled vector."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.norm = nn.Embedding(9, 4), nn.LayerNorm(4)
        self.conv = nn.Conv1d(4, 6, 1)
        self.act, self.pool = nn.ReLU(), nn.Linear(6, 3)

    def forward(self, input_ids, attention_mask=None):
        x = self.norm(self.embed(input_ids))
        x = self.act(self.conv(x.transpose(1, 2)))
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        return self.pool((x * mask[:, None]).sum(2))


LENGTHS = [5, 3, 1, 4, 5, 2]


def texts(side):
    """A padded batch, and the samples of it alone."""
    generator = torch.Generator().manual_seed(3)
    alone = [torch.randint(1, 9, (1, n), generator=generator) for n in LENGTHS]
    tokens, mask = torch.zeros(6, 5, dtype=torch.long), torch.zeros(6, 5, dtype=torch.long)
    for i, own in enumerate(alone):
        place = slice(0, LENGTHS[i]) if side == "right" else slice(5 - LENGTHS[i], 5)
        tokens[i, place], mask[i, place] = own[0], 1
    return {"input_ids": tokens, "attention_mask": mask}, [{"input_ids": own} for own in alone]


def batches(padded, size):
    return [
        {name: value[k : k + size] for name, value in padded.items()}
        for k in range(0, len(padded["input_ids"]), size)
    ]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("how", REDUCTIONS)
@pytest.mark.parametrize("size", [1, 4, 6])
def test_padded_samples_are_recorded_as_if_alone(side, how, size):
    padded, alone = texts(side)
    found = lw.torch.record(Text(), batches(padded, size), reduce=how)
    expected = [lw.torch.record(Text(), one, reduce=how) for one in alone]
    assert found.layers == ("embed", "norm", "conv", "act", "pool")
    for layer in found.layers:
        rows = np.concatenate([one[layer] for one in expected])
        np.testing.assert_allclose(found[layer], rows, rtol=1e-5, atol=1e-6, err_msg=layer)


def test_some_samples_of_a_padded_batch():
    padded, _ = texts("left")
    whole = lw.torch.record(Text(), padded, reduce="positions")
    part = lw.torch.record(Text(), padded, reduce="positions", samples=3)
    np.testing.assert_array_equal(part["conv"], whole["conv"][: sum(LENGTHS[:3])])


def test_masks_of_the_caller():
    padded, _ = texts("right")
    tokens = {"input_ids": padded["input_ids"]}
    mask = padded["attention_mask"].numpy()
    expected = lw.torch.record(Text(), padded, ["embed", "act"], reduce="mean")
    for given in (mask, mask.astype(bool), lambda batch: batch["input_ids"] > 0):
        found = lw.torch.record(
            Text(), batches(tokens, 4), ["embed", "act"], reduce="mean", mask=given
        )
        for label, values in expected.items():
            np.testing.assert_allclose(found[label], values, rtol=1e-6)
    # The caller's goes before the batch's: all tokens but the last of each sample.
    longer = mask.copy()
    longer[:, 0] = 1
    last = lw.torch.record(Text(), padded, "embed", reduce="first", mask=longer)
    weights = Text().embed(padded["input_ids"][:, 0]).detach()
    np.testing.assert_array_equal(last["embed"], weights)


def test_ids_of_kept_positions(tmp_path):
    pytest.importorskip("zarr")
    store = lw.scale.Store.create(tmp_path / "new.zarr")
    padded, _ = texts("left")
    (key,) = lw.torch.record(
        Text(), batches(padded, 4), "norm", reduce="positions", store=store, ids=list("abcdef")
    )
    expected = [f"{i}/{k}" for i, n in zip("abcdef", LENGTHS, strict=True) for k in range(5 - n, 5)]
    assert store.ids(key).tolist() == expected


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Embedding(9, 4), nn.Embedding(9, 4)

    def forward(self, input_ids, attention_mask, decoder_input_ids):
        return self.encoder(input_ids), self.decoder(decoder_input_ids)


def test_masks_of_two_sequences():
    padded, _ = texts("right")
    both = padded | {"decoder_input_ids": padded["input_ids"].flip(1)}
    found = lw.torch.record(Decoder(), both, "encoder", reduce="last")["encoder"]
    assert found.shape == (6, 4)
    with pytest.raises(ValueError, match="mask must be given for layer 'decoder'"):
        lw.torch.record(Decoder(), both, "decoder", reduce="last")
    model = Decoder()
    found = lw.torch.record(
        model, both, "decoder", reduce="last", mask=padded["attention_mask"].flip(1)
    )
    expected = model.decoder(both["decoder_input_ids"][:, -1]).detach()
    np.testing.assert_array_equal(found["decoder"], expected)


class Prefixed(Text):
    """Sequences with a token in front that no mask knows, and maps."""

    def __init__(self):
        super().__init__()
        self.after, self.maps = nn.LayerNorm(4), nn.Conv2d(1, 2, 1)

    def forward(self, input_ids, attention_mask=None):
        x = self.embed(input_ids)
        self.maps(x[:, None])
        return self.after(torch.cat([x[:, :1], x], dim=1))


@pytest.mark.parametrize(
    ("layers", "options", "text"),
    [
        ("after", {}, r"'after' of shape \(6, 6, 4\) \(ntd\) cannot be masked: 'attention_mask'"),
        ("maps", {}, r"'maps' .* has zeros and 5 positions, the layer those of a feature map"),
        ("embed", {"reduce": "flatten"}, "'embed' of shape .* is padded, so that flattened"),
        ("embed", {"reduce": "positions", "positions": 2}, "is padded, so that drawn positions"),
        ("embed", {"mask": np.ones((6, 4, 2))}, r"mask must have shape \(n, t\)"),
        ("embed", {"mask": np.ones((3, 5))}, "a row for each of the 6 samples of a batch"),
        ("embed", {"mask": np.tri(6, 4)}, "'mask' has zeros and 4 positions, the layer 5"),
    ],
)
def test_masks_that_cannot_be_placed(layers, options, text):
    padded, _ = texts("right")
    with pytest.raises(ValueError, match=text):
        lw.torch.record(Prefixed(), padded, layers, **{"reduce": "mean"} | options)


class Layered(nn.Module):
    """Axes of all kinds; between them, modules that have none of their own."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.act1 = nn.Conv1d(3, 4, 1), nn.GELU()
        self.linear, self.act2 = nn.Linear(4, 5), nn.GELU()
        self.rnn = nn.GRU(5, 6)
        self.block = nn.Sequential(nn.LayerNorm(6), nn.Identity())
        self.outer = nn.TransformerEncoderLayer(6, 2, 7, 0.0)
        self.last = nn.Identity()

    def forward(self, x):
        x = self.act1(self.conv(x)).transpose(1, 2)
        x = self.act2(self.linear(x)).transpose(0, 1)
        x = self.outer(self.rnn(x)[0])
        return self.last(x @ x.transpose(1, 2))


def test_axes_are_known_by_type():
    torch.manual_seed(1)
    model, x = Layered().eval(), torch.randn(5, 3, 7)
    layers = ["conv", "act1", "linear", "act2", "rnn", "outer", "outer.linear?", "outer.norm2"]
    found = lw.torch.record(model, x.split(3), layers, reduce="mean")
    with torch.no_grad():
        conv = model.conv(x)
        linear = model.linear(nn.GELU()(conv).transpose(1, 2))
        rnn = model.rnn(nn.GELU()(linear).transpose(0, 1))[0]
        outer = model.outer(rnn)
    assert found.layers == (
        *("conv", "act1", "linear", "act2", "rnn", "outer.linear1", "outer.linear2"),
        *("outer.norm2", "outer"),
    )
    for name, value in {
        "conv": conv.mean(2),
        "act1": nn.GELU()(conv).mean(2),
        "linear": linear.mean(1),
        "act2": nn.GELU()(linear).mean(1),
        "rnn": rnn.mean(0),
        "outer.norm2": outer.mean(0),
        "outer": outer.mean(0),
    }.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-5, err_msg=name)


def test_axes_that_nothing_says_must_be_given():
    model, x = Layered(), torch.randn(5, 3, 7)
    with pytest.raises(
        ValueError, match=r"layout must be given for layer 'last' .*or leave it out"
    ):
        lw.torch.record(model, x, "last", reduce="mean")
    found = lw.torch.record(model, x, ["last", "conv"], reduce="mean", layout={"la*": "tnd"})
    assert found["last"].shape == (5, 5)
    assert found["conv"].shape == (5, 4)
    with pytest.raises(ValueError, match=r"layout 'nchw' of layer 'last' needs 4 axes, got shape"):
        lw.torch.record(model, x, "last", reduce="mean", layout="nchw")
    with pytest.raises(ValueError, match=r"5 samples of a batch along their axis n, got .* ntd"):
        lw.torch.record(model, x, "last", reduce="mean", layout="ntd")
    with pytest.raises(ValueError, match=r"layout must be one of .* got 'chw'"):
        lw.torch.record(model, x, "last", reduce="mean", layout="chw")


@dataclass
class Output:
    logits: torch.Tensor
    hidden: tuple


class Parts(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.inner = nn.Linear(3, 8)
        self.tuples, self.named, self.classed = _Gives(), _Gives(), _Gives()

    def forward(self, x):
        x = self.inner(x)
        self.tuples(lambda: (x.long(), (x, x + 1)))
        self.named(lambda: {"a": x, "b": x + 2})
        return self.classed(lambda: Output(x, (x, x + 3)))


class _Gives(nn.Module):
    def forward(self, make):
        return make()


def test_parts_of_outputs():
    model, x = Parts(), torch.randn(6, 3)
    inner = model.inner(x).detach().numpy()
    found = lw.torch.record(
        model,
        x,
        ["tuples", "named", "classed"],
        output={"tuples": lambda given: given[1][1], "named": "b", "cl*": "logits"},
    )
    np.testing.assert_array_equal(found["tuples"], inner + 1)
    np.testing.assert_array_equal(found["named"], inner + 2)
    np.testing.assert_array_equal(found["classed"], inner)
    default = lw.torch.record(model, x, ["tuples", "named"])
    np.testing.assert_array_equal(default["named"], inner)  # the first floating-point tensor
    np.testing.assert_array_equal(default["tuples"], inner)
    for wrong in (7, "logit", "c"):
        with pytest.raises(ValueError, match=r"output must be a part of what layer '\w+' gives"):
            lw.torch.record(model, x, ["tuples", "named", "classed"], output=wrong)
    with pytest.raises(ValueError, match="'tuples' gives no floating-point tensor"):
        lw.torch.record(model, x, "tuples", output=0)


def test_heads_of_attention():
    padded, _ = texts("right")
    whole = lw.torch.record(Text(), padded, ["norm", "conv"], reduce="mean")
    found = lw.torch.record(
        Text(), padded, ["norm", "conv"], reduce="mean", heads={"norm": 2, "conv": 3}
    )
    assert found.layers == (
        *("norm.head0", "norm.head1", "conv.head0", "conv.head1", "conv.head2"),
    )
    for name, heads in (("norm", 2), ("conv", 3)):
        parts = [found[f"{name}.head{k}"] for k in range(heads)]
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole[name])
    with pytest.raises(ValueError, match="heads must divide the units of layer 'norm', got 3 of 4"):
        lw.torch.record(Text(), padded, "norm", reduce="mean", heads=3)


def test_reductions_of_the_caller():
    def largest(values, mask):
        return values[mask].max(axis=0)

    padded, alone = texts("left")
    found = lw.torch.record(Text(), batches(padded, 4), reduce=largest)
    assert next(iter(found)) == "embed [largest, post]"
    expected = [lw.torch.record(Text(), one, reduce=largest) for one in alone]
    for layer in found.layers:
        rows = np.concatenate([one[layer] for one in expected])
        np.testing.assert_allclose(found[layer], rows, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match=r"one axis for each sample, got shape \(5, 4\) .*'embed'"):
        lw.torch.record(Text(), padded, "embed", reduce=lambda values, mask: values)


def test_wrapped_networks_have_the_names_of_what_was_wrapped(tmp_path):
    from torch import distributed
    from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper

    padded, _ = texts("right")
    expected = lw.torch.record(Text(), padded, reduce="mean")
    inner = Text()
    inner.norm, inner.act = checkpoint_wrapper(inner.norm), checkpoint_wrapper(inner.act)
    distributed.init_process_group("gloo", f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        wrapped = [nn.DataParallel(Text()), nn.parallel.DistributedDataParallel(Text()), inner]
        for network in wrapped:
            found = lw.torch.record(network, padded, reduce="mean")
            assert list(found) == list(expected)
            for label, values in expected.items():
                np.testing.assert_array_equal(found[label], values)
    finally:
        distributed.destroy_process_group()
