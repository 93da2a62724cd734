"""Inputs that no function takes: one kind of error, which says what to call instead."""

from __future__ import annotations

import numpy as np
import pytest

import likewise as lw

pytestmark = pytest.mark.device

X = np.random.default_rng(0).standard_normal((30, 5))


def test_the_error_is_a_type_error_and_a_value_error():
    assert issubclass(lw.InputTypeError, TypeError)
    assert issubclass(lw.InputTypeError, ValueError)


REFUSED = {
    "complex": (X + 1j, r"complex \(complex128\); pass real arrays"),
    "object": (X.astype(object), r"real numbers, got dtype object; .*\.astype"),
    "text": (X.astype(str), "real numbers, got dtype <U"),
    "dates": (X.astype("i8").astype("M8[s]"), "real numbers, got dtype datetime64"),
    "records": (X.view([("a", "f8")]), "real numbers, got dtype"),
    "masked": (np.ma.masked_array(X, X > 1), "masked array; fill or drop"),
    "nothing": (None, "real numbers, got None"),
    "a name": ("a.npy", "real numbers, got a str"),
    "ragged": ([[1.0, 2.0], [3.0]], "must be an array, got a list whose parts differ in shape"),
}


@pytest.mark.parametrize(("value", "advice"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_real_array_is_refused(function, value, advice):
    with pytest.raises(lw.InputTypeError, match=advice):
        function(value, value)


def test_sparse_arrays_are_refused(function):
    sparse = pytest.importorskip("scipy.sparse")
    for make in (sparse.csr_array, sparse.coo_matrix, sparse.dok_array):
        with pytest.raises(lw.InputTypeError, match=r"is sparse; call \.toarray\(\) first"):
            function(make(X), make(X))


@pytest.mark.parametrize("xp", ["torch", "dlpack"], indirect=True)
def test_libraries_do_not_mix(two_array_function, xp):
    for x, y in ((X, xp.array(X)), (xp.array(X), X)):
        with pytest.raises(lw.InputTypeError, match=r"from one library, got .*convert one of them"):
            two_array_function(x, y)


class OnAnotherDevice:
    def __init__(self, device):
        self.device = device

    def __dlpack_device__(self):
        return self.device, 0

    def __dlpack__(self, **options):
        raise AssertionError("asked for memory that this build cannot read")


def test_other_devices_are_refused(function):
    metal = OnAnotherDevice(8)
    with pytest.raises(lw.InputTypeError, match=r"not in CPU memory .*move it first"):
        function(metal, metal)


@pytest.mark.skipif(lw.cuda.is_available(), reason="has a CUDA device")
def test_cuda_arrays_are_refused_where_nothing_can_compute_with_them(function):
    array = OnAnotherDevice(2)
    with pytest.raises(
        lw.InputTypeError,
        match=r"is on a CUDA device, (but .*CUDA|for which .* has no version yet; move it)",
    ):
        function(array, array)


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta:UserWarning")
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
@pytest.mark.filterwarnings("ignore:.*quantized.*deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:")
def test_tensors_that_need_a_call_first_are_refused(function):
    torch = pytest.importorskip("torch")
    x = torch.tensor(X)
    nested = torch.nested.nested_tensor([x, x[:2]])
    quantised = torch.quantize_per_tensor(x.float(), 0.1, 10, torch.quint8)
    for value, advice in (
        (x.to("meta"), r"on meta.*call \.cpu\(\) first"),
        (x.to_sparse(), r"sparse; call \.to_dense\(\) first"),
        (x.to_sparse_csr(), r"sparse; call \.to_dense\(\) first"),
        (x + 1j, "complex"),
        ((x + 1j).conj(), "complex"),
        (x.to(torch.float8_e4m3fn), r"float8_e4m3fn.* call \.to\(torch.float32\) first"),
        (x.to(torch.float8_e5m2), r"float8_e5m2.* call \.to\(torch.float32\) first"),
        (nested, "nested tensor; make one tensor of samples of equal length"),
        (quantised, r"quantised; call \.dequantize\(\) first"),
    ):
        with pytest.raises(lw.InputTypeError, match=advice):
            function(value, value)


DIFFERENTIABLE = ("cka", "hsic", "nuclear_norm", "procrustes", "shape_distance")


def test_tensors_that_require_grad_have_one_or_are_refused(function, request):
    torch = pytest.importorskip("torch")
    x = torch.tensor(X)
    for value in (x.clone().requires_grad_(), 2 * x.clone().requires_grad_()):
        if request.node.callspec.id.startswith(DIFFERENTIABLE):
            assert function(value, value).requires_grad
        else:
            with pytest.raises(lw.InputTypeError, match=r"requires grad.*call \.detach\(\) first"):
                function(value, value)


def test_jax_arrays_that_are_traced_are_refused(two_array_function):
    jax = pytest.importorskip("jax")
    x = jax.numpy.asarray(X, jax.numpy.float32)
    for transform in (jax.jit, jax.vmap, lambda f: jax.grad(lambda a, b: f(a, b).sum())):
        stack = transform is jax.vmap
        with pytest.raises(lw.InputTypeError, match=r"JAX traces .* call \w+ outside"):
            transform(two_array_function)(*(2 * [x[None] if stack else x]))


def test_what_is_no_measure_is_refused_and_functions_are_theirs():
    items = {"a": X, "b": X[:, ::-1]}
    for name in lw.measures():
        function = getattr(lw, name)
        expected = np.asarray(lw.pairwise(items, name))
        for found in (lw.pairwise(items, function), lw.cross(items, items, function)):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    found = lw.permutation_test(X, X[:, :2], lw.cka, n=9, estimator="unbiased")
    assert found.score == lw.cka(X, X[:, :2], estimator="unbiased")
    takers = {
        "pairwise": lambda measure: lw.pairwise(items, measure),
        "cross": lambda measure: lw.cross(items, items, measure),
        "permutation_test": lambda measure: lw.permutation_test(X, X, measure),
        "bootstrap": lambda measure: lw.bootstrap(X, X, measure),
        "Accumulator": lw.scale.Accumulator,
        "measure": lw.measure,
    }
    for take in takers.values():
        for wrong in (np.corrcoef, lambda x, y: 1.0, 3, None, object(), type(lw.measure("cka"))):
            with pytest.raises(lw.InputTypeError, match="a measure must be one of the names in lw"):
                take(wrong)


def test_collections_in_a_wrong_place_are_named():
    with pytest.raises(lw.InputTypeError, match=r"pairwise: .* lw\.cross compares two"):
        lw.pairwise([X, X], [X, X])
    with pytest.raises(lw.InputTypeError, match=r"items must be a list .* pass dict\(items"):
        lw.pairwise([("a", X), ("b", X)])
    with pytest.raises(lw.InputTypeError, match=r"cross: items_b must be a list .* got int"):
        lw.cross([X], 3)


@pytest.mark.parametrize("name", lw.measures())
def test_unknown_options_are_named_beside_those_there_are(name):
    with pytest.raises(TypeError, match=rf"^{name}: no option 'nonsense', it"):
        lw.pairwise([X, X], name, nonsense=1)


def test_the_nearest_option_is_named():
    for given, hint in (
        ({"kernal": "rbf"}, "did you mean 'kernel'"),
        ({"unbiased": True}, "did you mean estimator='unbiased'"),
    ):
        with pytest.raises(TypeError, match=hint):
            lw.measure("cka", **given)
