"""Numbers that a training leaves behind, on disk while it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from likewise._array import Array

__all__ = ["History"]

_CHUNK = (256, 32)


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

    def __init__(self, name: str, table: Any) -> None:
        self.name = name
        self._table = table

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
        """
        if not row:
            raise ValueError("History.append: row must have at least one number, got none")
        columns = list(self.columns)
        columns += [name for name in row if name not in columns]
        rows = len(self)
        room = self._table.shape
        if rows == room[0] or len(columns) > room[1]:
            self._table.resize((rows // _CHUNK[0] * _CHUNK[0] + _CHUNK[0], len(columns)))
        self._table[rows, :] = [float(row.get(name, np.nan)) for name in columns]
        # From here on readers see it.
        self._table.attrs.update({"columns": columns, "rows": rows + 1})

    def read(self, first: int = 0) -> dict[str, Array]:
        """Columns by name, from this row on, float64."""
        attributes = self._table.attrs
        columns, rows = attributes["columns"], attributes["rows"]
        values = np.asarray(self._table[first:rows, : len(columns)])
        return dict(zip(columns, values.T, strict=True))


def new_table(group: Any, path: str, notes: Mapping[str, Any]) -> Any:
    """An empty one in a Zarr group."""
    return group.create_array(
        path,
        shape=(0, 0),
        chunks=_CHUNK,
        dtype=np.float64,
        fill_value=np.nan,
        attributes={"columns": [], "rows": 0, "notes": dict(notes)},
    )
