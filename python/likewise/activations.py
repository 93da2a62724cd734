"""Activations from files: every array of a file is one representation with its name as label."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np

from likewise._border.arrays import Array

# Element types of the safetensors format that NumPy has too.
_NUMPY_KINDS = frozenset(
    ("F64", "F32", "F16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL", "C64")
)

MAX_BYTES = 2**30  # what a compressed file may unpack to, unless it has a good part of that itself
_RATIO = 20
_UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


class ActivationsError(ValueError):
    """A file that holds no activations to compare; the text begins with its name."""


def load_activations(path: str | Path, *, max_bytes: int = MAX_BYTES) -> dict[str, Array]:
    """Read a ``.npy``, ``.npz`` or ``.safetensors`` file.

    Pickled objects are never loaded. bfloat16 tensors become float32, which holds them exactly.
    A file that would unpack to more than ``max_bytes`` and 20 times its own size is refused.

    Returns
    -------
    Mapping of labels to arrays ``(n_samples, n_features)``, all with one number of samples. The
    label is the array's name; the single array of a ``.npy`` is named after the file.

    Raises
    ------
    ActivationsError
        If the file is missing, damaged, of another kind, empty or larger than is allowed, or if an
        array in it is not numeric, not 2-D, not finite, has a name twice or another number of rows
        than the first one.
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
        if path.suffix == ".npz":
            _require_modest(path, max_bytes)
        arrays = dict(readers[path.suffix](path))
    except ActivationsError:
        raise
    except Exception as error:  # Damaged files raise whatever their parser tripped over.
        said = shorten(str(error), 160, placeholder="...")
        raise ActivationsError(f"{path}: cannot be read as {path.suffix} ({said})") from error
    if not arrays:
        raise ActivationsError(f"{path}: holds no arrays")
    for name, array in arrays.items():
        _require_representation(path, name, array)
    _require_same_rows(path, arrays)
    return arrays


def parse_size(text: str) -> int:
    """Bytes of ``"2GiB"``, ``"500MiB"`` or a whole number."""
    found = re.fullmatch(r"\s*([0-9.]+)\s*([KMGT]iB)?\s*", text)
    try:
        return int(float(found[1]) * _UNITS.get(found[2], 1))  # type: ignore[index]
    except (TypeError, ValueError):
        raise ValueError(f"a size is written as 2GiB or 500MiB, got {text!r}") from None


def load_two(
    path_a: Path, path_b: Path, *, max_bytes: int = MAX_BYTES
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Read two files whose rows are the same stimuli.

    Where the files share a label, every label gets the name of its file in front, ``run1/fc1``,
    with as many folders as it takes to tell the files apart. One file given twice keeps its
    labels: equal labels are then the same array.

    Raises
    ------
    ActivationsError
        As :func:`load_activations`, and if the files differ in their number of rows.
    """
    a, b = (load_activations(path, max_bytes=max_bytes) for path in (path_a, path_b))
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
                try:
                    array = loaded[name]
                except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
                    if "pickle" in str(error):
                        raise
                    said = shorten(str(error), 160, placeholder="...")
                    raise ActivationsError(f"{path}: {name!r} is damaged ({said})") from error
                yield name, array
    except ValueError as error:
        if "pickle" not in str(error):
            raise
        raise ActivationsError(
            f"{path}: is not a NumPy file or holds pickled Python objects, which are never loaded"
        ) from None


def _require_modest(path: Path, max_bytes: int) -> None:
    """Names that stand there once, and no more bytes than a file of this size may hold."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    twice = [name for name, times in Counter(m.filename for m in members).items() if times > 1]
    if twice:
        raise ActivationsError(f"{path}: holds the name {twice[0].removesuffix('.npy')!r} twice")
    claimed = sum(member.file_size for member in members)
    if claimed > max(max_bytes, _RATIO * path.stat().st_size):
        raise ActivationsError(
            f"{path}: would unpack to {claimed / 2**30:.1f} GiB, {path.stat().st_size} bytes hold "
            f"at most {max_bytes / 2**30:.3g} GiB unless --max-size (max_bytes=) allows more"
        )


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
        _require_finite(path, name, array)
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


def _require_finite(path: Path, name: str, array: Array) -> None:
    if array.dtype.kind not in "fc" or np.isfinite(array).all():
        return
    row, unit = (int(k) for k in np.argwhere(~np.isfinite(array))[0])
    raise ActivationsError(
        f"{path}: {name!r} must be finite, got {array[row, unit]} in row {row}, unit {unit}"
    )


def _require_same_rows(path: Path, arrays: dict[str, Array]) -> None:
    first, *others = arrays
    for name in others:
        if len(arrays[name]) != len(arrays[first]):
            raise ActivationsError(
                f"{path}: rows are stimuli and must be the same for all arrays, got {first!r} of "
                f"shape {arrays[first].shape} and {name!r} of shape {arrays[name].shape}"
            )
