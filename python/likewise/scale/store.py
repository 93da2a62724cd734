"""Recorded representations on disk, which can be read while they grow."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import quote, unquote

import numpy as np

from likewise._border.arrays import Array
from likewise._files import FORMAT, require_format
from likewise.scale._lock import WritersLock
from likewise.scale._zarr import create_array, open_array, read_rows, zarr_module
from likewise.scale.history import OF_TABLES, History, new_table

__all__ = ["Key", "Store"]

_CHUNK_BYTES = 4 * 2**20
_LONGEST = 250  # bytes of a folder's name
_OF_ARRAYS = {"samples": int, "ids": bool, "order": int, "reduce": str, "stage": str}
_FLOATS = (np.float16, np.float32, np.float64)


class Key(NamedTuple):
    """Names one array of a store."""

    model: str
    checkpoint: str
    data: str
    layer: str


class Store:
    """A folder of representations: one Zarr array per model, checkpoint, data set and layer.

    Arrays ``(samples, units)`` of float16, float32 or float64 are cut into chunks over samples and
    grow by :meth:`append`; their attributes say which reduction and stage made them. Ids of samples
    are kept once per data set. Beside them, a :class:`History` for every training that a
    :class:`likewise.torch.Monitor` has watched. A Zarr v3 group, for other tools to read. Needs
    ``zarr``.

    An append is there whole or, if its process dies, not at all, and a reader in any process sees
    whole appends only. Every chunk has a checksum: one that is damaged or missing is named, never
    read. One process writes at a time: the first write takes the store until :meth:`close`, until
    all writing ``Store`` objects of the process are gone, or until it ends; others get a
    ``BlockingIOError``. Written in format 1; what likewise 0.1.0 wrote is read and appended to.

    Use :meth:`create` or :meth:`open`, as context managers where others are to write afterwards.
    """

    def __init__(self, path: str | Path, group: Any) -> None:
        self.path = Path(path)
        self._group = group
        self._lock = WritersLock(path)

    def close(self) -> None:
        """Let other processes write. The next write takes the store again."""
        self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @classmethod
    def create(cls, path: str | Path) -> Store:
        """A new, empty store.

        Raises
        ------
        FileExistsError
            If there is something at ``path``.
        ImportError
            Without ``zarr``.
        """
        if Path(path).exists():
            raise FileExistsError(f"Store.create: there is something at {path} already")
        group = zarr_module().open_group(str(path), mode="w", zarr_format=3)
        group.attrs.update({"likewise": "store", "format": FORMAT, "arrays": 0})
        return cls(path, group)

    @classmethod
    def open(cls, path: str | Path, mode: Literal["r", "a"] = "r") -> Store:
        """The store at ``path``, for reading or for appending too.

        Raises
        ------
        ValueError
            If there is no store, or one of a format that this version does not know.
        ImportError
            Without ``zarr``.
        """
        if mode not in ("r", "a"):
            raise ValueError(f"Store.open: mode must be 'r' or 'a', got {mode!r}")
        zarr = zarr_module()
        try:
            group = zarr.open_group(str(path), mode="r" if mode == "r" else "r+")
        except Exception as error:  # whatever a parser has tripped over
            metadata = Path(path) / "zarr.json"
            if metadata.exists():
                raise ValueError(
                    f"Store.open: {metadata} is damaged ({str(error)[:80]})"
                ) from error
            raise ValueError(f"Store.open: there is no store at {path}") from error
        if group.attrs.get("likewise") != "store":
            raise ValueError(f"Store.open: {path} is a Zarr group, but no store of likewise")
        require_format(f"Store.open: {path}", group.attrs)
        return cls(path, group)

    def append(
        self,
        array: Any,
        *,
        layer: str,
        model: str = "model",
        checkpoint: str = "final",
        data: str = "probe",
        ids: Any = None,
        reduce: str = "",
        stage: str = "",
    ) -> Key:
        """Add samples ``(n, units)`` to an array, which the first ones make.

        ``ids`` says what the samples are (strings or integers, one each): for all arrays of the
        data set or for none. ``reduce`` and ``stage`` are written beside the array.

        Raises
        ------
        ValueError
            Empty or very long names, other units, dtype, reduction or stage than before, other ids
            than another array of the data set has at these samples.
        TypeError
            For what are no floats.
        BlockingIOError
            While another process writes to the store.
        """
        values = np.asarray(array)
        if values.dtype not in _FLOATS:
            raise TypeError(f"Store.append: array must hold floats, got dtype {values.dtype}")
        if values.ndim != 2 or values.shape[1] == 0:
            raise ValueError(f"Store.append: array must be (n, units), got shape {values.shape}")
        key = Key(model, checkpoint, data, layer)
        for name, part in key._asdict().items():
            if not part:
                raise ValueError(f"Store.append: {name} must not be empty")
            if len(_encoded(part)) > _LONGEST:
                raise ValueError(
                    f"Store.append: {name} must be short enough to name a folder, got "
                    f"{len(part)} characters: {part[:40]}..."
                )
        made = {"reduce": reduce, "stage": stage}
        identities = None if ids is None else _identities(ids, len(values))
        with self._lock.writing():
            target = self._array(key)
            if target is None or not target.attrs["samples"]:  # or an append that broke off
                order = int(self._group.attrs["arrays"])
                target = create_array(
                    self._group,
                    _path(key),
                    width=values.shape[1],
                    chunks=(
                        max(1, _CHUNK_BYTES // (values.shape[1] * values.dtype.itemsize)),
                        values.shape[1],
                    ),
                    dtype=values.dtype,
                    attributes={**made, "samples": 0, "ids": ids is not None, "order": order},
                )
                self._group.attrs["arrays"] = order + 1
            self._require_same(key, target, values, made, ids is not None)
            first = int(target.attrs["samples"])
            if identities is not None:
                self._append_ids(data, first, identities)
            if target.shape[0] != first:  # an append that broke off has left something
                target.resize((first, target.shape[1]))
            target.append(values)
            target.attrs["samples"] = first + len(values)  # from here on readers see them
        return key

    def keys(
        self,
        *,
        model: str | None = None,
        checkpoint: str | None = None,
        data: str | None = None,
        layer: str | None = None,
    ) -> list[Key]:
        """Names of all arrays, or of those of a model, checkpoint, data set or layer, in the order
        in which they were made."""
        wanted = (model, checkpoint, data, layer)
        return [
            key
            for key in self._all()
            if all(part is None or part == own for part, own in zip(wanted, key, strict=True))
        ]

    def read(self, key: Key, samples: slice = slice(None)) -> Array:
        """The array, or a slice of its samples.

        Raises
        ------
        KeyError
            If there is none of that name.
        ValueError
            If a chunk is damaged or missing, which is named.
        """
        target = self._known(key)
        first, last, step = samples.indices(int(target.attrs["samples"]))
        if step < 1:
            raise ValueError(f"Store.read: samples must be a slice forwards, got {samples}")
        what = f"Store.read: {'/'.join(key)}"
        return read_rows(what, self.path, target, slice(first, max(first, last)))[::step]

    def attributes(self, key: Key) -> dict[str, Any]:
        """``samples``, ``units``, ``dtype``, ``reduce``, ``stage``; whether there are ``ids``."""
        target = self._known(key)
        found = {name: value for name, value in target.attrs.items() if name != "order"}
        return {**found, "units": target.shape[1], "dtype": str(target.dtype)}

    def ids(self, key: Key) -> Array | None:
        """What the samples of an array are, None if that was not said."""
        target = self._known(key)
        if not target.attrs["ids"]:
            return None
        what, own = f"Store.ids: {key.data}", self._ids(key.data)
        if own is None:
            raise ValueError(f"{what}: {self.path / _ids_path(key.data)} is missing")
        return read_rows(what, self.path, own, slice(0, int(target.attrs["samples"])))

    def label(self, key: Key) -> str:
        """Name of an array with what made it, as ``"model/final/probe/conv1 [centre, post]"``."""
        made = self._known(key).attrs
        notes = ", ".join(note for note in (made["reduce"], made["stage"]) if note)
        return "/".join(key) + (f" [{notes}]" if notes else "")

    def items(self, **parts: str) -> dict[str, Array]:
        """Labelled arrays of the keys of these parts, for :func:`likewise.pairwise`."""
        return {self.label(key): self.read(key) for key in self.keys(**parts)}

    def new_history(self, name: str, notes: Mapping[str, Any] | None = None) -> History:
        """An empty table of numbers of that name; ``notes``, of what JSON has, say what they are.

        Raises
        ------
        ValueError
            For an empty name and one that there is already, and for notes that JSON does not have,
            such as NaN.
        BlockingIOError
            While another process writes to the store.
        """
        if not name:
            raise ValueError("Store.new_history: name must not be empty")
        try:
            json.dumps(notes, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"Store.new_history: notes must be what JSON has ({error})") from None
        with self._lock.writing():
            if name in self.histories():
                raise ValueError(f"Store.new_history: there is a history {name!r} already")
            table = new_table(self._group, _history_path(name), notes or {})
        return History(name, table, self.path, self._lock)

    def history(self, name: str) -> History:
        """The table of that name, as it is now.

        Raises
        ------
        KeyError
            If there is none.
        """
        table = open_array(self.path, _history_path(name), self._mode, OF_TABLES)
        if table is None:
            known = ", ".join(map(repr, self.histories())) or "none"
            raise KeyError(f"Store: no history {name!r}, there is {known}")
        return History(name, table, self.path, self._lock)

    def histories(self) -> list[str]:
        """Names of all tables, sorted."""
        paths = self.path.glob("histories/*/zarr.json")
        return sorted(unquote(path.parts[-2]) for path in paths)

    def _all(self) -> list[Key]:
        # Zarr's own listing warns of folders that a writer has just made.
        found: list[tuple[int, Key]] = []
        for path in self.path.glob("arrays/*/*/*/*/zarr.json"):
            key = Key(*(unquote(part) for part in path.parts[-5:-1]))
            array = self._array(key)
            if array is not None and array.attrs["samples"]:  # none yet: an append is under way
                found.append((array.attrs["order"], key))
        return [key for _, key in sorted(found)]

    def _array(self, key: Key) -> Any:
        return open_array(self.path, _path(key), self._mode, _OF_ARRAYS)

    @property
    def _mode(self) -> str:
        return "r" if self._group.read_only else "r+"

    def _known(self, key: Key) -> Any:
        target = self._array(key)
        if target is None or not target.attrs["samples"]:
            known = {"/".join(one): one for one in self._all()}
            near = difflib.get_close_matches("/".join(key), known, n=3)
            hint = f"; near are {', '.join(near)}" if near else ""
            raise KeyError(f"Store: no array {'/'.join(key)}{hint}")
        return target

    def _require_same(
        self, key: Key, target: Any, values: Array, made: dict[str, str], has_ids: bool
    ) -> None:
        own = {name: target.attrs[name] for name in made}
        for name, before, now in (
            ("units", target.shape[1], values.shape[1]),
            ("dtype", target.dtype, values.dtype),
            ("reduction and stage", own, made),
            ("ids given", target.attrs["ids"], has_ids),
        ):
            if before != now:
                raise ValueError(
                    f"Store.append: {'/'.join(key)} must keep its {name}, {before}, got {now}"
                )

    def _ids(self, data: str) -> Any:
        return open_array(self.path, _ids_path(data), self._mode, {})

    def _append_ids(self, data: str, first: int, ids: Array) -> None:
        """Ids of samples from ``first`` on; those that are there already must be the same."""
        target = self._ids(data)
        if target is None:
            kind: Any = str if ids.dtype == object else ids.dtype
            target = create_array(
                self._group, _ids_path(data), width=None, chunks=(4096,), dtype=kind
            )
        known = np.asarray(target[first : first + len(ids)])
        differs = [str(a) != str(b) for a, b in zip(known, ids, strict=False)]
        if any(differs):
            k = differs.index(True)
            # What an append that broke off has left belongs to no array.
            whole = max(
                (self._array(key).attrs["samples"] for key in self.keys(data=data)), default=0
            )
            if first + k < whole:
                raise ValueError(
                    f"Store.append: samples of data set {data!r} must be the same in all its "
                    f"arrays: sample {first + k} is {known[k]!s}, got {ids[k]!s}"
                )
            known = known[:k]
            target.resize((first + k,))
        rest = ids[len(known) :]
        if len(rest):
            if target.dtype.kind in "iu" and not np.array_equal(rest.astype(target.dtype), rest):
                raise ValueError(
                    f"Store.append: ids of data set {data!r} are {target.dtype} and must stay so, "
                    f"got {rest[0]!s}"
                )
            target.append(rest.astype(target.dtype))


def _identities(ids: Any, count: int) -> Array:
    """Whole numbers that fit 64 bits, signed where they do, or text."""
    values = np.asarray(ids)
    if values.dtype.kind == "f" and not hasattr(ids, "dtype"):  # whole numbers of both ranges
        values = np.array([str(one) for one in ids])
    if values.shape != (count,):
        raise ValueError(
            f"Store.append: ids must have one entry for each of the {count} samples, got shape "
            f"{values.shape}"
        )
    if values.dtype.kind == "i" or (values.dtype.kind == "u" and values.dtype.itemsize < 8):
        return values.astype(np.int64)
    if values.dtype.kind == "u":
        return values.astype(np.uint64)
    return values.astype(str).astype(object)


def _path(key: Key) -> str:
    return "/".join(["arrays", *map(_encoded, key)])


def _ids_path(data: str) -> str:
    return f"ids/{_encoded(data)}"


def _history_path(name: str) -> str:
    return f"histories/{_encoded(name)}"


def _encoded(name: str) -> str:
    """A name as one of Zarr's, which know no slash, no ".", nothing that begins with "__" and
    not the names of its own files."""
    text = quote(name, safe=" ")
    own = text.startswith(".") or text == "zarr.json"
    return text.replace(".", "%2E") if own else text.replace("__", "%5F_", 1)
