"""Activations from .npy, .npz and .safetensors files."""

from __future__ import annotations

import io
import json
import os
import struct
import warnings
import zipfile

import numpy as np
import pytest

from likewise.activations import ActivationsError, load_activations, load_two, parse_size

safetensors = pytest.importorskip("safetensors.numpy")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def matrix(rows=6, columns=3, dtype=np.float64):
    return np.arange(rows * columns).reshape(rows, columns).astype(dtype)


class Trap:
    """Unpickling this would create a folder."""

    def __reduce__(self):
        return os.mkdir, ("unpickled",)


def raw_safetensors(path, **tensors):
    """Write tensors given as (dtype name, shape, bytes); for kinds that NumPy cannot hold."""
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        offsets = [len(data), len(data) + len(content)]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
        data += content
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def test_npy_is_named_after_its_file(folder):
    np.save("conv5.npy", matrix())
    arrays = load_activations("conv5.npy")
    assert list(arrays) == ["conv5"]
    np.testing.assert_array_equal(arrays["conv5"], matrix())


def test_npz_keeps_names_and_order(folder):
    np.savez("run.npz", layer10=matrix(), layer2=matrix(columns=5, dtype=np.float16))
    arrays = load_activations("run.npz")
    assert list(arrays) == ["layer10", "layer2"]
    assert arrays["layer2"].dtype == np.float16


def test_safetensors_come_in_natural_order(folder):
    safetensors.save_file({"layer10": matrix(), "layer2": 2 * matrix()}, "run.safetensors")
    arrays = load_activations("run.safetensors")
    assert list(arrays) == ["layer2", "layer10"]
    np.testing.assert_array_equal(arrays["layer2"], 2 * matrix())


def test_bfloat16_is_read_exactly(folder):
    values = np.array([[1.0, -2.5], [3.140625, 2.0**100]], dtype=np.float32)
    bits = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    other = ("F32", [2, 1], matrix(2, 1, np.float32).tobytes())
    raw_safetensors(folder / "half.safetensors", other=other, x=("BF16", [2, 2], bits))
    arrays = load_activations("half.safetensors")
    assert arrays["x"].dtype == np.float32
    np.testing.assert_array_equal(arrays["x"], values)
    np.testing.assert_array_equal(arrays["other"], matrix(2, 1))


def test_float8_is_refused_by_name(folder):
    raw_safetensors(folder / "tiny.safetensors", x=("F8_E4M3", [2, 2], bytes(4)))
    with pytest.raises(ActivationsError, match=r"tiny\.safetensors: 'x' is F8_E4M3"):
        load_activations("tiny.safetensors")


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_pickles_are_never_loaded(folder, suffix):
    objects = np.array([[Trap()]], dtype=object)
    if suffix == "npy":
        np.save("trap.npy", objects, allow_pickle=True)
    else:
        np.savez("trap.npz", x=objects)
    with pytest.raises(ActivationsError, match=rf"trap\.{suffix}: .* never loaded"):
        load_activations(f"trap.{suffix}")
    assert not (folder / "unpickled").exists()


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.safetensors"])
@pytest.mark.parametrize("content", [b"", b"not activations at all", b"\x93NUMPY\x01\x00\xff"])
def test_damaged_files_are_named(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(ActivationsError, match=name):
        load_activations(name)


def test_truncated_npy_is_named(folder):
    np.save("x.npy", matrix(50, 50))
    whole = (folder / "x.npy").read_bytes()
    (folder / "x.npy").write_bytes(whole[:-100])
    with pytest.raises(ActivationsError, match=r"x\.npy: cannot be read"):
        load_activations("x.npy")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 3, 4, 4)), r'\(2, 3, 4, 4\).*lw\.reduce\(x, layout="nchw"'),
        (np.zeros((2, 3, 4)), r'\(2, 3, 4\).*lw\.reduce\(x, layout="ntd"'),
        (np.zeros(5), r"must be 2-D .* got shape \(5,\)"),
        (np.array([["a", "b"]]), "not a numeric array"),
    ],
)
def test_what_is_no_representation_is_refused(folder, array, message):
    np.savez("run.npz", good=matrix(2), bad=array)
    with pytest.raises(ActivationsError, match=rf"^run\.npz: 'bad' .*{message}"):
        load_activations("run.npz")


def test_rows_must_match_within_a_file(folder):
    np.savez("run.npz", a=matrix(6), b=matrix(5))
    with pytest.raises(ActivationsError, match=r"run\.npz: rows .*\(6, 3\).*'b' of shape \(5, 3\)"):
        load_activations("run.npz")


@pytest.mark.parametrize(
    ("name", "message"),
    [("none.npy", "no such file"), ("folder.npy", "no such file"), ("x.mat", "must end in")],
)
def test_wrong_paths_are_named(folder, name, message):
    (folder / "folder.npy").mkdir()
    with pytest.raises(ActivationsError, match=f"^{name}: .*{message}"):
        load_activations(name)


