"""Sample ids: rows that are not the same stimuli fail loudly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from likewise._border.arrays import Array
from likewise._border.pairs import Items

__all__ = ["require_same_ids"]


def require_same_ids(function: str, sides: Sequence[tuple[str, Any, Items]]) -> None:
    """Raise ``ValueError`` unless all items have the same samples in the same order.

    ``sides`` holds the name of the ids, the ids and the items that they belong to.
    """
    named: list[tuple[str, Array]] = []
    for name, ids, items in sides:
        if ids is None:
            continue
        keys = items.labels if isinstance(ids, Mapping) else range(len(items.arrays))
        if (
            keys is None
            or len(ids) != len(items.arrays)
            or any(isinstance(ids, Mapping) and key not in ids for key in keys)
        ):
            raise ValueError(
                f"{function}: {name} must hold one sequence for each of the {len(items.arrays)} "
                f"items, under the same labels if they have any, got {len(ids)}"
            )
        for key, array in zip(keys, items.arrays, strict=True):
            own = np.asarray(ids[key])
            if own.shape != (array.shape[0],):
                raise ValueError(
                    f"{function}: {name}[{key!r}] must have one entry for each of the "
                    f"{array.shape[0]} samples, got shape {own.shape}"
                )
            named.append((f"{name}[{key!r}]", own))
    for name, own in named[1:]:
        first_name, first = named[0]
        if np.array_equal(own, first):
            continue
        wrong = next(k for k, (p, q) in enumerate(zip(first, own, strict=True)) if p != q)
        hint = ""
        if sorted(map(str, own)) == sorted(map(str, first)):
            hint = "; they are the same samples in another order: sort the rows by their ids first"
        raise ValueError(
            f"{function}: samples must be the same in all items: at sample {wrong}, {first_name} "
            f"has {first[wrong]!s} and {name} has {own[wrong]!s}{hint}"
        )
