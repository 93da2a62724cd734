"""More samples than fit into memory: sums that stream, merge and travel, arrays on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from likewise.scale.accumulator import Accumulator, UnitAccumulator
from likewise.scale.minibatch import MinibatchCKA

if TYPE_CHECKING:
    from likewise.scale.history import History
    from likewise.scale.store import Key, Store

__all__ = ["Accumulator", "History", "Key", "MinibatchCKA", "Store", "UnitAccumulator"]


def __getattr__(name: str) -> Any:
    if name == "History":
        from likewise.scale import history as module
    elif name in ("Key", "Store"):
        from likewise.scale import store as module  # type: ignore[no-redef]
    else:
        raise AttributeError(f"module 'likewise.scale' has no attribute {name!r}")
    globals()[name] = value = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
