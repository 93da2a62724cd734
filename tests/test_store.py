"""Recorded representations on disk."""

import sys

import numpy as np
import pytest
from processes import start

import likewise as lw

pytest.importorskip("zarr")
Store = lw.scale.Store
Key = lw.scale.Key


def array(n=10, d=4, dtype="f4", seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(dtype)


@pytest.fixture
def store(tmp_path):
    return Store.create(tmp_path / "new.zarr")


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_what_is_appended_is_read(store, dtype):
    values = array(25, dtype=dtype)
    for first in range(0, 25, 7):
        key = store.append(values[first : first + 7], layer="conv1", reduce="centre", stage="post")
    assert key == Key("model", "final", "probe", "conv1")
    again = Store.open(store.path)
    found = again.read(key)
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, values)
    np.testing.assert_array_equal(again.read(key, slice(3, 20, 4)), values[3:20:4])
    np.testing.assert_array_equal(again.read(key, slice(-5, None)), values[-5:])
    assert again.attributes(key) == {
        "samples": 25,
        "units": 4,
        "dtype": str(np.dtype(dtype)),
        "reduce": "centre",
        "stage": "post",
        "ids": False,
    }


def test_arrays_of_several_chunks(store, monkeypatch):
    monkeypatch.setattr(sys.modules["likewise.scale.store"], "_CHUNK_BYTES", 3 * 4 * 4)
    values = array(25)
    for first in range(0, 25, 4):
        key = store.append(values[first : first + 4], layer="conv1")
    np.testing.assert_array_equal(store.read(key), values)


def test_listing_keeps_the_order_of_making(store):
    for model in ("net b", "net a"):
        for layer in ("z.2", "a/1", ".", "__x"):
            store.append(array(), model=model, layer=layer, checkpoint="step 1")
    expected = [
        Key(model, "step 1", "probe", layer)
        for model in ("net b", "net a")
        for layer in ("z.2", "a/1", ".", "__x")
    ]
    assert store.keys() == expected
    assert Store.open(store.path).keys(model="net a") == expected[4:]
    assert store.keys(layer="a/1") == [expected[1], expected[5]]
    assert store.keys(checkpoint="step 2") == []


def test_labels_go_into_grids(store):
    store.append(array(30, 4), layer="conv1", reduce="mean", stage="post")
    store.append(array(30, 5, seed=1), layer="fc")
    items = store.items()
    assert list(items) == ["model/final/probe/conv1 [mean, post]", "model/final/probe/fc"]
    grid = lw.pairwise(items, "procrustes")
    assert grid.rows == tuple(items)
    assert list(store.items(layer="fc")) == ["model/final/probe/fc"]


@pytest.mark.parametrize("ids", [list(range(100, 110)), [f"image {k}" for k in range(10)]])
def test_ids_are_those_of_the_data_set(store, ids):
    first = store.append(array(6), layer="a", ids=ids[:6])
    store.append(array(4), layer="a", ids=ids[6:])
    second = store.append(array(10), layer="b", ids=ids)
    plain = store.append(array(10), layer="c")
    for key in (first, second):
        assert store.ids(key).tolist() == ids
    assert store.ids(plain) is None
    short = store.append(array(3), layer="d", ids=ids[:3])
    assert store.ids(short).tolist() == ids[:3]
    wrong = [*ids[:7], ids[8], ids[7], ids[9]]
    with pytest.raises(ValueError, match=f"'probe' must be the same .* sample 7 is {ids[7]}, got"):
        store.append(array(10), layer="e", ids=wrong)
    store.append(array(10), layer="e", data="other", ids=wrong)


WRITER = """
import sys, numpy as np, likewise as lw
store = lw.scale.Store.open(sys.argv[1], "a")
for step in range(60):
    for layer in "ab":
        store.append(np.full((7, 50), 1 + step, "f4"), layer=layer, checkpoint="growing",
                     ids=range(7 * step, 7 * step + 7))
"""


def test_reading_while_another_process_writes(store):
    seen = set()
    with start("-c", WRITER, store.path) as writer:
        while writer.poll() is None:
            reader = Store.open(store.path)
            for key in reader.keys(checkpoint="growing"):
                found = reader.read(key)
                assert len(found) % 7 == 0
                steps = np.repeat(1 + np.arange(len(found) // 7), 7)
                np.testing.assert_array_equal(found, steps[:, None] * np.ones(50))
                ids = reader.ids(key)
                assert ids.tolist() == list(range(len(ids)))
                seen.add(len(found))
    assert writer.returncode == 0
    assert len(seen) > 2  # it was growing
    names = store.keys()
    assert [len(store.read(key)) for key in names] == [420, 420]


def test_refusals(store, tmp_path):
    key = store.append(array(), layer="conv1", stage="post", ids=range(10))
    with pytest.raises(FileExistsError, match="there is something at"):
        Store.create(store.path)
    with pytest.raises(ValueError, match="there is no store at"):
        Store.open(tmp_path / "nothing")
    (tmp_path / "file").write_text("no store")
    with pytest.raises(ValueError, match="there is no store at"):
        Store.open(tmp_path / "file")
    with pytest.raises(ValueError, match="mode must be 'r' or 'a'"):
        Store.open(store.path, "w")
    with pytest.raises(
        KeyError, match=r"no array model/final/probe/conv2; near are model/final/probe/conv1"
    ):
        store.read(key._replace(layer="conv2"))
    with pytest.raises(TypeError, match="must hold floats, got dtype int64"):
        store.append(np.arange(8).reshape(2, 4), layer="x")
    with pytest.raises(ValueError, match=r"must be \(n, units\), got shape \(2, 3, 4\)"):
        store.append(np.zeros((2, 3, 4)), layer="x")
    with pytest.raises(ValueError, match="layer must not be empty"):
        store.append(array(), layer="")
    for changed, match in (
        ({"array": array(d=5)}, "must keep its units, 4, got 5"),
        ({"array": array(dtype="f8")}, "must keep its dtype, float32, got float64"),
        ({"stage": "pre"}, "must keep its reduction and stage"),
        ({"ids": None}, "must keep its ids given, True, got False"),
        ({"ids": range(3)}, "ids must have one entry for each of the 10 samples"),
    ):
        given = {"array": array(), "layer": "conv1", "stage": "post", "ids": range(10, 20)}
        with pytest.raises(ValueError, match=match):
            store.append(**given | changed)
    assert len(store.read(key)) == 10
    with pytest.raises(ValueError, match="slice forwards"):
        store.read(key, slice(5, 0, -1))