def test_an_empty_archive_is_refused(folder):
    np.savez("empty.npz")
    with pytest.raises(ActivationsError, match=r"empty\.npz: holds no arrays"):
        load_activations("empty.npz")


def labels(path_a, path_b):
    return tuple(list(side) for side in load_two(path_a, path_b))


def test_labels_stay_as_they_are_where_they_are_distinct(folder):
    np.savez("a.npz", early=matrix())
    np.savez("b.npz", late=matrix())
    assert labels(folder / "a.npz", folder / "b.npz") == (["early"], ["late"])


def test_shared_labels_get_the_file_in_front(folder):
    np.savez("a.npz", fc1=matrix(), fc2=matrix())
    np.savez("b.npz", fc2=matrix())
    assert labels(folder / "a.npz", folder / "b.npz") == (["a/fc1", "a/fc2"], ["b/fc2"])


def test_files_of_one_name_get_their_folder_in_front(folder):
    for run in ("run1", "run2"):
        (folder / run).mkdir()
        np.savez(folder / run / "acts.npz", fc=matrix())
    paths = (folder / "run1" / "acts.npz", folder / "run2" / "acts.npz")
    assert labels(*paths) == (["run1/acts/fc"], ["run2/acts/fc"])


def test_files_that_differ_in_their_kind_get_their_whole_name_in_front(folder):
    np.savez("acts.npz", fc=matrix())
    safetensors.save_file({"fc": matrix()}, "acts.safetensors")
    assert labels(folder / "acts.npz", folder / "acts.safetensors") == (
        ["acts.npz/fc"],
        ["acts.safetensors/fc"],
    )


def test_one_file_twice_keeps_its_labels(folder):
    np.savez("a.npz", fc=matrix())
    assert labels(folder / "a.npz", folder / "." / "a.npz") == (["fc"], ["fc"])


def test_rows_must_match_between_files(folder):
    np.save("a.npy", matrix(6))
    np.save("b.npy", matrix(7))
    with pytest.raises(ActivationsError, match=r"b\.npy: rows .*\(7, 3\).*\(6, 3\) in .*a\.npy"):
        load_two(folder / "a.npy", folder / "b.npy")


def _zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in members:
            buffer = io.BytesIO()
            np.save(buffer, array)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                archive.writestr(f"{name}.npy", buffer.getvalue())


def test_a_file_may_not_unpack_to_more_than_is_allowed(tmp_path):
    path = tmp_path / "bomb.npz"
    _zipped(path, [(f"layer{k}", np.zeros((1000, 200))) for k in range(20)])
    assert 20 * path.stat().st_size < 20 * 1_600_000
    with pytest.raises(ActivationsError, match=r"bomb.npz: would unpack to .* --max-size"):
        load_activations(path, max_bytes=20 * 1_500_000)
    with pytest.raises(ActivationsError, match="would unpack"):
        load_two(path, path, max_bytes=1000)
    assert len(load_activations(path)) == 20
    honest = tmp_path / "honest.npz"
    _zipped(honest, [("a", np.random.default_rng(0).standard_normal((500, 8)))])
    assert load_activations(honest, max_bytes=1)["a"].shape == (500, 8)


@pytest.mark.parametrize(
    ("text", "bytes_"), [("2GiB", 2**31), (" 1.5 MiB", 3 * 2**19), ("100", 100), ("1KiB", 1024)]
)
def test_sizes(text, bytes_):
    assert parse_size(text) == bytes_


@pytest.mark.parametrize("text", ["", "much", "1.2.3MiB", "2GB", "GiB"])
def test_what_is_no_size(text):
    with pytest.raises(ValueError, match="a size is written as 2GiB"):
        parse_size(text)


def test_a_name_that_stands_there_twice_is_refused(tmp_path):
    path = tmp_path / "twice.npz"
    _zipped(path, [("a", np.ones((4, 2))), ("b", np.ones((4, 2))), ("a", np.zeros((4, 2)))])
    with pytest.raises(ActivationsError, match=r"twice.npz: holds the name 'a' twice"):
        load_activations(path)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".safetensors"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_is_located_in_the_words_of_files(tmp_path, suffix, bad):
    array = np.ones((5, 3), np.float32)
    array[3, 1] = bad
    path = tmp_path / f"layer{suffix}"
    if suffix == ".npy":
        np.save(path, array)
    elif suffix == ".npz":
        np.savez(path, layer=array)
    else:
        safetensors.save_file({"layer": array}, path)
    with pytest.raises(ActivationsError, match=rf"'layer' must be finite, got {bad} in row 3"):
        load_activations(path)
