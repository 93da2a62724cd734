"""Zarr arrays with checksums, whose chunks are whole, there, or named."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from likewise._border.arrays import Array

__all__ = ["create_array", "open_array", "read_rows", "zarr_module"]


def zarr_module() -> Any:
    """Zarr, or an ``ImportError`` that says how to get it."""
    try:
        import zarr
    except ImportError as error:
        raise ImportError('likewise.scale.Store needs pip install "likewise[scale]"') from error
    return zarr


def create_array(
    group: Any,
    path: str,
    *,
    width: int | None,
    chunks: tuple[int, ...],
    dtype: Any,
    attributes: Mapping[str, Any] | None = None,
) -> Any:
    """An array without rows in a group, instead of one that is there; a width of None has none."""
    zarr = zarr_module()
    from zarr.codecs import Crc32cCodec, ZstdCodec

    text = dtype is str
    # Chunks are written whatever they hold, so that one that is not there is missed.
    with zarr.config.set({"array.write_empty_chunks": True}):
        return group.create_array(
            path,
            shape=(0,) if width is None else (0, width),
            chunks=chunks,
            dtype=dtype,
            compressors=[ZstdCodec(level=0), Crc32cCodec()],
            fill_value="" if text else 0 if np.dtype(dtype).kind in "iu" else np.nan,
            attributes=dict(attributes or {}),
            overwrite=True,
        )


def open_array(folder: Path, path: str, mode: str, attributes: Mapping[str, type]) -> Any:
    """The array of that path with attributes of these types, None if there is none; ``ValueError``
    naming metadata that are damaged."""
    zarr = zarr_module()
    metadata = folder / path / "zarr.json"
    if not metadata.exists():
        return None
    try:
        with zarr.config.set({"array.write_empty_chunks": True}):
            array = zarr.open_array(str(folder), path=path, mode=mode)
        wrong = [name for name, kind in attributes.items() if type(array.attrs[name]) is not kind]
        if wrong:
            raise TypeError(f"{wrong[0]} is {array.attrs[wrong[0]]!r}")
    except FileNotFoundError:  # a writer has just taken it away
        return None
    except Exception as error:  # whatever a parser has tripped over
        raise ValueError(f"{metadata}: is damaged ({_said(error)})") from error
    return array


def read_rows(
    what: str, folder: Path, array: Any, rows: slice, columns: int | None = None
) -> Array:
    """Rows of an array, or of its first columns; ``ValueError`` naming the first chunk that is
    missing or damaged."""
    region = (rows,) if columns is None else (rows, slice(0, columns))
    if any(part.stop > size for part, size in zip(region, array.shape, strict=False)):
        raise ValueError(f"{what}: {folder / array.path} is damaged (its shape is {array.shape})")
    chunks = _chunks(array, region)
    has_checksums = any(type(codec).__name__ == "Crc32cCodec" for codec in array.metadata.codecs)
    if has_checksums:  # of version 0.1.0, chunks of zeros are not there
        for chunk in chunks:
            if not folder.joinpath(array.path, "c", *map(str, chunk)).exists():
                raise ValueError(f"{what}: chunk {_named(folder, array, chunk)} is missing")
    try:
        return np.asarray(array[region])
    except Exception:  # whatever a codec has tripped over
        for chunk in chunks:
            sides = zip(chunk, array.chunks, strict=True)
            try:
                np.asarray(array[tuple(slice(k * size, (k + 1) * size) for k, size in sides)])
            except Exception as error:
                said = f"chunk {_named(folder, array, chunk)} is damaged ({_said(error)})"
                raise ValueError(f"{what}: {said}") from error
        raise


def _chunks(array: Any, region: tuple[slice, ...]) -> list[tuple[int, ...]]:
    """The chunks that hold a region of leading axes."""
    ends = [(part.start, part.stop) for part in region]
    ends += [(0, size) for size in array.shape[len(region) :]]
    return list(
        itertools.product(
            *(
                range(first // size, -(-last // size) if last > first else first // size)
                for (first, last), size in zip(ends, array.chunks, strict=True)
            )
        )
    )


def _named(folder: Path, array: Any, chunk: tuple[int, ...]) -> str:
    size = array.chunks[0]
    place = "/".join(map(str, chunk))
    rows = f"rows {chunk[0] * size} to {(chunk[0] + 1) * size - 1}"
    return f"{place} of {folder / array.path} ({rows})"


def _said(error: Exception) -> str:
    return str(error)[:80]
