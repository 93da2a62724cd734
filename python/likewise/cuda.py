"""What CUDA devices can do here."""

from __future__ import annotations

from likewise import _device

__all__ = ["is_available", "why_not"]


def is_available() -> bool:
    """Whether arrays on a CUDA device can be given to :mod:`likewise`."""
    return not why_not()


def why_not() -> str:
    """One sentence that says what is missing, "" where nothing is."""
    return _device.why_not()
