"""The compiled engine and how many of its threads to use."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

# The engine calls BLAS from threads of its own. A pool of OpenBLAS beside them, one thread per
# processor, would only cost memory, and 20 ms of spinning per thread when it starts.
_wish = os.environ.get("OPENBLAS_NUM_THREADS")
os.environ["OPENBLAS_NUM_THREADS"] = "1"
try:
    from likewise import _cpu
finally:
    if _wish is None:
        del os.environ["OPENBLAS_NUM_THREADS"]
    else:
        os.environ["OPENBLAS_NUM_THREADS"] = _wish

from likewise.errors import ConvergenceError  # noqa: E402

_threads: ContextVar[int] = ContextVar("likewise_threads")

# More only cost memory and switches.
_PER_PROCESSOR = 4


def _positive(value: object, name: str) -> int:
    try:
        count = int(str(value))
    except ValueError:
        count = 0
    if count < 1:
        raise ValueError(f"{name} must be a positive integer, got {value!r}")
    most = _PER_PROCESSOR * (os.cpu_count() or 1)
    if count > most:
        warnings.warn(
            f"{name} = {value} is lowered to {most}, {_PER_PROCESSOR} threads for each of this "
            "machine's processors",
            RuntimeWarning,
            stacklevel=4,  # the with statement, or the import
        )
        return most
    return count


def _default_threads() -> int:
    wish = os.environ.get("LIKEWISE_NUM_THREADS")
    if wish:
        return _positive(wish, "LIKEWISE_NUM_THREADS")
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_default = _default_threads()


def threads() -> int:
    """Threads that an engine call made here and now may use."""
    return _threads.get(_default)


@contextmanager
def num_threads(k: int) -> Iterator[None]:
    """Use at most ``k`` engine threads inside the ``with`` block.

    Holds for the current Python thread (and asyncio task) alone. The default is the
    environment variable ``LIKEWISE_NUM_THREADS``, else the processors this process may run on.
    More than four for each processor of the machine are lowered to that, with a warning.

    Raises
    ------
    ValueError
        If ``k`` is not a positive integer.
    """
    token = _threads.set(_positive(k, "num_threads: k"))
    try:
        yield
    finally:
        _threads.reset(token)


def build_config() -> dict[str, Any]:
    """What this build is and uses: version, SIMD variant, BLAS, threads, CUDA.

    ``simd`` is the instruction set in use (``LIKEWISE_SIMD`` forces one), ``blas`` the vendored
    library's own description, ``threads`` what a call made here would use, ``cuda`` whether the
    CUDA engine was built.
    """
    from importlib.metadata import version
    from importlib.util import find_spec

    return {
        "version": version("likewise"),
        "simd": _cpu.simd(),
        "blas": _cpu.blas(),
        "threads": threads(),
        "cuda": find_spec("likewise._cuda") is not None,
    }


@contextmanager
def named_convergence(function: str) -> Iterator[None]:
    """Turn the engine's convergence failure into ours, with the function's name in front."""
    try:
        yield
    except _cpu.EngineConvergenceError as error:
        raise ConvergenceError(f"{function}: {error}") from None
