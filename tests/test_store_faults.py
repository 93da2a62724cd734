"""What a store survives: processes that die, damage, several writers, formats."""

import os
import sys
import time

import numpy as np
import pytest
from processes import finished, start

import likewise as lw

zarr = pytest.importorskip("zarr")
Store = lw.scale.Store


def array(n=10, d=4, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype("f4")


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(sys.modules["likewise.scale.store"], "_CHUNK_BYTES", 4 * 4 * 4)


class Died(BaseException):
    """What a process that is killed does not see."""


def dying_after(monkeypatch, count):
    """The count-th file that is written or deleted from here on is the last."""
    left = [count]

    def counted(method):
        async def counting(self, *arguments, **options):
            left[0] -= 1
            if left[0] < 0:
                raise Died
            return await method(self, *arguments, **options)

        return counting

    for name in ("set", "delete"):
        method = getattr(zarr.storage.LocalStore, name)
        monkeypatch.setattr(zarr.storage.LocalStore, name, counted(method))


@pytest.mark.parametrize("again", ["the same", "others"])
def test_an_append_is_there_whole_or_not_at_all(tmp_path, monkeypatch, small_chunks, again):
    deaths = 0
    for count in range(60):
        path = tmp_path / str(count)
        with Store.create(path) as store:
            store.append(array(6), layer="a", ids=range(6))
        survived = True
        with monkeypatch.context() as patched:
            dying_after(patched, count)
            try:
                with Store.open(path, "a") as store:
                    store.append(array(7, seed=1), layer="a", ids=range(6, 13))
                    store.append(array(13, 5, seed=2), layer="b", ids=range(13))
            except Died:
                survived = False
        keys = Store.open(path).keys()
        found = {key.layer: len(Store.open(path).read(key)) for key in keys}
        assert found in ({"a": 6}, {"a": 13}, {"a": 13, "b": 13})
        rows, ids = array(7, seed=1), np.arange(6, 13)
        if again == "others" and found == {"a": 6}:
            rows, ids = array(9, seed=3), np.arange(100, 109)
        with Store.open(path, "a") as store:
            if found == {"a": 6}:
                store.append(rows, layer="a", ids=ids)
            if "b" not in found:  # of another width and type than what died
                whole = [*range(6), *ids]
                store.append(np.ones((len(whole), 3)), layer="b", ids=whole)
            a, b = store.keys()
            np.testing.assert_array_equal(store.read(a), [*array(6), *rows])
            assert store.ids(a).tolist() == store.ids(b).tolist() == [*range(6), *ids]
        deaths += not survived
        if survived:
            break
    assert survived
    assert deaths > 8


def test_a_row_of_a_history_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    for count in range(60):
        path = tmp_path / str(count)
        with Store.create(path) as store:
            store.new_history("run").append({"step": 0})
        survived = True
        with monkeypatch.context() as patched:
            dying_after(patched, count)
            try:
                with Store.open(path, "a") as store:
                    history = store.history("run")
                    history.append({"step": 1, "loss": 2.0})
                    history.append({f"column {k}": 1.0 for k in range(40)})
            except Died:
                survived = False
        rows = len(Store.open(path).history("run").read()["step"])
        with Store.open(path, "a") as store:
            store.history("run").append({"step": 5, "loss": 1.0})
        found = Store.open(path).history("run").read()
        np.testing.assert_array_equal(found["step"], [*[0, 1, np.nan][:rows], 5])
        assert np.isnan(found["loss"][0])
        if survived:
            break
    assert survived
    assert rows == 3


WRITER = """
import sys, numpy as np, likewise as lw
store = lw.scale.Store.open(sys.argv[1], "a")
first = len(store.read(store.keys()[0])) if store.keys() else 0
print("begun", flush=True)
for step in range(first, 100000, 5):
    store.append(np.full((5, 3), step, "f4"), layer="a", ids=range(step, step + 5))
"""


def start_writer(path):
    writer = start("-c", WRITER, path, stderr=None)
    assert writer.stdout.readline() == "begun\n"
    return writer


def kill(process):
    process.kill()
    process.wait()
    process.stdout.close()


def test_killed_writers_leave_whole_appends(tmp_path):
    path, rng = tmp_path / "run.zarr", np.random.default_rng(0)
    Store.create(path).close()
    for _ in range(6):
        writer = start_writer(path)
        time.sleep(float(rng.uniform(0.05, 0.2)))
        kill(writer)
        store = Store.open(path)
        keys = store.keys()
        for key in keys:
            found = store.read(key)
            assert len(found) % 5 == 0
            np.testing.assert_array_equal(found[:, 0], np.arange(len(found)) // 5 * 5)
            assert store.ids(key).tolist() == list(range(len(found)))


def test_one_process_writes_at_a_time_and_a_dead_one_holds_nothing(tmp_path):
    path = tmp_path / "run.zarr"
    with Store.create(path):
        pass
    writer = start_writer(path)
    store = Store.open(path, "a")
    while not store.keys():
        time.sleep(0.01)
    for write in (
        lambda: store.append(array(), layer="b"),
        lambda: store.new_history("run"),
    ):
        with pytest.raises(
            BlockingIOError, match=r"another process writes to .*run\.zarr, and one"
        ):
            write()
    assert store.keys(layer="b") == []
    kill(writer)
    store.append(array(), layer="b")
    store.new_history("run").append({"step": 0})
    assert len(Store.open(path).read(store.keys(layer="b")[0])) == 10


def test_threads_and_stores_of_one_process_take_turns(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    path = tmp_path / "run.zarr"
    stores = [Store.create(path), Store.open(path, "a")]
    with ThreadPoolExecutor(4) as pool:
        jobs = [
            pool.submit(stores[k % 2].append, np.full((3, 2), k, "f4"), layer="a")
            for k in range(40)
        ]
        keys = [job.result() for job in jobs]
    found = stores[0].read(keys[0])
    assert sorted(found[:, 0]) == sorted(np.repeat(np.arange(40), 3))
    assert (found[::3] == found[1::3]).all()


def test_a_forked_process_has_no_right_of_its_parent(tmp_path):
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    code = """
import os, sys, numpy as np, likewise as lw
store = lw.scale.Store.create(sys.argv[1])
store.append(np.ones((3, 2)), layer="a")
if os.fork() == 0:
    try:
        store.append(np.ones((3, 2)), layer="b")
        os._exit(1)
    except BlockingIOError:
        os._exit(7)
_, status = os.wait()
assert os.waitstatus_to_exitcode(status) == 7, status
store.append(np.ones((3, 2)), layer="c")
print([key.layer for key in store.keys()])
"""
    code, said, errors = finished("-c", code, tmp_path / "run.zarr")
    assert said.strip() == "['a', 'c']", errors


@pytest.fixture
def written(tmp_path, small_chunks):
    """A store with arrays, ids and a history of several chunks, and how each is read."""
    path = tmp_path / "run.zarr"
    with Store.create(path) as store:
        key = store.append(array(10), layer="a", ids=[f"image {k}" for k in range(10)])
        history = store.new_history("run")
        for k in range(3):
            history.append({"step": k, "loss": 1 / (k + 1)})
    reads = {
        "arrays": lambda: Store.open(path).read(key),
        "ids": lambda: Store.open(path).ids(key),
        "histories": lambda: Store.open(path).history("run").read(),
    }
    return path, reads


@pytest.mark.parametrize("kind", ["arrays", "ids", "histories"])
def test_damage_is_named_and_never_read(written, kind):
    path, reads = written
    chunks = [p for p in (path / kind).rglob("c/**/*") if p.is_file()]
    assert len(chunks) == {"arrays": 3, "ids": 1, "histories": 1}[kind]
    rng = np.random.default_rng(0)
    for chunk in chunks:
        whole = chunk.read_bytes()
        for _ in range(10):
            damaged = bytearray(whole)
            damaged[rng.integers(len(whole))] ^= 1 << rng.integers(8)
            chunk.write_bytes(damaged)
            with pytest.raises(ValueError, match=r"chunk [0-9/]+ of .* is damaged"):
                reads[kind]()
        for cut in (0, 1, len(whole) // 2, len(whole) - 1):
            chunk.write_bytes(whole[:cut])
            with pytest.raises(ValueError, match=r"chunk [0-9/]+ of .* is damaged"):
                reads[kind]()
        chunk.unlink()
        with pytest.raises(ValueError, match=r"chunk [0-9/]+ of .* is missing"):
            reads[kind]()
        chunk.write_bytes(whole)
        reads[kind]()


def test_the_rows_of_a_damaged_chunk_are_named_and_others_read(written):
    path, _ = written
    (chunk,) = (path / "arrays").rglob("c/1/0")
    chunk.write_bytes(b"x" + chunk.read_bytes())
    store = Store.open(path)
    (key,) = store.keys()
    with pytest.raises(
        ValueError, match=r"^Store.read: model/final/probe/a: chunk 1/0 .*rows 4 to 7"
    ):
        store.read(key)
    np.testing.assert_array_equal(store.read(key, slice(8, 10)), array(10)[8:])


@pytest.mark.parametrize("value", [0.0, np.nan, -0.0])
def test_a_chunk_of_one_value_is_written_too(tmp_path, small_chunks, value):
    with Store.create(tmp_path / "run.zarr") as store:
        for _ in range(3):
            key = store.append(np.full((5, 4), value, "f4"), layer="a")
    np.testing.assert_array_equal(Store.open(store.path).read(key), np.full((15, 4), value))


def test_stores_of_version_0_1_0_are_read_and_grow(tmp_path):
    """As that version wrote it: no format, no checksums, no chunks of zeros."""
    path = tmp_path / "old.zarr"
    group = zarr.open_group(str(path), mode="w", zarr_format=3)
    group.attrs.update({"likewise": "store", "arrays": 1})
    values = np.concatenate([np.zeros((4, 3), "f4"), array(4, 3)])
    attributes = {"reduce": "", "stage": "", "samples": 8, "ids": True, "order": 0}
    old = group.create_array(
        "arrays/model/final/probe/a",
        shape=(8, 3),
        chunks=(4, 3),
        dtype="f4",
        attributes=attributes,
    )
    old[:] = values
    ids = group.create_array("ids/probe", shape=(8,), chunks=(4096,), dtype=np.int64)
    ids[:] = np.arange(8)
    with Store.open(path, "a") as store:
        (key,) = store.keys()
        np.testing.assert_array_equal(store.read(key), values)
        assert store.ids(key).tolist() == list(range(8))
        store.append(array(2, 3), layer="a", ids=[8, 9])
        store.append(array(10, 3), layer="b", ids=range(10))
        np.testing.assert_array_equal(store.read(key), [*values, *array(2, 3)])
        assert len(store.keys()) == 2


@pytest.mark.parametrize("number", [2, "1", 0, None])
def test_unknown_formats_are_refused_by_name(tmp_path, number):
    Store.create(tmp_path / "run.zarr").close()
    zarr.open_group(str(tmp_path / "run.zarr"), mode="r+").attrs["format"] = number
    for mode in "ra":
        with pytest.raises(ValueError, match=rf"run.zarr has format {number!r}; this version"):
            Store.open(tmp_path / "run.zarr", mode)


@pytest.mark.parametrize(
    "ids",
    [
        np.array([2**63, 2**64 - 1, 5], np.uint64),
        [2**63 + 1, 0, 1],
        np.array([-(2**63), 2**63 - 1, 0]),
        np.array([1, 2, 3], np.uint8),
        [2**70, -1, 3],
    ],
)
def test_large_ids_come_back_as_they_were(tmp_path, ids):
    with Store.create(tmp_path / "run.zarr") as store:
        key = store.append(array(3), layer="a", ids=ids)
        again = store.append(array(3), layer="b", ids=ids)
        assert [str(k) for k in store.ids(key)] == [str(k) for k in ids]
        assert [str(k) for k in store.ids(again)] == [str(k) for k in ids]


def test_ids_that_would_change_are_refused(tmp_path):
    with Store.create(tmp_path / "run.zarr") as store:
        store.append(array(2), layer="a", ids=[0, 1])
        with pytest.raises(ValueError, match="ids of data set 'probe' are int64 and must stay so"):
            store.append(array(1), layer="a", ids=np.array([2**63], np.uint64))


NAMES = [
    "zarr.json",
    ".zarray",
    ".",
    "..",
    "c",
    "__init__",
    "a/b",
    "%2E",
    "zarr.json/c",
    "ü",
    " x ",
]


def test_layers_may_have_any_name(tmp_path):
    with Store.create(tmp_path / "run.zarr") as store:
        keys = [
            store.append(array(seed=k), layer=name, model=name, data=name, ids=range(10))
            for k, name in enumerate(NAMES)
        ]
        assert store.keys() == keys
        for k, key in enumerate(keys):
            np.testing.assert_array_equal(store.read(key), array(seed=k))
        for name in NAMES:
            store.new_history(name)
        assert store.histories() == sorted(NAMES)
        with pytest.raises(
            ValueError, match="layer must be short enough to name a folder, got 300"
        ):
            store.append(array(), layer="x" * 300)


@pytest.mark.parametrize("notes", [{"x": float("nan")}, {"x": [float("inf")]}, {"x": object()}])
def test_notes_are_what_json_has(tmp_path, notes):
    with Store.create(tmp_path / "run.zarr") as store:
        with pytest.raises(ValueError, match="notes must be what JSON has"):
            store.new_history("run", notes)
        assert store.histories() == []
