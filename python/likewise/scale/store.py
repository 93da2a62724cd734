"""Recorded representations on disk, which can be read while they grow."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import quote, unquote

import numpy as np

from likewise._array import Array
from likewise.scale.history import History, new_table

__all__ = ["Key", "Store"]

_CHUNK_BYTES = 4 * 2**20
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
    are kept once per data set. A reader sees whole appends only: it can read, from another process
    too, while one writer appends. Beside them, a :class:`History` for every training that a
    :class:`likewise.torch.Monitor` has watched. A Zarr v3 group, for other tools to read. Needs
    ``zarr``.

    Use :meth:`create` or :meth:`open`.
    """

    def __init__(self, path: str | Path, group: Any) -> None:
        self.path = Path(path)
        self._group = group

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
        group = _zarr().open_group(str(path), mode="w", zarr_format=3)
        group.attrs.update({"likewise": "store", "arrays": 0})
        return cls(path, group)

    @classmethod
    def open(cls, path: str | Path, mode: Literal["r", "a"] = "r") -> Store:
        """The store at ``path``, for reading or for appending too.

        Raises
        ------
        ValueError
            If there is no store.
        ImportError
            Without ``zarr``.
        """
        if mode not in ("r", "a"):
            raise ValueError(f"Store.open: mode must be 'r' or 'a', got {mode!r}")
        try:
            group = _zarr().open_group(str(path), mode="r" if mode == "r" else "r+")
        except (FileNotFoundError, KeyError, ValueError) as error:
            raise ValueError(f"Store.open: there is no store at {path}") from error
        if group.attrs.get("likewise") != "store":
            raise ValueError(f"Store.open: {path} is a Zarr group, but no store of likewise")
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
            Empty names, other units, dtype, reduction or stage than before, other ids than another
            array of the data set has at these samples.
        TypeError
            For what are no floats.
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
        made = {"reduce": reduce, "stage": stage}
        target = self._array(key)
        if target is None:
            rows = max(1, _CHUNK_BYTES // (values.shape[1] * values.dtype.itemsize))
            target = self._group.create_array(
                _path(key),
                shape=(0, values.shape[1]),
                chunks=(rows, values.shape[1]),
                dtype=values.dtype,
                attributes={
                    **made,
                    "samples": 0,
                    "ids": ids is not None,
                    "order": int(self._group.attrs["arrays"]),
                },
            )
            self._group.attrs["arrays"] = int(self._group.attrs["arrays"]) + 1
        self._require_same(key, target, values, made, ids is not None)
        first = int(target.attrs["samples"])
        if ids is not None:
            self._append_ids(data, first, np.asarray(ids), len(values))
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
        """
        target = self._known(key)
        first, last, step = samples.indices(int(target.attrs["samples"]))
        if step < 1:
            raise ValueError(f"Store.read: samples must be a slice forwards, got {samples}")
        values: Array = np.asarray(target[first : max(first, last)])[::step]
        return values

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
        values: Array = np.asarray(self._group[_ids_path(key.data)][: target.attrs["samples"]])
        return values

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
            For an empty name and one that there is already.
        """
        if not name:
            raise ValueError("Store.new_history: name must not be empty")
        if name in self.histories():
            raise ValueError(f"Store.new_history: there is a history {name!r} already")
        return History(name, new_table(self._group, _history_path(name), notes or {}))

    def history(self, name: str) -> History:
        """The table of that name, as it is now.

        Raises
        ------
        KeyError
            If there is none.
        """
        try:
            table = _zarr().open_array(str(self.path), path=_history_path(name), mode=self._mode)
        except (FileNotFoundError, KeyError):
            known = ", ".join(map(repr, self.histories())) or "none"
            raise KeyError(f"Store: no history {name!r}, there is {known}") from None
        return History(name, table)

    def histories(self) -> list[str]:
        """Names of all tables, sorted."""
        paths = self.path.glob("histories/*/zarr.json")
        return sorted(unquote(path.parts[-2]) for path in paths)

    def _all(self) -> list[Key]:
        # Zarr's own listing warns of folders that a writer has just made.
        found: list[tuple[int, Key]] = []
        for path in self.path.glob("arrays/*/*/*/*/zarr.json"):
            key = Key(*(unquote(part) for part in path.parts[-5:-1]))
            attributes = self._array(key).attrs
            if attributes["samples"]:  # none yet: an append is under way
                found.append((attributes["order"], key))
        return [key for _, key in sorted(found)]

    def _array(self, key: Key) -> Any:
        try:
            return _zarr().open_array(str(self.path), path=_path(key), mode=self._mode)
        except (FileNotFoundError, KeyError):
            return None

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

    def _append_ids(self, data: str, first: int, ids: Array, count: int) -> None:
        if ids.shape != (count,):
            raise ValueError(
                f"Store.append: ids must have one entry for each of the {count} samples, got shape "
                f"{ids.shape}"
            )
        whole = ids.dtype.kind in "iu"
        values = ids.astype(np.int64) if whole else ids.astype(str).astype(object)
        path = _ids_path(data)
        if path not in self._group:
            self._group.create_array(
                path, shape=(0,), chunks=(4096,), dtype=np.int64 if whole else str
            )
        target = self._group[path]
        known = np.asarray(target[first : first + count])
        differs = [str(a) != str(b) for a, b in zip(known, values, strict=False)]
        if any(differs):
            k = differs.index(True)
            raise ValueError(
                f"Store.append: samples of data set {data!r} must be the same in all its arrays: "
                f"sample {first + k} is {known[k]!s}, got {values[k]!s}"
            )
        if len(known) < count:
            target.append(values[len(known) :])


def _path(key: Key) -> str:
    return "/".join(["arrays", *map(_encoded, key)])


def _ids_path(data: str) -> str:
    return f"ids/{_encoded(data)}"


def _history_path(name: str) -> str:
    return f"histories/{_encoded(name)}"


def _encoded(name: str) -> str:
    """A name as one of Zarr's, which know no slash, no "." and nothing that begins with "__"."""
    text = quote(name, safe=" ")
    return text.replace(".", "%2E") if text.startswith(".") else text.replace("__", "%5F_", 1)


def _zarr() -> Any:
    try:
        import zarr
    except ImportError as error:
        raise ImportError('likewise.scale.Store needs pip install "likewise[scale]"') from error
    return zarr
