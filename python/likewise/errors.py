"""Errors and warnings that callers may want to catch."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

__all__ = [
    "ConvergenceError",
    "ConvergenceWarning",
    "DegenerateWarning",
    "DeviceWarning",
    "GridEdgeWarning",
    "InputTypeError",
    "LikewiseWarning",
    "OverflowWarning",
    "SmallSampleWarning",
]


class InputTypeError(TypeError, ValueError):
    """An input of a kind that cannot be used as it is: complex, sparse, of another library..."""


class ConvergenceError(np.linalg.LinAlgError):
    """A decomposition failed with its fast and its slow driver; the text names the items."""


class LikewiseWarning(UserWarning):
    """Base of all warnings of this package."""


class DegenerateWarning(LikewiseWarning):
    """Constant units and dropped directions (units that are combinations of others), which
    contribute nothing, or constant representations (their score is NaN)."""


class SmallSampleWarning(LikewiseWarning):
    """A flexible measure with fewer than 2 * max(dx, dy) samples: its score is inflated."""


class ConvergenceWarning(LikewiseWarning):
    """An iterative solution ended short of its tolerance; the text says by how much."""


class GridEdgeWarning(LikewiseWarning):
    """The best penalties sit at an edge of the given grid: better ones may lie beyond it."""


class DeviceWarning(LikewiseWarning):
    """A device was left aside for work that does not fit it; said once per function."""


class OverflowWarning(LikewiseWarning, RuntimeWarning):
    """A result is beyond the range of its type and given as infinity."""


_PACKAGE = os.path.dirname(__file__)
_quiet: ContextVar[bool] = ContextVar("likewise_quiet", default=False)


def out_of_memory(size: int) -> str:
    """What the engine's MemoryError says: the public function that was called, and the bytes that
    were asked for at once (0: unknown)."""
    names = []
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        names.append(frame.f_code.co_qualname)
        frame = frame.f_back  # type: ignore[assignment]
    public = [name for name in names if "<locals>" not in name] or ["likewise"]
    wanted = f", {size / 2**30:.3g} GiB were asked for at once" if size else ""
    return f"{public[-1]}: out of memory{wanted}"


def is_quiet() -> bool:
    """Whether this is a repeat of something that warns elsewhere."""
    return _quiet.get()


def warn(message: str, category: type[LikewiseWarning]) -> None:
    """Warn at the first caller outside this package."""
    if is_quiet():
        return
    level = 2
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
        level += 1
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def quiet(silent: bool = True) -> Iterator[None]:
    """Repeats of one comparison (resamples, shuffles) warn once, on the original data.

    ``silent=False``: within such a block what must be said nevertheless.
    """
    token = _quiet.set(silent)
    try:
        yield
    finally:
        _quiet.reset(token)


def warn_degenerate(function: str, units: int, items: int, directions: int = 0) -> None:
    """One warning with the counts that an engine call reported, none if all are zero.

    ``directions``: how many fewer there are than units that vary, or samples but one, would allow.
    """
    units, items, directions = int(units), int(items), int(directions)
    if not units and not items and not directions:
        return
    parts = []
    if units:
        parts.append(f"{units} constant unit{'s' * (units != 1)} (contributing nothing)")
    if directions:
        parts.append(
            f"{directions} direction{'s' * (directions != 1)} dropped (units that are combinations "
            "of others, up to rounding)"
        )
    if items:
        parts.append(f"{items} constant representation{'s' * (items != 1)} (score NaN)")
    warn(f"{function}: {' and '.join(parts)}", DegenerateWarning)


def warn_small_sample(function: str, samples: int, dx: int, dy: int) -> None:
    """Say that a flexible measure saw fewer than ``2 * max(dx, dy)`` samples."""
    width = max(dx, dy)
    if samples < 2 * width:
        warn(
            f"{function}: {samples} samples for {width} units; below {2 * width} samples the "
            "measure can fit noise and its score is inflated",
            SmallSampleWarning,
        )


def complex_refused(function: str, name: str, dtype: object) -> InputTypeError:
    """What is said of complex arrays, wherever they are."""
    return InputTypeError(
        f"{function}: {name} is complex ({dtype}); pass real arrays, for example "
        "np.concatenate([a.real, a.imag], axis=-1)"
    )


def low_rank_rdm(rank: int) -> ValueError:
    """What is said of RDMs that have no Riemannian distance, wherever they are."""
    return ValueError(
        "rsa: comparison 'neg_riem_dist' needs RDMs of full rank, thus more units than samples, "
        f"got one of rank below {rank}"
    )
