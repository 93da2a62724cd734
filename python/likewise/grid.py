"""All pairs at once, and the labelled table they come in.

File formats are imported where they are used: ``import likewise`` should cost little.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from likewise._border.arrays import Array
from likewise._border.pairs import Items, narrowed, read_collections, read_items
from likewise._border.types import AnyArray, AnyItems, ArrayT
from likewise._files import FORMAT, require_format, write_text
from likewise._ids import require_same_ids
from likewise.errors import InputTypeError
from likewise.measure import Measure, MeasureLike, measure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Grid", "cross", "pairwise"]

_SHOWN = 5  # rows and columns at either end of a printed grid


@dataclass(frozen=True, eq=False, repr=False)
class Grid:
    """Scores with labels on both sides.

    ``grid["a", "b"]`` is one score, ``grid["a"]`` a row, ``grid[["a", "c"], :]`` a smaller grid;
    whole numbers index by position. ``np.asarray(grid)`` is the array of scores.

    Attributes
    ----------
    values
        Scores, ``(len(rows), len(columns))``.
    rows, columns
        Labels of the two sides.
    measure, options
        What was computed.
    """

    values: Array
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    measure: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = (len(self.rows), len(self.columns))
        if self.values.shape != shape:
            raise ValueError(f"Grid: values must have shape {shape}, got {self.values.shape}")
        for side, labels in (("rows", self.rows), ("columns", self.columns)):
            if len(set(labels)) != len(labels):
                raise ValueError(f"Grid: labels of {side} must be unique, got {list(labels)}")

    def __repr__(self) -> str:
        """A table; of a large grid its first and last rows and columns."""
        rows, columns = ends(len(self.rows)), ends(len(self.columns))
        lines = [["", *("..." if j is None else self.columns[j] for j in columns)]]
        for i in rows:
            label = "..." if i is None else self.rows[i]
            cells = ["" if None in (i, j) else f"{self.values[i, j]:.4g}" for j in columns]
            lines.append([label, *cells])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
            for line in lines
        )
        return (
            f"Grid of {self.measure or 'scores'}, {len(self.rows)} x {len(self.columns)}\n{table}"
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.values, dtype=dtype, copy=copy)

    def __getitem__(self, key: Any) -> Any:
        row, column = key if isinstance(key, tuple) else (key, slice(None))
        i, j = _locate(self.rows, row, "row"), _locate(self.columns, column, "column")
        if isinstance(i, int) or isinstance(j, int):
            return self.values[i, j]
        return Grid(
            self.values[np.ix_(i, j)],
            tuple(self.rows[k] for k in i),
            tuple(self.columns[k] for k in j),
            self.measure,
            self.options,
        )

    def to_pandas(self) -> pd.DataFrame:
        """The scores as a pandas DataFrame (pandas must be installed)."""
        import pandas as pd

        return pd.DataFrame(self.values, index=list(self.rows), columns=list(self.columns))

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, strings and numbers, as ``to_json`` writes them; NaN becomes None, infinity
        ``"inf"``."""
        return {
            "format": FORMAT,
            "measure": self.measure,
            "options": self.options,
            "dtype": str(self.values.dtype),
            "rows": list(self.rows),
            "columns": list(self.columns),
            "values": [[_plain(float(v)) for v in row] for row in self.values],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Grid:
        """The inverse of ``to_dict``; ``ValueError`` for what is no such dictionary."""
        require_format("Grid.from_dict: data", data)
        with _refused("from_dict", "a dictionary that to_dict made"):
            return cls._made_of(data)

    @classmethod
    def _made_of(cls, data: dict[str, Any]) -> Grid:
        values = [[np.nan if v is None else float(v) for v in row] for row in data["values"]]
        shape = (len(data["rows"]), len(data["columns"]))
        return cls(
            np.array(values, dtype=data["dtype"]).reshape(shape),
            tuple(data["rows"]),
            tuple(data["columns"]),
            data["measure"],
            _tuples(data["options"]),
        )

    def to_json(self, path: str | PathLike[str] | None = None) -> str:
        """JSON text with labels, measure and options; also written to ``path`` if given."""
        import json

        return _written(json.dumps(self.to_dict(), allow_nan=False), path)

    @classmethod
    def from_json(cls, source: str | PathLike[str]) -> Grid:
        """A grid from a JSON file, or from JSON text; ``ValueError`` for any other."""
        import json

        with _refused("from_json", "JSON that to_json wrote"):
            data = json.loads(_text_of(source, "{"))
        require_format("Grid.from_json: source", data)
        with _refused("from_json", "JSON that to_json wrote"):
            return cls._made_of(data)

    def to_csv(self, path: str | PathLike[str] | None = None) -> str:
        """Comma-separated text with labels; its first cell holds the measure and its options."""
        import csv
        import io
        import json

        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        notes = {"format": FORMAT, "measure": self.measure, "options": self.options}
        corner = json.dumps(notes)
        writer.writerow([corner, *self.columns])
        for label, row in zip(self.rows, self.values, strict=True):
            writer.writerow([label, *(repr(float(v)) for v in row)])
        return _written(buffer.getvalue(), path)

    @classmethod
    def from_csv(cls, source: str | PathLike[str]) -> Grid:
        """A grid (float64) from a CSV file that ``to_csv`` wrote, or from its text; ``ValueError``
        for any other."""
        import csv
        import io
        import json

        with _refused("from_csv", "CSV that to_csv wrote"):
            header, *lines = csv.reader(io.StringIO(_text_of(source, '"')))
            corner = json.loads(header[0])
        require_format("Grid.from_csv: source", corner)
        with _refused("from_csv", "CSV that to_csv wrote"):
            values = np.array([[float(v) for v in line[1:]] for line in lines], dtype=np.float64)
            return cls(
                values.reshape(len(lines), len(header) - 1),
                tuple(line[0] for line in lines),
                tuple(header[1:]),
                corner["measure"],
                _tuples(corner["options"]),
            )

    def plot(self, ax: Axes | None = None) -> Axes:
        """A heat map on ``ax`` or on new axes (Matplotlib must be installed)."""
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots()
        image = ax.imshow(self.values, aspect="auto")
        ax.set_xticks(range(len(self.columns)), self.columns, rotation=90)
        ax.set_yticks(range(len(self.rows)), self.rows)
        ax.set_title(self.measure)
        assert ax.figure is not None
        ax.figure.colorbar(image, ax=ax)
        return ax


@overload
def pairwise(
    items: Mapping[str, Any],
    measure: MeasureLike = ...,
    *,
    ids: Any = ...,
    device: int | str | None = ...,
    check_finite: bool = ...,
    **options: Any,
) -> Grid: ...


@overload
def pairwise(
    items: AnyArray[ArrayT] | Sequence[AnyArray[ArrayT]],
    measure: MeasureLike = ...,
    *,
    ids: Any = ...,
    device: int | str | None = ...,
    check_finite: bool = ...,
    **options: Any,
) -> ArrayT: ...


def pairwise(
    items: AnyItems,
    measure: MeasureLike = "procrustes",
    *,
    ids: Any = None,
    device: int | str | None = None,
    check_finite: bool = True,
    **options: Any,
) -> Any:
    """Compare all representations of one collection with each other.

    Each item is prepared once, and all pairs go to the engine together.

    Parameters
    ----------
    items
        A list of arrays ``(n, d_k)`` of mixed widths, a mapping of labels to such arrays, or a
        stacked array ``(m, n, d)``.
    measure
        A name of :func:`likewise.measures` with its ``options``, or a measure object.
    ids
        What each sample is, one sequence per item (a mapping with the same labels for a mapping):
        file names, indices. Samples are compared row by row; with ids, rows that are not the same
        stimuli are an error instead of a low score.
    device
        None: computed where the items are. "cuda", "cuda:1" or the index of a CUDA device: items in
        host memory, of any library, are compared there. They need not fit into its memory: the
        device compares two runs of items while the next one is copied to it.
    check_finite
        Look for NaN and infinity first.

    Returns
    -------
    ``(m, m)`` array in the items' library, or a :class:`Grid` for a mapping. Row and column follow
    the order of the items; entry ``(i, j)`` is ``measure(items[i], items[j])``.

    Raises
    ------
    ValueError
        For an unknown measure or option value, items that are not 2-D or differ in their number of
        samples, ids that differ, NaN or infinity.
    InputTypeError
        For inputs that cannot be used as they are (complex, sparse, mixed libraries), and for a
        device that cannot be used.
    MemoryError
        If the device has no room for two items and what comparing them takes.
    """
    if isinstance(measure, (list, tuple, Mapping)) or hasattr(measure, "shape"):
        raise InputTypeError(
            "pairwise: compares one collection with itself, got a second one in the place of the "
            "measure; lw.cross compares two"
        )
    chosen = _measure(measure, options)
    read = read_items(
        "pairwise", "items", items, check_finite=check_finite, min_samples=chosen.min_samples
    )
    require_same_ids("pairwise", [("ids", ids, read)])
    scores = _scores("pairwise", chosen, read, None, device, check_finite)
    return labelled(scores, read, read, chosen)


@overload
def cross(
    items_a: Mapping[str, Any],
    items_b: Any,
    measure: MeasureLike = ...,
    *,
    ids_a: Any = ...,
    ids_b: Any = ...,
    device: int | str | None = ...,
    check_finite: bool = ...,
    **options: Any,
) -> Grid: ...


@overload
def cross(
    items_a: Any,
    items_b: Mapping[str, Any],
    measure: MeasureLike = ...,
    *,
    ids_a: Any = ...,
    ids_b: Any = ...,
    device: int | str | None = ...,
    check_finite: bool = ...,
    **options: Any,
) -> Grid: ...


@overload
def cross(
    items_a: AnyArray[ArrayT] | Sequence[AnyArray[ArrayT]],
    items_b: AnyArray[ArrayT] | Sequence[AnyArray[ArrayT]],
    measure: MeasureLike = ...,
    *,
    ids_a: Any = ...,
    ids_b: Any = ...,
    device: int | str | None = ...,
    check_finite: bool = ...,
    **options: Any,
) -> ArrayT: ...


def cross(
    items_a: AnyItems,
    items_b: AnyItems,
    measure: MeasureLike = "procrustes",
    *,
    ids_a: Any = None,
    ids_b: Any = None,
    device: int | str | None = None,
    check_finite: bool = True,
    **options: Any,
) -> Any:
    """Compare every representation of one collection with every one of another.

    Parameters, errors and the kinds of collections are those of :func:`pairwise`; ``ids_a`` and
    ``ids_b`` are the ids of the two sides, given for both or neither.

    Returns
    -------
    ``(m_a, m_b)`` array in the items' library, or a :class:`Grid` if either side is a mapping (the
    other side is then labelled ``"0"``, ``"1"``, ... if it is not).
    """
    chosen = _measure(measure, options)
    a, b = read_collections(
        "cross",
        {"items_a": items_a, "items_b": items_b},
        check_finite=check_finite,
        min_samples=chosen.min_samples,
    )
    if (ids_a is None) != (ids_b is None):
        raise ValueError("cross: ids must be given for both sides or for neither")
    require_same_ids("cross", [("ids_a", ids_a, a), ("ids_b", ids_b, b)])
    scores = _scores("cross", chosen, a, b, device, check_finite)
    return labelled(scores, a, b, chosen)


def _measure(name: MeasureLike, options: dict[str, Any]) -> Measure:
    return measure(name, **options)


def _scores(
    function: str,
    chosen: Measure,
    a: Items,
    b: Items | None,
    device: int | str | None,
    check_finite: bool,
) -> Any:
    """Of all pairs, where the items are or on this device."""
    if device is not None:
        from likewise._border import offload as _offload

        return _offload.scores(function, chosen, a, b, device, check_finite)
    return chosen.scores(a.library, a.arrays, None if b is None else b.arrays)


def labelled(scores: Any, a: Items, b: Items, chosen: Any, name: str = "") -> Any:
    """Scores of a measure in the dtype and library of the items, a Grid if these had labels."""
    if a.arrays:
        scores = narrowed(chosen, a.library, scores, a.arrays[0].dtype, name)
    return table(scores, a, b, name or chosen.name, asdict(chosen))


def table(values: Any, a: Items, b: Items, name: str, options: dict[str, Any]) -> Any:
    """Numbers of all pairs as they are, in the items' library, a Grid if these had labels."""
    if a.labels is None and b.labels is None:
        return a.library.give(values)
    values = a.library.host(values)
    rows, columns = (
        side.labels if side.labels is not None else tuple(map(str, range(len(side.arrays))))
        for side in (a, b)
    )
    return Grid(values, rows, columns, name, options)


def _locate(labels: Sequence[str], key: Any, side: str) -> int | list[int]:
    if isinstance(key, str):
        try:
            return labels.index(key)
        except ValueError:
            raise KeyError(f"no {side} {key!r}, there are {list(labels)}") from None
    if isinstance(key, (int, np.integer)):
        return range(len(labels))[key]
    if isinstance(key, slice):
        return list(range(len(labels))[key])
    return [k for part in key if isinstance(k := _locate(labels, part, side), int)]


def _text_of(source: str | PathLike[str], start: str) -> str:
    if isinstance(source, str) and source.lstrip().startswith(start):
        return source
    with open(source, encoding="utf-8") as file:
        return file.read()


def ends(count: int, shown: int = _SHOWN) -> list[int | None]:
    """All positions, or the first and last few with None between."""
    if count <= 2 * shown:
        return list(range(count))
    return [*range(shown), None, *range(count - shown, count)]


def _written(text: str, path: str | PathLike[str] | None) -> str:
    if path is not None:
        write_text(path, text)
    return text


def _plain(value: float) -> float | str | None:
    """As JSON has it, which knows neither NaN nor infinity."""
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)


@contextmanager
def _refused(method: str, wanted: str) -> Iterator[None]:
    """What goes wrong with the text or the dictionary of another one, in our words."""
    try:
        yield
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, StopIteration) as error:
        name = type(error).__name__
        raise ValueError(f"Grid.{method}: needs {wanted} ({name}: {str(error)[:100]})") from error


def _tuples(options: dict[str, Any]) -> dict[str, Any]:
    # Options are frozen values: what JSON holds as a list was a tuple.
    return {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
