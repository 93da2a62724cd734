"""The border for arrays in the memory of a CUDA device.

Arrays come by DLPack; results and temporary memory are allocated by the library that the arrays
came from, on the stream that is its current one. Nothing goes through the host, except what one
call reports at its end.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, partial
from typing import Any, cast

import numpy as np

from likewise import _cpu
from likewise._border.host import Array, Library
from likewise.errors import (
    ConvergenceError,
    DeviceWarning,
    InputTypeError,
    complex_refused,
    is_quiet,
    warn,
)

_DEVICE_TYPES = (2, 13)  # DLPack's kDLCUDA, kDLCUDAManaged
_ASSIGNMENT_ERRORS = {
    1: "cost matrix is infeasible",
    2: "matrix contains invalid numeric entries",
}
NO_VERSION = "this has no version for CUDA devices"
_told: set[str] = set()  # functions that have said that they go to the CPU
_DEFAULT_STREAM = 1
_IN_ORDER = -1


@cache
def engine() -> Any:
    """The compiled module; ``ImportError`` where this build has none."""
    module = importlib.import_module("likewise._cuda")
    nvidia = importlib.util.find_spec("nvidia")
    places = (nvidia.submodule_search_locations if nvidia else None) or []
    folders = ("cu13", "cublas", "cusolver", "cusparse", "nvjitlink")  # CUDA 12 has one for each
    module.set_library_directories([f"{p}/{f}/lib" for p in places for f in folders])
    return module


def why_not(device: int = -1) -> str:
    """What keeps this CUDA device (-1: the current one) from being used, "" for nothing."""
    try:
        return str(engine().why_not(device))
    except ImportError as error:
        if reason := _cpu.no_cuda():
            return f"this build of likewise has no CUDA engine ({reason})"
        return f"the CUDA engine cannot be loaded: {error}"


def is_device_array(value: Any) -> bool:
    """Whether this is an array in the memory of a CUDA device."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return bool(value.is_cuda)
    if isinstance(value, np.ndarray) or not hasattr(value, "__dlpack_device__"):
        return False
    jax = sys.modules.get("jax")
    if jax is not None and isinstance(value, jax.core.Tracer):
        return False
    return int(value.__dlpack_device__()[0]) in _DEVICE_TYPES


def require_plain_tensor(function: str, name: str, tensor: Any) -> None:
    """Raise ``InputTypeError`` for torch tensors that are no plain arrays of numbers."""
    torch = sys.modules["torch"]
    if tensor.requires_grad:
        raise InputTypeError(
            f"{function}: {name} requires grad and {function} is not differentiable; "
            "call .detach() first"
        )
    if tensor.is_nested:
        raise InputTypeError(
            f"{function}: {name} is a nested tensor; make one tensor of samples of equal length"
        )
    if tensor.layout != torch.strided:
        raise InputTypeError(f"{function}: {name} is sparse; call .to_dense() first")
    if tensor.is_quantized:
        raise InputTypeError(f"{function}: {name} is quantised; call .dequantize() first")
    if tensor.dtype.itemsize == 1 and tensor.dtype.is_floating_point:
        raise InputTypeError(
            f"{function}: {name} is {tensor.dtype}, a format of values without their scale; call "
            ".to(torch.float32) first and multiply by the scale"
        )


