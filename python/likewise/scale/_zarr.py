"""Zarr arrays with checksums, whose chunks are whole, there, or named."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from likewise._array import Array

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


def open_array(folder: Path, path: str, mode: str) -> Any:
    """The array of that path; ``FileNotFoundError`` or ``KeyError`` if there is none."""
    zarr = zarr_module()
    with zarr.config.set({"array.write_empty_chunks": True}):
        return zarr.open_array(str(folder), path=path, mode=mode)


def read_rows(
    what: str, folder: Path, array: Any, rows: slice, columns: int | None = None
) -> Array:
    """Rows of an array, or of its first columns; ``ValueError`` naming the first chunk that is
    missing or damaged."""
    region = (rows,) if columns is None else (rows, slice(0, columns))
    chunks = _chunks(array, region)
    has_checksums = any(type(codec).__name__ == "Crc32cCodec" for codec in array.metadata.codecs)
    if has_checksums:  # of version 0.1.0, chunks of zeros are not there
        for chunk in chunks:
            if not folder.joinpath(array.path, "c", *map(str, chunk)).exists():
                raise ValueError(f"{what}: chunk {_named(array, chunk)} is missing")
    try:
        return np.asarray(array[region])
    except Exception:  # whatever a codec has tripped over
        for chunk in chunks:
            sides = zip(chunk, array.chunks, strict=True)
            try:
                np.asarray(array[tuple(slice(k * size, (k + 1) * size) for k, size in sides)])
            except Exception as error:
                said = f"chunk {_named(array, chunk)} is damaged ({str(error)[:80]})"
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


def _named(array: Any, chunk: tuple[int, ...]) -> str:
    size = array.chunks[0]
    place = "/".join(map(str, chunk))
    return f"{place} of {array.path} (rows {chunk[0] * size} to {(chunk[0] + 1) * size - 1})"
