"""Neural collapse: formulas, shapes, what is refused."""

import math

import numpy as np
import pytest
from reference import collapse as slow

import likewise as lw


def collapsed(classes=4, width=6, each=5, seed=0):
    """Class means on a simplex, and the classifier that they make."""
    rng = np.random.default_rng(seed)
    simplex = np.eye(classes) - 1 / classes
    basis = np.linalg.qr(rng.standard_normal((width, classes)))[0].T
    means = 3 * simplex @ basis
    labels = np.repeat(np.arange(classes), each)
    return means[labels] + rng.standard_normal(width), labels, 0.2 * means


def random_features(n=60, width=7, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.standard_normal((n, width)) + labels[:, None] ** 0.5, labels


@pytest.mark.parametrize("width", [2, 7, 40])
def test_the_numbers_are_those_of_the_definition(width):
    x, labels = random_features(n=23, width=width)  # classes of different sizes, n < d at last
    rng = np.random.default_rng(1)
    weight, bias = rng.standard_normal((4, width)), rng.standard_normal(4)
    found = lw.neural_collapse(x, labels, weight, bias)
    np.testing.assert_allclose(found, slow.neural_collapse(x, labels, weight, bias), rtol=1e-9)


def test_complete_collapse_is_zero_everywhere():
    x, labels, weight = collapsed()
    found = lw.neural_collapse(x, labels, weight, -weight @ x.mean(axis=0))
    np.testing.assert_allclose(found, 0, atol=1e-12)


def test_the_same_for_other_units_of_length_rotations_and_far_away():
    x, labels = random_features()
    weight = np.random.default_rng(1).standard_normal((4, 7))
    rotation = np.linalg.qr(np.random.default_rng(2).standard_normal((7, 7)))[0]
    base = lw.neural_collapse(x, labels, weight)
    turned = lw.neural_collapse(7 * x @ rotation, labels, weight @ rotation)
    np.testing.assert_allclose(turned, base, rtol=1e-10)
    exact = np.round(1024 * x) / 1024  # so that the sum below is
    near, far = (lw.neural_collapse(part, labels) for part in (exact, exact + 2**27))
    np.testing.assert_allclose(far[:3], near[:3], rtol=1e-11)


def test_means_on_a_line_span_one_dimension():
    labels = np.repeat(np.arange(4), 12)
    parts = np.random.default_rng(0).standard_normal((16, 3, 5))
    parts[:, 2] = -parts[:, 0] - parts[:, 1]  # leaves every class mean where it is
    noise = parts.reshape(48, 5)
    x = noise.copy()
    x[:, 0] += labels
    expected = np.mean(noise[:, 0] ** 2) / 5  # tr pinv of the one variance, 5 = sum_c (c - 1.5)^2
    assert lw.neural_collapse(x, labels).nc1 == pytest.approx(expected)
    assert lw.neural_collapse(x + 1e8 / 3, labels).nc1 == pytest.approx(expected, rel=1e-6)


def test_wide_layers_are_read_in_float32_and_from_torch():
    x, labels = random_features(n=40, width=300)
    base = lw.neural_collapse(x, labels)
    np.testing.assert_allclose(
        lw.neural_collapse(x.astype(np.float32), labels)[:3], base[:3], rtol=1e-5
    )
    assert all(math.isnan(value) for value in base[3:])
    torch = pytest.importorskip("torch")
    weight = np.random.default_rng(1).standard_normal((4, 300))
    layer = torch.nn.Linear(300, 4, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
    found = lw.neural_collapse(
        torch.from_numpy(x), torch.from_numpy(labels), layer.weight.detach(), layer.bias.detach()
    )
    expected = lw.neural_collapse(x, labels, weight, layer.bias.detach().numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    own = lw.neural_collapse(
        torch.from_numpy(x), torch.from_numpy(labels), layer.weight, layer.bias
    )
    np.testing.assert_array_equal(own, found)  # parameters are only read
    with pytest.raises(lw.InputTypeError, match=r"features requires grad.*detach"):
        lw.neural_collapse(torch.from_numpy(x).requires_grad_(), torch.from_numpy(labels))


def test_degenerate_classes():
    x, labels, weight = collapsed(classes=3, each=1)
    with pytest.warns(lw.SmallSampleWarning, match="3 of 3 classes have one sample"):
        assert lw.neural_collapse(x, labels).nc1 == pytest.approx(0, abs=1e-12)
    same = np.tile(np.random.default_rng(0).standard_normal((5, 4)), (2, 1))
    with pytest.warns(lw.DegenerateWarning, match="means of all classes are equal"):
        found = lw.neural_collapse(same, np.repeat([0, 1], 5), np.eye(2, 4))
    assert all(math.isnan(value) for value in found)
    x, labels, weight = collapsed(classes=3)
    assert math.isnan(lw.neural_collapse(x, labels, np.zeros_like(weight)).nc3)


def test_names_as_labels():
    x, labels = random_features()
    names = np.array(["dog", "cat", "owl", "ant"])[labels]
    np.testing.assert_allclose(
        lw.neural_collapse(x, names)[:3], lw.neural_collapse(x, labels)[:3], rtol=1e-12
    )
    with pytest.raises(lw.InputTypeError, match="must be integers, the rows of weight"):
        lw.neural_collapse(x, names, np.ones((4, 7)))


def test_refusals():
    x, labels = random_features()
    weight = np.ones((4, 7))
    cases = [
        ((x, np.zeros(60, int)), "at least 2 classes, got 1"),
        ((x, labels[:-1]), r"shape \(60,\).*got \(59,\)"),
        ((x[None], labels), "2-D.*lw.reduce"),
        ((x, labels, weight[:, :6]), r"weight must have shape \(n_classes, 7\)"),
        ((x, labels, weight, np.ones(3)), r"bias must have shape \(4,\), got \(3,\)"),
        ((x, labels, np.ones((5, 7))), "every class of the classifier.*none of 4"),
        ((x, labels, np.ones((3, 7))), "between 0 and 2.*got 3"),
        ((x, labels, None, np.ones(4)), "bias needs the weight"),
        ((np.where(x == x[3, 2], np.nan, x), labels), r"features must be finite.*\(3, 2\)"),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError, match=message):
            lw.neural_collapse(*arguments)
    with pytest.raises(lw.InputTypeError, match="labels must be integers or strings"):
        lw.neural_collapse(x, labels.astype(float))