class DeviceLibrary:
    """A library of device arrays during one call: the counterpart of ``host.Library``."""

    block_bytes = 256 * 2**20
    """Of copies of samples that are compared at a time."""
    coarse = False
    """Whether a part of the call met angles that float32 has no digits for."""
    _deferred = False

    def __init__(self, function: str, argument: str, value: Any, places: int) -> None:
        self._device = int(value.__dlpack_device__()[1])
        if missing := why_not(self._device):
            raise InputTypeError(f"{function}: {argument} is on a CUDA device, but {missing}")
        self.name = library_name(value)
        self.engine = engine()
        self.function = function
        self._torch: Any = sys.modules.get("torch") if self.name.startswith("torch") else None
        self._like = value
        # The run may not refer to this object, which refers to it: nobody would free the two.
        self._allocate = partial(_bytes, value)
        self._stream = self._current_stream()
        self._looked: list[tuple[str, Any]] = []
        self._places = places
        self._run: Any = None

    def view(self, name: str, value: Any) -> Any:
        """The array as a contiguous view of float32 or float64."""
        if "complex" in str(getattr(value, "dtype", "")):
            raise complex_refused(self.function, name, value.dtype)
        if self._torch is not None:
            value = self._plain_tensor(name, value)
        try:
            array = _exported(value, self._stream)
        except (TypeError, BufferError) as error:
            raise InputTypeError(f"{self.function}: {name} cannot be read: {error}") from error
        wide = array.dtype.kind != "f" or array.dtype.itemsize == 8
        target = np.dtype(np.float64 if wide else np.float32)
        if array.contiguous and array.dtype == target:
            return array
        return self._copied(array, target)

    def cast(self, view: Any, dtype: Any) -> Any:
        """The view itself, or a copy of another type."""
        return view if view.dtype == dtype else self._copied(view, dtype)

    def broadcast(self, view: Any, shape: tuple[int, ...]) -> Any:
        """The view with axes that repeat."""
        return view.broadcast_to(list(shape))

    def contiguous(self, view: Any, shape: tuple[int, ...]) -> Any:
        """The view broadcast to a shape, in C order."""
        if view.shape == shape and view.contiguous:
            return view
        return self._copied(self.broadcast(view, shape), view.dtype)

    def copied(self, view: Any) -> Any:
        """A copy in C order."""
        return self._copied(view, view.dtype)

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """An array for the engine to fill."""
        return _exported(_empty(self._like, shape, np.dtype(dtype).name), _IN_ORDER)

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """An array of zeros."""
        out = self.empty(shape, dtype)
        self.engine.fill_zeros(out, self._run)
        return out

    def made(self, value: Any) -> Any:
        """A contiguous array that a function of ours returned during this call, of any type."""
        return _exported(value, _IN_ORDER)

    def give(self, array: Any) -> Any:
        """The result in the caller's library."""
        return array.owner

    @property
    def place(self) -> str:
        """Where the arrays are."""
        return str(self.name)

    def kept(self, view: Any) -> Any:
        """An array that a later call will be given."""
        return view.owner

    def given(self, value: Any) -> Any:
        """A contiguous array, of any type, that another call of ours gave."""
        return _exported(value, self._stream)

    def strided(
        self, view: Any, shape: tuple[int, ...], strides: tuple[int, ...], first: int
    ) -> Any:
        """Elements of a contiguous view from the first on, by steps in elements."""
        return view.strided(shape, strides, first)

    def position_means(self, view: Any, units_first: bool, shape: tuple[int, ...]) -> Any:
        """Means over positions, of maps or sequences, summed in double."""
        out = self.empty(shape, view.dtype)
        self.engine.position_means(view, units_first, out, self._run)
        return out

    def reshaped(self, view: Any, shape: tuple[int, ...]) -> Any:
        """The caller's array of a contiguous view in another shape, in the same memory."""
        if self._torch is not None:
            return view.owner.reshape(shape)
        return view.owner.__array_namespace__().reshape(view.owner, shape)

    def prepare(self, check_finite: bool) -> None:
        """What is found on the device from here on is reported by :meth:`finish`, if asked for."""
        status = (
            self.empty((self.engine.status_facts + self._places,), np.int64)
            if check_finite
            else None
        )
        self._run = self.engine.Run(self._stream, self._device, self._allocate, status)

    @property
    def run(self) -> Any:
        """Where the functions of the engine run."""
        return self._run

    @contextmanager
    def parts(self) -> Iterator[None]:
        """Nothing inside waits or finishes the call: what the device finds goes to its status."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False

    def found_coarse(self) -> None:
        """Float32 has no digits for angles of these items."""
        self.coarse = True

    def look(self, name: str, view: Any) -> None:
        """Look for NaN and infinity."""
        self._looked.append((name, view))
        self._run.look(view)

    def on_cpu(self, views: Sequence[Any], why: str = NO_VERSION) -> tuple[list[Array], Library]:
        """For what the device does not offer: copies of these views as NumPy's, and a library of
        the CPU that gives results back where the views are. Said once per function; the look is
        over then, and has raised what it found."""
        self.finish()
        say_on_cpu(self.function, why)
        there = [self.host(view) for view in views]
        return there, Library(self.name, lambda array: self.give(self.sent(array)))

    def sent(self, array: Array) -> Any:
        """A copy of NumPy's array on the device."""
        out = self.empty(array.shape, array.dtype)
        self.engine.upload(np.ascontiguousarray(array), out, self._run)
        return out

    def finish(self, *also: Any, items: int = 1) -> list[Array] | None:
        """Wait for the device, if the call was asked to look at its arrays, and raise what it says.

        Messages name the item where there are several. Returns these int64 arrays as NumPy's, or
        None without a wait.

        Raises
        ------
        ValueError
            For NaN or infinity, and costs that allow no assignment.
        ConvergenceError
            If a decomposition failed.
        """
        if self._deferred:
            return None
        found = self._run.finish(list(also))
        if not found:
            return None
        facts = self.engine.status_facts
        assignment, unconverged = found[:facts]
        for (name, view), position in zip(self._looked, found[facts:], strict=False):
            if position >= 0:
                index = tuple(int(i) for i in np.unravel_index(position, view.shape))
                raise ValueError(
                    f"{self.function}: {name} must be finite, got {self.host(view)[index]} at "
                    f"index {index} (check_finite=False skips this look)"
                )
        if unconverged >= 0:
            raise ConvergenceError(
                f"{self.function}: the singular value decomposition of item {unconverged} did not "
                "converge"
            )
        if assignment >= 0:
            item, status = divmod(assignment, 4)
            where = f" (item {item} of the batch)" if items > 1 else ""
            raise ValueError(_ASSIGNMENT_ERRORS[status] + where)
        ends = np.cumsum([facts + len(self._looked), *(array.size for array in also)])
        return [
            np.array(found[begin:end], np.int64).reshape(array.shape)
            for begin, end, array in zip(ends, ends[1:], also, strict=False)
        ]

    def take(self, view: Any, rows: Array) -> Any:
        """``(k, size, d)``: these rows ``(k, size)`` of a representation ``(n, d)``."""
        out = self.empty((*rows.shape, view.shape[1]), view.dtype)
        self.engine.gather_rows([view], rows, [out], self._run)
        return out

    def infinite(self, *views: Any) -> Any:
        """How many elements of each are infinite: counts to finish the call with."""
        counts = self.zeros((len(views),), np.int64)
        self.engine.count_infinite([*views], counts, self._run)
        return counts

    def host(self, view: Any) -> Array:
        """A copy of the view as NumPy's; what broadcasting repeats is there once as well."""
        axes = zip(view.shape, view.strides, strict=True)
        once = tuple(min(size, 1) if stride == 0 else size for size, stride in axes)
        host = np.empty(once, view.dtype)
        view_once = view.strided(list(once), list(view.strides), 0)
        self.engine.download(self.contiguous(view_once, once), host, self._run)
        return host if once == view.shape else np.broadcast_to(host, view.shape)

    def _copied(self, array: Any, dtype: Any) -> Any:
        out = self.empty(array.shape, dtype)
        self.engine.copy(array, out, self._run)
        return out

    def _plain_tensor(self, name: str, tensor: Any) -> Any:
        require_plain_tensor(self.function, name, tensor)
        return tensor.resolve_conj().resolve_neg()

    def _current_stream(self) -> int:
        """The number that DLPack gives the library's current stream."""
        if self._torch is not None:
            return int(self._torch.cuda.current_stream(self._like.device).cuda_stream) or 1
        cupy = sys.modules.get("cupy")
        if cupy is not None and isinstance(self._like, cupy.ndarray):
            return int(cupy.cuda.get_current_stream(self._device).ptr) or _DEFAULT_STREAM
        return _DEFAULT_STREAM


