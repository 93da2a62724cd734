"""Inputs that no function takes: one kind of error, which says what to call instead."""

from __future__ import annotations

import numpy as np
import pytest

import likewise as lw

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
    "nothing": (None, "real numbers, got dtype object"),
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
def test_tensors_that_need_a_call_first_are_refused(function):
    torch = pytest.importorskip("torch")
    x = torch.tensor(X)
    for value, advice in (
        (x.to("meta"), r"on meta.*call \.cpu\(\) first"),
        (x.to_sparse(), r"sparse; call \.to_dense\(\) first"),
        (x.to_sparse_csr(), r"sparse; call \.to_dense\(\) first"),
        (x + 1j, "complex"),
        ((x + 1j).conj(), "complex"),
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
