"""Array libraries that go in and come out, and the public functions that must treat them alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
import simulated
from browser import CHROMIUM, Browser

import likewise as lw


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--cuda-simulator", metavar="MODULE", help="the _cudasim module to run on, see simulated.py"
    )
    parser.addoption(
        "--torch-device", metavar="NAME", help="run on tensors there, see simulated.py"
    )
    parser.addoption("--slow", action="store_true", help="run the tests marked slow too")


def pytest_configure(config: pytest.Config) -> None:
    if path := config.getoption("--cuda-simulator"):
        simulated.load(path)
    if device := config.getoption("--torch-device"):
        simulated.use_torch(device)
    if simulated.is_used():
        config.addinivalue_line("filterwarnings", "ignore::likewise.DeviceWarning")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        why = simulated.stays_out(item)
        if "slow" in item.keywords and not config.getoption("--slow"):
            why = "takes minutes: --slow runs it"
        if why:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(autouse=True)
def device() -> Iterator[None]:
    """Functions get arrays there, see simulated.py; every test starts anew, and leaves nothing
    wrong behind."""
    if simulated.module is not None:
        simulated.module.reset()
    simulated.active = simulated.module is not None or bool(simulated.torch_device)
    yield
    simulated.active = False
    if simulated.module is not None:
        assert simulated.module.report() == ""


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A page of Chromium, where there is one."""
    pytest.importorskip("matplotlib")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


class ArrayLibrary(NamedTuple):
    """One array library as tests use it."""

    name: str
    array: Callable[[np.ndarray], Any]
    """An array of this library from a NumPy one."""
    numpy: Callable[[Any], np.ndarray]
    """Back to NumPy; fails unless the value is what this library should be given."""


class DLPackOnly:
    """An array that offers DLPack and nothing else: results come as NumPy arrays."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()


class Exchanged(DLPackOnly):
    """The same in a library that also takes arrays back, as the array API standard has it."""

    def __array_namespace__(self) -> type[Exchanged]:
        return Exchanged

    @classmethod
    def from_dlpack(cls, value: Any) -> Exchanged:
        return cls(np.from_dlpack(value).copy())  # NumPy 2.0 marks what it takes as read-only


def _library(
    name: str, array: Callable[[Any], Any], kind: Any, back: Callable[[Any], np.ndarray]
) -> ArrayLibrary:
    def numpy(value: Any) -> np.ndarray:
        assert isinstance(value, kind), f"{name} in, {type(value)} out"
        return back(value)

    return ArrayLibrary(name, array, numpy)


@pytest.fixture(params=["numpy", "torch", "dlpack", "dlpack_only"])
def xp(request: pytest.FixtureRequest) -> ArrayLibrary:
    """NumPy, torch (skipped if absent) and two libraries that share nothing but DLPack with us."""
    if (simulated.module is not None or simulated.torch_device) and request.param != "numpy":
        pytest.skip("runs without a device")
    of_numpy = (np.ndarray, np.generic)
    if request.param == "numpy":
        return _library("numpy", np.asarray, of_numpy, np.asarray)
    if request.param == "dlpack":
        return _library("dlpack", Exchanged, Exchanged, np.from_dlpack)
    if request.param == "dlpack_only":
        return _library("dlpack_only", DLPackOnly, of_numpy, np.asarray)
    torch = pytest.importorskip("torch")
    return _library("torch", torch.tensor, torch.Tensor, lambda tensor: tensor.numpy())


# Public functions of x (..., n, dx) and y (..., n, dy).
_BATCHED: dict[str, Callable[[Any, Any], Any]] = {
    name: lw.measure(name) for name in lw.measures()
} | {
    "permutation_match": lambda x, y: lw.permutation_match(x, y),
    "semi_match": lambda x, y: lw.semi_match(x, y),
    "soft_match": lambda x, y: lw.soft_match(x, y),
    "orthogonal_procrustes": lambda x, y: lw.orthogonal_procrustes(x, y),
    "linear_predictivity": lambda x, y: lw.linear_predictivity(x, y, cv=2),
    "sparse_predictivity": lambda x, y: lw.sparse_predictivity(x, y, alphas=[0.5, 0.05]),
    "ridge_cv_errors": lambda x, y: lw.ridge_cv_errors(x, y, cv=2).errors,
    "unit_similarity": lambda x, y: lw.unit_similarity(x, y),
    "mutual_information": lambda x, y: lw.unit_similarity(x, y, similarity="mutual_information"),
    "canonical_correlations": lambda x, y: lw.canonical_correlations(x, y),
    "shape_distance_whitened": lambda x, y: lw.shape_distance(x, y, alpha=0.0),
    "shape_distance_between": lambda x, y: lw.shape_distance(x, y, alpha=0.5),
}
_TWO_ARRAYS = _BATCHED | {
    "pairwise": lambda x, y: lw.pairwise([x, y], "cka"),
    "cross": lambda x, y: lw.cross([x], [y, x], "procrustes"),
}
_ALL = _TWO_ARRAYS | {
    "compare_rdms": lambda x, y: lw.compare_rdms(x, y),
    "nuclear_norm": lambda x, y: lw.nuclear_norm(x),
    "svdvals": lambda x, y: lw.svdvals(x),
    "polar": lambda x, y: lw.polar(x),
    "assignment": lambda x, y: lw.assignment(x),
    "linear_sum_assignment": lambda x, y: lw.linear_sum_assignment(x),
    "optimal_transport": lambda x, y: lw.optimal_transport(x),
    "rdm": lambda x, y: lw.rdm(x),
    "unit_statistics": lambda x, y: lw.unit_statistics(x),
}


@pytest.fixture(params=_ALL.values(), ids=_ALL)
def function(request: pytest.FixtureRequest) -> Callable[[Any, Any], Any]:
    """Every public function that takes arrays, as a function of two representations."""
    return request.param


@pytest.fixture(params=_TWO_ARRAYS.values(), ids=_TWO_ARRAYS)
def two_array_function(request: pytest.FixtureRequest) -> Callable[[Any, Any], Any]:
    """Those that look at both."""
    return request.param


@pytest.fixture(params=_BATCHED.values(), ids=_BATCHED)
def batched_function(request: pytest.FixtureRequest) -> Callable[[Any, Any], Any]:
    """Those that look at both and take leading batch axes."""
    return request.param
