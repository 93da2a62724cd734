"""The border: arrays of any library in, the same library out.

On CPUs every array becomes a NumPy view (no copy where none is needed), and results go back
through :class:`Library`. All refusals of the input policy live here, worded once.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from likewise import _cpu
from likewise._border import device as _device
from likewise._border import engine as _engine
from likewise._border.host import CPU, NUMPY, Array, Library
from likewise.errors import InputTypeError, complex_refused

__all__ = [
    "CPU",
    "NUMPY",
    "Array",
    "Library",
    "detached",
    "library_of",
    "on_host",
    "read",
    "require_finite",
    "require_no_overflow",
]


def library_of(function: str, kept: Any) -> Any:
    """The library of an array that an earlier call kept."""
    if kept is None or not _device.is_device_array(kept):
        return NUMPY
    library = _device.DeviceLibrary(function, "state", kept, 0)
    library.prepare(True)
    return library


def on_host(function: str, value: Any) -> Array:
    """What only names samples, of any type, as a NumPy array."""
    library = library_of(function, value)
    return np.asarray(library.host(library.given(value)))


_BFLOAT16 = "bfloat16"  # of ml_dtypes, which JAX uses too


def read(
    function: str, check_finite: bool, *, look: bool = True, **arrays: Any
) -> tuple[list[Any], Any]:
    """Named arrays as float32 or float64 views of one dtype, and the library they came from.

    ``look=False``: `function` says itself what it finds in its numbers.

    Views are NumPy arrays, or arrays of the CUDA engine, with a :class:`Library` or a
    ``DeviceLibrary``. Raises :class:`InputTypeError` for what cannot be used, ``ValueError`` for
    NaN or infinity (on a device, when the call finishes).
    """
    for name, value in arrays.items():
        if _device.is_device_array(value):
            return _read_device(function, check_finite, look, name, arrays)
    views: list[Array] = []
    library: Library | None = None
    for name, value in arrays.items():
        view, owner = _view(function, name, value)
        if library is not None and owner.name != library.name:
            raise InputTypeError(
                f"{function}: all arrays must come from one library, got {library.name} and "
                f"{owner.name}; convert one of them first"
            )
        library = owner
        views.append(view)
    if any(view.dtype != views[0].dtype for view in views):
        views = [view.astype(np.float64, copy=False) for view in views]
    if check_finite and look:
        for name, view in zip(arrays, views, strict=True):
            require_finite(function, name, view)
    assert library is not None
    return views, library


def _read_device(
    function: str, check_finite: bool, look: bool, first: str, arrays: Mapping[str, Any]
) -> tuple[list[Any], _device.DeviceLibrary]:
    library = _device.DeviceLibrary(function, first, arrays[first], len(arrays))
    library.prepare(check_finite)
    views = []
    for name, value in arrays.items():
        owner = _device.library_name(value) if _device.is_device_array(value) else "the CPU"
        if owner != library.name:
            raise InputTypeError(
                f"{function}: all arrays must come from one library and device, got {first} from "
                f"{library.name} and {name} from {owner}; move one of them first"
            )
        views.append(library.view(name, value))
    if any(view.dtype != views[0].dtype for view in views):
        views = [library.cast(view, np.dtype(np.float64)) for view in views]
    if check_finite and look:
        for name, view in zip(arrays, views, strict=True):
            library.look(name, view)
    return views, library


def detached(parameter: Any) -> Any:
    """A parameter of a module that is only read."""
    return parameter.detach() if getattr(parameter, "requires_grad", False) else parameter


def require_finite(function: str, name: str, array: Array) -> None:
    """Raise ``ValueError`` naming the first NaN or infinity."""
    matrices = array if array.ndim >= 2 else np.atleast_2d(array)
    flat = _cpu.first_nonfinite(matrices, _engine.threads())
    if flat < 0:
        return
    index = tuple(int(i) for i in np.unravel_index(flat, array.shape)) if array.ndim else ()
    raise ValueError(
        f"{function}: {name} must be finite, got {array[index]} at index {index} "
        "(check_finite=False skips this look)"
    )


def require_no_overflow(function: str, norms: Sequence[float], items: Sequence[Array]) -> None:
    """``ValueError`` where the norm of centred numbers that are finite is not."""
    for norm, item in zip(norms, items, strict=True):
        if not math.isfinite(norm) and np.isfinite(item).all():
            raise ValueError(f"{function}: differences within an item overflow float64")


def _view(function: str, name: str, value: Any) -> tuple[Array, Library]:
    """One array of any library as an aligned, native float32 or float64 NumPy view."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return _engine_floats(function, name, _numpy_of_tensor(function, name, value)), Library(
            "torch", torch.from_numpy
        )
    if isinstance(value, np.ma.MaskedArray):
        raise InputTypeError(
            f"{function}: {name} is a masked array; fill or drop the masked values first"
        )
    if isinstance(value, np.ndarray):
        return _engine_floats(function, name, np.asarray(value)), NUMPY
    if hasattr(value, "toarray") and hasattr(value, "nnz"):
        raise InputTypeError(f"{function}: {name} is sparse; call .toarray() first")
    if hasattr(value, "__dlpack__"):
        return _read_dlpack(function, name, value)
    try:
        array = np.asarray(value)
    except ValueError:
        raise InputTypeError(
            f"{function}: {name} must be an array, got a {type(value).__name__} whose parts differ "
            "in shape"
        ) from None
    if array.dtype.kind not in "fiubc":
        raise InputTypeError(
            f"{function}: {name} must be an array of real numbers, got {_described(value)}"
        )
    return _engine_floats(function, name, array), NUMPY


