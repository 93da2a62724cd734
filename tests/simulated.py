"""A CUDA library for the tests: arrays in the simulated device memory of tests/cuda/sim.

With ``pytest --cuda-simulator MODULE`` the functions that have a CUDA version get such arrays in
place of NumPy's in the tests marked ``device`` or ``simulator``, and must give such arrays back; no
other tests run (``host_only`` takes one of them out). With ``--torch-device cuda`` they get tensors
on a real device (``cpu`` shows that the tests themselves take tensors).
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import likewise as lw
from likewise._border import device as _device

try:
    from likewise.maps.networks import Layer, Network

    NETWORKS: tuple[type, ...] = Layer, Network
except ImportError:  # without scikit-learn
    NETWORKS = ()

float32, float64, int64, uint8 = "float32", "float64", "int64", "uint8"  # of the array namespace
module: Any = None
torch_device = ""
active = False  # whether functions of the running test get arrays of the device


def large(*values: Any) -> Any:
    """Parameters of a test that take minutes on the simulator."""
    return pytest.param(*values, marks=pytest.mark.host_only("takes minutes there"))


def load(path: str) -> None:
    """Make the simulator's module the CUDA engine of this process."""
    global module
    spec = importlib.util.spec_from_file_location("_cudasim", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules["likewise._cuda"] = module
    _device.engine().set_library_directories([str(Path(path).parent / "nvidia")])
    module.SimulatedArray.__array_namespace__ = lambda self: sys.modules[__name__]
    module.SimulatedArray.__reduce__ = lambda self: (array, (self.numpy(),))
    _wrap_functions()


def is_used() -> bool:
    """Whether there is a device, on which functions do as kernels do."""
    return module is not None or torch_device not in ("", "cpu")


def stays_out(item: pytest.Item) -> str:
    """Why a test does not run as things are, "" where it does."""
    if module is None and "simulator" in item.keywords:
        return "needs --cuda-simulator"
    if module is None and not torch_device:
        return ""
    if module is not None and (mark := item.get_closest_marker("host_only")):
        return str(mark.args[0])
    return "" if {"device", "simulator"} & set(item.keywords) else "uses no device"


def use_torch(device: str) -> None:
    """Tensors there instead."""
    global torch_device
    torch_device = device
    _wrap_functions()


def _wrap_functions() -> None:
    for name in lw.cuda.functions():
        folder, _, short = name.rpartition(".")
        if folder in ("maps", "truncation") or (folder and torch_device == "cpu"):
            continue  # objects keep tensors of the CPU as NumPy arrays, maps all
        owner: Any = importlib.import_module(f"likewise.{folder}" if folder else "likewise")
        function = getattr(owner, short)
        if isinstance(function, type):
            _wrap_methods(function)
        else:
            setattr(owner, short, _on_device(function))
    for cls in {_owner(type(lw.measure(name)), "gradients") for name in lw.measures()} - {None}:
        cls.gradients = _gradients_on_device(cls.gradients)


def _owner(cls: type, name: str) -> Any:
    """The class that defines a method, if there is one."""
    return next((base for base in cls.__mro__ if name in vars(base)), None)


def _gradients_on_device(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def gradients(self: Any, x: Any, y: Any, **options: Any) -> Any:
        if not active:
            return method(self, x, y, **options)
        found = method(self, _there(x), _there(y), **options)
        return tuple(numpy(g) if _device.is_device_array(g) else g for g in found)

    return gradients


def _wrap_methods(cls: Any) -> None:
    """Streams take batches there, and give their results back."""
    update = cls.update

    @functools.wraps(update)
    def updated(self: Any, *args: Any, **options: Any) -> None:
        update(self, *(map(_there, args) if active else args), **options)

    cls.update = updated
    for name in {"compute", "compute_hsic"} & set(dir(cls)):
        setattr(cls, name, _giving_back(getattr(cls, name)))


def _giving_back(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def wrapper(self: Any) -> Any:
        result = method(self)
        return numpy(result) if active and _device.is_device_array(result) else result

    return wrapper


def empty(shape: tuple[int, ...], dtype: str, device: int = 0) -> Any:
    return module.empty(list(shape), dtype, device)


def reshape(value: Any, shape: tuple[int, ...]) -> Any:
    return value.reshape(list(shape))


def array(value: np.ndarray) -> Any:
    """A copy on the device, in the same layout where DLPack knows it (as a tensor, in C order)."""
    native = value.astype(value.dtype.newbyteorder("="), copy=False)
    if any(stride % native.itemsize for stride in native.strides):
        native = native.copy()
    if torch_device:
        import torch

        return torch.from_numpy(np.array(native, order="C")).to(torch_device)
    return module.upload(native)


def numpy(value: Any) -> np.ndarray:
    if torch_device:
        import torch

        assert isinstance(value, torch.Tensor), f"a tensor in, {type(value)} out"
        return value.cpu().numpy()
    assert isinstance(value, module.SimulatedArray), f"a device array in, {type(value)} out"
    return value.numpy()


def cost_matrices(
    shape: tuple[int, ...] = (3, 6, 6), dtype: type[np.floating[Any]] = np.float64
) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def layers(dtype: type[np.floating[Any]] = np.float64) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.standard_normal((90, width)).astype(dtype) for width in (4, 4, 9, 40)]


def cpu(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself, which computes where its arrays are."""
    return getattr(function, "__wrapped__", function)


def _on_device(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **options: Any) -> Any:
        if not active or not _has_version(function, *args, **options):
            return function(*args, **options)
        given = [_there(a) for a in args]
        options = {  # ids are not data
            key: value if key.startswith("ids") else _there(value) for key, value in options.items()
        }
        result = function(*given, **options)
        if isinstance(result, lw.Grid):
            return result
        return _back(result) if any(map(_holds_arrays, args)) else result

    return wrapper


# Functions of measures, and how many arguments stand before these.
_OF_MEASURES = {"pairwise": 1, "cross": 2, "permutation_test": 2, "bootstrap": 2, "calibrate": 2}


def _has_version(function: Callable[..., Any], *args: Any, **options: Any) -> bool:
    """Of some measures only."""
    arrays = _OF_MEASURES.get(function.__name__)
    if arrays is None:
        return True
    given = args[arrays] if len(args) > arrays else options.get("measure", "procrustes")
    try:
        measure = lw.measure(given)
    except ValueError:
        return True
    return measure.on_devices


def _mapped(function: Callable[[Any], Any], value: Any) -> Any:
    """The same collection of what the function makes of its leaves."""
    if isinstance(value, NETWORKS):
        names = [field.name for field in dataclasses.fields(value)]
        parts = {name: _mapped(function, getattr(value, name)) for name in names}
        return dataclasses.replace(value, **parts)
    if type(value) is dict:  # and no sparse array
        return {key: _mapped(function, item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        items = [_mapped(function, item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return function(value)


def _holds_arrays(value: Any) -> bool:
    found: list[bool] = []
    if not isinstance(value, tuple):
        _mapped(lambda leaf: found.append(isinstance(leaf, np.ndarray)), value)
    return any(found)


def _there(value: Any) -> Any:
    def sent(leaf: Any) -> Any:  # devices have no other arrays
        return array(leaf) if type(leaf) is np.ndarray and leaf.dtype.kind in "biufc" else leaf

    return _mapped(sent, value)


def _back(result: Any) -> Any:
    def brought(leaf: Any) -> Any:  # counts, names and what is absent are not data
        return leaf if leaf is None or type(leaf) in (int, float, str) else numpy(leaf)

    collection = isinstance(result, (dict, list, tuple, *NETWORKS))
    return _mapped(brought, result) if collection else numpy(result)
