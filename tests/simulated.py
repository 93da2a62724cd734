"""A CUDA library for the tests: arrays in the simulated device memory of tests/cuda/sim.

With ``pytest --cuda-simulator MODULE`` the functions that have a CUDA version get such arrays in
place of NumPy's in every test, and must give such arrays back.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import likewise as lw
from likewise import _device

float32, float64, int64, uint8 = "float32", "float64", "int64", "uint8"  # of the array namespace
module: Any = None


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
    for name in _device.FUNCTIONS:
        setattr(lw, name, _on_device(getattr(lw, name)))


def empty(shape: tuple[int, ...], dtype: str) -> Any:
    return module.empty(list(shape), dtype)


def array(value: np.ndarray) -> Any:
    """A copy on the device, in the same layout."""
    return module.upload(value.astype(value.dtype.newbyteorder("="), copy=False))


def numpy(value: Any) -> np.ndarray:
    assert isinstance(value, module.SimulatedArray), f"a device array in, {type(value)} out"
    return value.numpy()


def cpu(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself, which computes where its arrays are."""
    return getattr(function, "__wrapped__", function)


def _on_device(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **options: Any) -> Any:
        given = [_there(a) for a in args]
        options = {key: _there(value) for key, value in options.items()}
        result = function(*given, **options)
        on_device = any(isinstance(a, np.ndarray) for a in args)
        return _back(result) if on_device else result

    return wrapper


def _there(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_there, value))
    return array(value) if isinstance(value, np.ndarray) else value


def _back(result: Any) -> Any:
    if not isinstance(result, tuple):
        return numpy(result)
    values = map(_back, result)
    return type(result)(*values) if hasattr(result, "_fields") else tuple(values)