def _described(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _numpy_of_tensor(function: str, name: str, tensor: Any) -> Array:
    import torch

    _device.require_plain_tensor(function, name, tensor)
    if tensor.device.type != "cpu":
        raise InputTypeError(
            f"{function}: {name} is on {tensor.device}, this build computes on CPUs only; "
            "call .cpu() first"
        )
    if tensor.dtype == torch.bfloat16:  # NumPy has no such type
        tensor = tensor.to(torch.float32)
    array: Array = tensor.resolve_conj().resolve_neg().numpy()
    return array


def _read_dlpack(function: str, name: str, value: Any) -> tuple[Array, Library]:
    jax = sys.modules.get("jax")
    if jax is not None and isinstance(value, jax.core.Tracer):
        raise InputTypeError(
            f"{function}: {name} is an array that JAX traces (in jit, grad or vmap); call "
            f"{function} outside, on arrays with leading batch axes instead of vmap, with "
            "lw.measure(...).gradients(x, y) instead of grad, or inside by jax.pure_callback"
        )
    device, _ = value.__dlpack_device__()
    if int(device) != 1:  # kDLCPU
        raise InputTypeError(
            f"{function}: {name} is not in CPU memory (DLPack device type {int(device)}), this "
            "build computes on CPUs only; move it first"
        )
    try:
        # NumPy's DLPack has no bfloat16, its arrays have.
        narrow = str(getattr(value, "dtype", "")) == _BFLOAT16
        array = np.asarray(value) if narrow else np.from_dlpack(value)
    except (BufferError, RuntimeError) as error:
        raise InputTypeError(f"{function}: {name} cannot be read as an array: {error}") from error
    root = type(value).__module__.partition(".")[0]
    namespace = (
        value.__array_namespace__()
        if hasattr(value, "__array_namespace__")
        else sys.modules.get(root)
    )
    give = getattr(namespace, "from_dlpack", None)
    # A producer with no way to take an array back gets NumPy arrays.
    library = Library(root, give) if give is not None else NUMPY
    return _engine_floats(function, name, array), library


def _engine_floats(function: str, name: str, array: Array) -> Array:
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "f" and size in (4, 8):
        target = array.dtype.newbyteorder("=")
    elif (kind == "f" and size == 2) or array.dtype.name == _BFLOAT16:
        target = np.dtype(np.float32)
    elif kind in "iub":
        target = np.dtype(np.float64)
    elif kind == "c":
        raise complex_refused(function, name, array.dtype)
    else:
        raise InputTypeError(
            f"{function}: {name} must hold real numbers, got dtype {array.dtype}; "
            "convert it with .astype(np.float64)"
        )
    in_place = array.flags.aligned and all(s % target.itemsize == 0 for s in array.strides)
    return array.astype(target, copy=not in_place)
