"""Whether arrays on CUDA devices can be used here.

Functions with a CUDA version take torch tensors and CuPy arrays (anything that offers DLPack and an
array namespace with ``empty``) on a device and return such arrays, made by the caller's library on
its current stream. A call waits for the device once, at its end, to report NaN, infinity and what
else is wrong; ``check_finite=False`` leaves that out: results are then NaN, or -1, where something
was wrong, without a warning. What has no version for devices computes on the CPU from copies of the
arrays, gives its results back where they were, and says so once per function, in a
``DeviceWarning``. Permutation tests, bootstraps and streams draw and sum on the device and conclude
on the host. ``pairwise`` and ``cross`` take every measure; a labelled grid holds NumPy scores. With
``device="cuda"`` they take items in host memory, more of them than the device holds.

Procrustes angles of items in float32 whose similarity is above 0.999 are computed again in float64,
which waits once more; with ``check_finite=False`` they keep the precision of float32 products: the
angle of equal items may then be some 1e-3. Canonical correlations and ridge regression compute in
float64, whatever they are given.
"""

from __future__ import annotations

from likewise._border import device as _device
from likewise._public import TAKE_ARRAYS

__all__ = ["functions", "is_available", "why_not"]


def functions() -> tuple[str, ...]:
    """Names of the functions that take arrays on a device, and of the classes whose methods do."""
    return TAKE_ARRAYS


def is_available() -> bool:
    """Whether arrays on a CUDA device can be given to :mod:`likewise`."""
    return not why_not()


def why_not() -> str:
    """One sentence that says what is missing, "" where nothing is."""
    return _device.why_not()


def __dir__() -> list[str]:
    return sorted(__all__)
