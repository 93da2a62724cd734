"""Files whose bytes have changed: each reader gives what was written, or an error that names it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import likewise as lw
from likewise.activations import load_activations

rng = np.random.default_rng(5)
ARRAY = rng.standard_normal((12, 4)).astype(np.float32)
ROWS = [{"step": float(k), "loss": 1 / (k + 1)} for k in range(5)]


class Reader(NamedTuple):
    files: list[Path]
    """Those that may be damaged."""
    read: Callable[[], dict[str, Any]]
    """What is there, as plain arrays and text."""
    checked: bool
    """Whether checksums promise that no other numbers are read."""
    name: str
    """What an error names."""
    rows: bool = False
    """Whether what is read must at least begin as it was written."""


def activations(suffix: str, folder: Path) -> Reader:
    path = folder / f"run{suffix}"
    if suffix == ".npy":
        np.save(path, ARRAY)
    elif suffix == ".npz":
        np.savez_compressed(path, early=ARRAY, late=ARRAY[:, :2])
    elif suffix == ".safetensors":
        pytest.importorskip("safetensors.numpy").save_file({"early": ARRAY, "late": ARRAY}, path)
    else:
        torch = pytest.importorskip("torch")
        path = folder / "run.safetensors"
        halves = torch.tensor(ARRAY).bfloat16()
        pytest.importorskip("safetensors.torch").save_file({"early": halves}, path)
    return Reader([path], lambda: dict(load_activations(path)), suffix == ".npz", path.name)


def grid(kind: str, folder: Path) -> Reader:
    path = folder / f"grid.{kind}"
    items = {"a": ARRAY, "b, c": ARRAY[:, :2] + 1, 'd"': ARRAY[::-1]}
    getattr(lw.pairwise(items, "cka", kernel="rbf"), f"to_{kind}")(path)

    def read() -> dict[str, Any]:
        found = getattr(lw.Grid, f"from_{kind}")(path)
        assert isinstance(found, lw.Grid)
        return {"values": found.values, "labels": [*found.rows, *found.columns]}

    return Reader([path], read, False, f"from_{kind}")


def store(part: str, folder: Path) -> Reader:
    pytest.importorskip("zarr")
    path = folder / "run.zarr"
    with lw.scale.Store.create(path) as made:
        for layer in ("conv1", "fc"):
            made.append(ARRAY, layer=layer, ids=[f"image {k}" for k in range(len(ARRAY))])
        history = made.new_history("run", {"model": "CNN"})
        for row in ROWS:
            history.append(row)
    files = sorted(p for p in path.rglob("*") if p.is_file() and p.name != ".lock")
    chunks = [p for p in files if "c" in p.relative_to(path).parts[1:]]

    def read() -> dict[str, Any]:
        opened = lw.scale.Store.open(path)
        found: dict[str, Any] = {}
        for key in opened.keys():  # noqa: SIM118
            found["/".join(key)] = opened.read(key)
            found[f"ids of {key.layer}"] = opened.ids(key)
            found[f"label of {key.layer}"] = opened.label(key)
            assert opened.attributes(key)["samples"] == len(found["/".join(key)])
        for name in opened.histories():
            found |= opened.history(name).read()
            assert len(opened.history(name)) == len(found["step"])
        return found

    rest = [p for p in files if p not in chunks and p.name == "zarr.json"]
    assert chunks
    assert rest
    return Reader(chunks if part == "chunks" else rest, read, part == "chunks", "run.zarr", True)


def state(kind: str, folder: Path) -> Reader:
    path = folder / "state.npz"
    stream: Any = lw.scale.Accumulator("cka")
    if kind == "units":
        stream = lw.scale.UnitAccumulator("mutual_information", bins=4)
    items = (ARRAY, ARRAY[:, :2]) if kind == "units" else ([ARRAY], [ARRAY[:, :2]])
    stream.update(*items)
    np.savez(path, **stream.state)

    def read() -> dict[str, Any]:
        again = type(stream)(*(["cka"] if kind == "pairs" else ["mutual_information", 4]))
        try:
            with np.load(io.BytesIO(path.read_bytes())) as saved:
                arrays = dict(saved)
        except Exception as error:
            raise ValueError("state.npz: NumPy could not read it") from error
        again.state = arrays
        return {"scores": np.asarray(again.compute()), **again.state}

    return Reader([path], read, True, "")


READERS = {
    **{f"run{s}": (activations, s) for s in (".npy", ".npz", ".safetensors", ".bfloat16")},
    "grid.json": (grid, "json"),
    "grid.csv": (grid, "csv"),
    "store's chunks": (store, "chunks"),
    "store's metadata": (store, "metadata"),
    "state of pairs": (state, "pairs"),
    "state of units": (state, "units"),
}


def damaged(rng: np.random.Generator, whole: bytes) -> bytes:
    """Bits or bytes flipped, a part cut off, left out, repeated, zeroed or put in."""
    data = bytearray(whole)
    a, b = sorted(int(k) for k in rng.integers(0, len(data) + 1, 2))
    b = min(b, a + 40)
    kind = int(rng.integers(7))
    if kind <= 1:
        for place in rng.integers(len(data), size=int(rng.integers(1, 4))):
            data[place] = data[place] ^ 1 << int(rng.integers(8)) if kind else rng.integers(256)
    elif kind == 2:
        del data[a:]
    elif kind == 3:
        del data[a:b]
    elif kind == 4:
        data[a:a] = data[a:b]
    elif kind == 5:
        data[a:b] = bytes(b - a)
    else:
        data[a:a] = rng.bytes(int(rng.integers(1, 9)))
    return bytes(data)


def check(reader: Reader, seeds: range) -> int:
    """How many of these damages were refused."""
    whole, refused = reader.read(), 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        path = reader.files[int(rng.integers(len(reader.files)))]
        before = path.read_bytes()
        path.write_bytes(damaged(rng, before))
        said = None
        try:
            found = reader.read()
        except (ValueError, OSError) as error:
            refused, said = refused + 1, str(error)
        except Exception as error:
            raise AssertionError(f"seed {seed}, {path.name}: {error!r}") from error
        else:
            assert not reader.checked or found.keys() == whole.keys(), (
                f"seed {seed}: {found.keys()}"
            )
            for name, part in found.items():
                if reader.checked:
                    np.testing.assert_array_equal(part, whole[name], f"seed {seed}")
                elif reader.rows and name in whole and not isinstance(part, str):
                    # Names and numbers of rows may be others; what is read is what was written.
                    np.testing.assert_array_equal(part, whole[name][: len(part)], f"seed {seed}")
        if said is not None:
            assert reader.name in said, f"seed {seed}: does not name the file: {said}"
            assert len(said) < 1000, f"seed {seed}: {len(said)} characters"
        path.write_bytes(before)
    np.testing.assert_equal(reader.read(), whole)
    return refused


@pytest.mark.parametrize("name", READERS)
def test_changed_bytes_are_refused_by_name_or_change_nothing(tmp_path, name):
    make, kind = READERS[name]
    assert check(make(kind, tmp_path), range(40)) > 3


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_many_changed_bytes_are_refused_by_name_or_change_nothing(tmp_path, name):
    make, kind = READERS[name]
    check(make(kind, tmp_path), range(100, 3100))