def _there(array: Any) -> AbstractContextManager[Any]:
    """Makes the device of the array the current one of its library."""
    torch, cupy = sys.modules.get("torch"), sys.modules.get("cupy")
    if torch is not None and isinstance(array, torch.Tensor):
        return cast("AbstractContextManager[Any]", torch.cuda.device(array.device))
    if cupy is not None and isinstance(array, cupy.ndarray):
        return cast("AbstractContextManager[Any]", array.device)
    return nullcontext()


def _exported(array: Any, stream: int) -> Any:
    """The memory of an array, which libraries export on their current device alone."""
    with _there(array):
        return engine().DeviceArray(array, stream)


def _empty(like: Any, shape: tuple[int, ...], dtype: str) -> Any:
    """An array of the library and on the device of `like`."""
    torch, cupy = sys.modules.get("torch"), sys.modules.get("cupy")
    if torch is not None and isinstance(like, torch.Tensor):
        return torch.empty(shape, dtype=getattr(torch, dtype), device=like.device)
    namespace = like.__array_namespace__()
    number = getattr(namespace, dtype)
    if cupy is not None and isinstance(like, cupy.ndarray):
        with _there(like):
            return namespace.empty(shape, dtype=number)
    return namespace.empty(shape, dtype=number, device=like.device)


def _bytes(like: Any, count: int) -> Any:
    return _exported(_empty(like, (max(count, 1),), "uint8"), _IN_ORDER)


def say_on_cpu(function: str, why: str = NO_VERSION) -> None:
    """Warn that a function computes on the CPU what is on a device, or was to be; once for each."""
    name = function.partition(".")[0]
    if name not in _told and not is_quiet():
        _told.add(name)
        warn(f"{name}: {why}; computed on the CPU", DeviceWarning)


def too_large(library: Any, limit: str, side: int) -> str:
    """Why a problem with a side this long cannot be solved on the device, "" where it can.

    ``limit`` is the engine's name of the longest; CPUs have none.
    """
    most = getattr(library.engine, limit, None)
    if most is None or side <= most:
        return ""
    return f"a problem of more than {most} rows or columns does not fit the device's kernel"


def library_name(value: Any) -> str:
    """The library and the device of an array."""
    root = type(value).__module__.partition(".")[0]
    return f"{root} on device {int(value.__dlpack_device__()[1])}"
