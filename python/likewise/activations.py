"""Activations from files: every array of a file is one representation with its name as label."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from likewise._array import Array

# Element types of the safetensors format that NumPy has too.
_NUMPY_KINDS = frozenset(
    ("F64", "F32", "F16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL", "C64")
)

__all__ = ["ActivationsError", "load_activations", "load_two"]


class ActivationsError(ValueError):
    """A file that holds no activations to compare; the text begins with its name."""


def load_activations(path: str | Path) -> dict[str, Array]:
    """Read a ``.npy``, ``.npz`` or ``.safetensors`` file.

    Pickled objects are never loaded. bfloat16 tensors become float32, which holds them exactly.

    Returns
    -------
    Mapping of labels to arrays ``(n_samples, n_features)``, all with one number of samples. The
    label is the array's name; the single array of a ``.npy`` is named after the file.

    Raises
    ------
    ActivationsError
        If the file is missing, damaged, of another kind or empty, or if an array in it is not
        numeric, not 2-D or has another number of rows than the first one.
    """
    path = Path(path)
    readers: dict[str, Callable[[Path], Iterator[tuple[str, Array]]]] = {
        ".npy": _numpy,
        ".npz": _numpy,
        ".safetensors": _safetensors,
    }
    if path.suffix not in readers:
        raise ActivationsError(f"{path}: must end in {', '.join(readers)}")
    if not path.is_file():
        raise ActivationsError(f"{path}: there is no such file")
    try:
        arrays = dict(readers[path.suffix](path))
    except ActivationsError:
        raise
    except Exception as error:  # Damaged files raise whatever their parser tripped over.
        raise ActivationsError(f"{path}: cannot be read as {path.suffix} ({error})") from error
    if not arrays:
        raise ActivationsError(f"{path}: holds no arrays")
    for name, array in arrays.items():
        _require_representation(path, name, array)
    _require_same_rows(path, arrays)
    return arrays


def load_two(path_a: Path, path_b: Path) -> tuple[dict[str, Array], dict[str, Array]]:
    """Read two files whose rows are the same stimuli.

    Where the files share a label, every label gets the name of its file in front, ``run1/fc1``,
    with as many folders as it takes to tell the files apart. One file given twice keeps its
    labels: equal labels are then the same array.

    Raises
    ------
    ActivationsError
        As :func:`load_activations`, and if the files differ in their number of rows.
    """
    a, b = load_activations(path_a), load_activations(path_b)
    (name_a, first_a), (name_b, first_b) = next(iter(a.items())), next(iter(b.items()))
    if len(first_a) != len(first_b):
        raise ActivationsError(
            f"{path_b}: rows are stimuli and must be the same in both files, got {name_b!r} of "
            f"shape {first_b.shape} here and {name_a!r} of shape {first_a.shape} in {path_a}"
        )
    path_a, path_b = path_a.resolve(), path_b.resolve()
    if path_a == path_b or not a.keys() & b.keys():
        return a, b
    ends = _distinct_ends(path_a.with_suffix("").parts, path_b.with_suffix("").parts)
    prefix_a, prefix_b = ends if ends[0] != ends[1] else (path_a.name, path_b.name)
    return (
        {f"{prefix_a}/{label}": array for label, array in a.items()},
        {f"{prefix_b}/{label}": array for label, array in b.items()},
    )


def _distinct_ends(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, str]:
    """The shortest ends of two paths that differ; the whole paths if they are equal."""
    length = 1
    while a[-length:] == b[-length:] and length < max(len(a), len(b)):
        length += 1
    return "/".join(a[-length:]), "/".join(b[-length:])


def _numpy(path: Path) -> Iterator[tuple[str, Array]]:
    try:
        loaded: Any = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            yield path.stem, loaded
            return
        with loaded:
            for name in loaded.files:
                yield name, loaded[name]
    except ValueError as error:
        if "pickle" not in str(error):
            raise
        raise ActivationsError(
            f"{path}: is not a NumPy file or holds pickled Python objects, which are never loaded"
        ) from None


def _safetensors(path: Path) -> Iterator[tuple[str, Array]]:
    """Tensors in natural order (layer2 before layer10): the format keeps none of its own."""
    try:
        from safetensors import safe_open
    except ModuleNotFoundError:
        raise ActivationsError(f'{path}: needs pip install "likewise[cli]"') from None

    with safe_open(path, framework="np") as file:
        for name in sorted(file.keys(), key=_natural):
            kind = file.get_slice(name).get_dtype()
            if kind == "BF16":
                yield name, _bfloat16(path, name)
            elif kind not in _NUMPY_KINDS:
                raise ActivationsError(
                    f"{path}: {name!r} is {kind}, which NumPy has not; store it as float16, "
                    "bfloat16 or float32"
                )
            else:
                yield name, file.get_tensor(name)


def _bfloat16(path: Path, name: str) -> Array:
    """A bfloat16 tensor as float32: its 16 bits are the upper half of a float32.

    The file is an 8-byte header length, a JSON header with shapes and offsets, and the data.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(length))[name]
        begin, end = entry["data_offsets"]
        file.seek(8 + length + begin)
        bits = np.frombuffer(file.read(end - begin), dtype="<u2")
    return (bits.astype(np.uint32) << 16).view(np.float32).reshape(entry["shape"])


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts numbers inside names by value."""
    return [(int(part or 0), text) for text, part in re.findall(r"(\D*)(\d*)", name)]


def _require_representation(path: Path, name: str, array: Array) -> None:
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biufc":
        raise ActivationsError(f"{path}: {name!r} is not a numeric array")
    if array.ndim == 2:
        return
    how = {
        3: '; reduce a sequence (n, t, d) first, as in lw.reduce(x, layout="ntd", how="mean")',
        4: "; reduce a feature map (n, c, h, w) first, as in "
        'lw.reduce(x, layout="nchw", how="mean")',
    }
    raise ActivationsError(
        f"{path}: {name!r} must be 2-D (n_samples, n_features), got shape {array.shape}"
        + how.get(array.ndim, "")
    )


def _require_same_rows(path: Path, arrays: dict[str, Array]) -> None:
    first, *others = arrays
    for name in others:
        if len(arrays[name]) != len(arrays[first]):
            raise ActivationsError(
                f"{path}: rows are stimuli and must be the same for all arrays, got {first!r} of "
                f"shape {arrays[first].shape} and {name!r} of shape {arrays[name].shape}"
            )
