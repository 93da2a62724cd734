"""Numbers that a training leaves behind, on disk while it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from likewise._border.arrays import Array
from likewise.scale._lock import WritersLock
from likewise.scale._zarr import create_array, read_rows

__all__ = ["OF_TABLES", "History", "new_table"]

_CHUNK = (256, 32)
OF_TABLES = {"columns": list, "rows": int, "notes": dict}
"""Types of the attributes of a table."""


class History:
    """A table of a :class:`~likewise.scale.Store` that grows by rows, a column for every name.

    Kept as one Zarr array in float64. A reader sees whole rows only: it can read, from another
    process too, while one writer appends; what is read is the table as it was when
    :meth:`Store.history` opened it.

    Attributes
    ----------
    name
        Its name in the store.
    """

    def __init__(self, name: str, table: Any, folder: Path, lock: WritersLock) -> None:
        self.name = name
        self._table, self._folder, self._lock = table, folder, lock

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in the order in which they first came."""
        return tuple(self._table.attrs["columns"])

    @property
    def notes(self) -> dict[str, Any]:
        """What the writer has said about the columns."""
        return dict(self._table.attrs["notes"])

    def __len__(self) -> int:
        """Rows."""
        return int(self._table.attrs["rows"])

    def append(self, row: Mapping[str, float]) -> None:
        """Add a row. Columns that it does not have are NaN there, as new columns are before it.

        Raises
        ------
        ValueError
            For a row without numbers.
        BlockingIOError
            While another process writes to the store.
        """
        if not row:
            raise ValueError("History.append: row must have at least one number, got none")
        with self._lock.writing():
            before = list(self.columns)
            columns = before + [name for name in row if name not in before]
            rows = len(self)
            room = self._table.shape
            if rows == room[0] or len(columns) > room[1]:
                self._table.resize((rows // _CHUNK[0] * _CHUNK[0] + _CHUNK[0], len(columns)))
            if rows and len(columns) > len(before):
                self._table[:rows, len(before) : len(columns)] = np.nan
            self._table[rows, : len(columns)] = [float(row.get(name, np.nan)) for name in columns]
            # From here on readers see it.
            self._table.attrs.update({"columns": columns, "rows": rows + 1})

    def read(self, first: int = 0) -> dict[str, Array]:
        """Columns by name, from this row on, float64; ``ValueError`` naming a damaged chunk."""
        attributes = self._table.attrs
        columns, rows = attributes["columns"], attributes["rows"]
        wanted = slice(min(first, rows), rows)
        what = f"History {self.name!r}"
        values = read_rows(what, self._folder, self._table, wanted, len(columns))
        return dict(zip(columns, values.T, strict=True))


def new_table(group: Any, path: str, notes: Mapping[str, Any]) -> Any:
    """An empty one in a Zarr group."""
    attributes = {"columns": [], "rows": 0, "notes": dict(notes)}
    return create_array(
        group, path, width=0, chunks=_CHUNK, dtype=np.float64, attributes=attributes
    )
