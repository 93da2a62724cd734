"""Measures as differentiable torch operators: autograd, torch.func, torch.compile."""

from functools import partial

import pytest

import likewise as lw

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.filterwarnings("ignore::likewise.SmallSampleWarning"),
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:torch"),
]

MEASURES = {
    "procrustes": lw.procrustes,
    "shape_distance": partial(lw.shape_distance, alpha=0.4),
    "cka": lw.cka,
    "cka-rbf-unbiased": partial(lw.cka, kernel="rbf", estimator="unbiased"),
    "hsic": partial(lw.hsic, kernel="polynomial", degree=2),
    "rsa": partial(lw.rsa, dissimilarity="euclidean", comparison="corr"),
}
by_name = pytest.mark.parametrize("score", MEASURES.values(), ids=MEASURES)


def data(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


@by_name
def test_gradcheck_with_broadcast_batches(score):
    x, y = data(2, 1, 9, 4), data(3, 9, 5, seed=1)
    x.requires_grad_()
    y.requires_grad_()
    assert torch.autograd.gradcheck(score, (x, y))


def test_gradcheck_of_nuclear_norms():
    for shape in ((2, 9, 4), (4, 9)):
        assert torch.autograd.gradcheck(lw.nuclear_norm, (data(*shape).requires_grad_(),))


@by_name
def test_scores_are_those_without_gradients(score):
    x, y = data(9, 4), data(9, 5, seed=1)
    plain = score(x, y)
    tracked = score(x.clone().requires_grad_(), y)
    assert tracked.requires_grad
    torch.testing.assert_close(tracked.detach(), plain, rtol=1e-11, atol=1e-12)


@by_name
def test_only_one_side_requires_grad(score):
    x, y = data(9, 4), data(9, 5, seed=1)
    both = [side.clone().requires_grad_() for side in (x, y)]
    score(*both).backward()
    for k in range(2):
        sides = [x, y]
        sides[k] = sides[k].clone().requires_grad_()
        score(*sides).backward()
        torch.testing.assert_close(sides[k].grad, both[k].grad, rtol=0, atol=0)


@by_name
def test_vmap_of_grad(score):
    x, y = data(6, 9, 4), data(9, 5, seed=1)
    mapped = torch.func.vmap(torch.func.grad(score), in_dims=(0, None))(x, y)
    alone = torch.stack([torch.func.grad(score)(one, y) for one in x])
    torch.testing.assert_close(mapped, alone, rtol=0, atol=1e-12)


def test_vmap_over_any_axis_of_batches_of_unequal_depth():
    x, y = data(4, 9, 7), data(2, 1, 9, 5, 7, seed=1)
    mapped = torch.func.vmap(lw.procrustes, in_dims=(2, 4))(x.movedim(0, 1), y)
    alone = torch.stack([lw.procrustes(x.movedim(0, 1)[..., k], y[..., k]) for k in range(7)])
    assert mapped.shape == (7, 2, 1)
    torch.testing.assert_close(mapped, alone, rtol=0, atol=1e-12)


def test_jacobians():
    x, y = data(6, 9, 4), data(9, 5, seed=1)
    jacobian = torch.func.jacrev(lw.cka)(x, y)
    assert jacobian.shape == (6, 6, 9, 4)
    for i in range(6):
        torch.testing.assert_close(jacobian[i, i], torch.func.grad(lw.cka)(x[i], y))
        assert not jacobian[i, (i + 1) % 6].any()
    assert torch.func.jacrev(lw.nuclear_norm)(x).shape == (6, 6, 9, 4)


def loss(x, y):
    return (1 - lw.cka(x, y)).sum() + lw.nuclear_norm(x).mean() + x.pow(2).mean()


def test_compiled_without_a_break():
    y = data(9, 5, seed=1)
    gradients = []
    for function in (loss, torch.compile(loss, fullgraph=True, backend="aot_eager")):
        x = data(2, 9, 4).requires_grad_()
        function(x, y).backward()
        gradients.append(x.grad)
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_operators_are_sound(dtype):
    x, y = data(2, 9, 4, dtype=dtype), data(9, 5, seed=1, dtype=dtype)
    likewise = torch.ops.likewise
    options = "cka {'estimator': 'unbiased'}", True
    for operator, args in (
        (likewise.score, (x, y, *options, True, True)),
        (likewise.score, (x, y, *options, False, True)),
        (likewise.score, (x, y, *options, False, False)),
        (likewise.nuclear_norm, (x, True)),
    ):
        torch.library.opcheck(operator.default, args)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_low_precision(dtype):
    x, y = data(9, 4, dtype=dtype).requires_grad_(), data(9, 5, seed=1, dtype=torch.float64)
    score = lw.cka(x, y.to(dtype))
    assert score.dtype == torch.float32
    score.backward()
    assert x.grad.dtype == dtype
    wide = x.detach().double().requires_grad_()
    lw.cka(wide, y.to(dtype).double()).backward()
    precision = {torch.float16: 1e-3, torch.bfloat16: 1e-2, torch.float32: 1e-5}[dtype]
    torch.testing.assert_close(x.grad.double(), wide.grad, rtol=precision, atol=precision / 10)


def test_mixed_precision():
    x, y = data(9, 4, dtype=torch.float32).requires_grad_(), data(9, 5, seed=1).requires_grad_()
    score = lw.cka(x, y)
    assert score.dtype == torch.float64
    score.backward()
    assert (x.grad.dtype, y.grad.dtype) == (torch.float32, torch.float64)


def test_a_network_learns_to_align():
    inputs = data(64, 10)
    target = inputs @ data(10, 8, seed=1)
    torch.manual_seed(0)
    layer = torch.nn.Linear(10, 8, dtype=torch.float64)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.05)
    distances = []
    for _ in range(60):
        distance = lw.procrustes(layer(inputs), target)
        optimizer.zero_grad()
        distance.backward()
        optimizer.step()
        distances.append(distance.item())
    assert distances[-1] < 0.2 * distances[0]


@pytest.mark.parametrize("function", [lambda x, y: lw.cka(x, y), lambda x, y: lw.nuclear_norm(x)])
def test_second_derivatives_are_refused(function):
    x, y = data(9, 4).requires_grad_(), data(9, 5, seed=1)
    (gradient,) = torch.autograd.grad(function(x, y), x, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiable once, not twice"):
        gradient.sum().backward()


def test_refusals():
    x, y = data(9, 4).requires_grad_(), data(9, 5, seed=1)
    with pytest.raises(lw.InputTypeError, match=r"comparison='spearman'.* is not differentiable"):
        lw.rsa(x, y)
    with pytest.raises(lw.InputTypeError, match=r"MutualKNN.* is not differentiable; call .detach"):
        lw.mutual_knn(x, y)
    with pytest.raises(lw.InputTypeError, match=r"cka: all arrays .* and y of type ndarray"):
        lw.cka(x, y.numpy())
    with pytest.raises(ValueError, match="cka: x must be finite"):
        lw.cka(x * float("nan"), y)
    with pytest.raises(ValueError, match="same number of samples"):
        lw.cka(x, y[:-1])
