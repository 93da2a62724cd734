"""Tables of a store that grow by rows."""

import numpy as np
import pytest
from processes import start

import likewise as lw

pytest.importorskip("zarr")
Store = lw.scale.Store


@pytest.fixture
def store(tmp_path):
    return Store.create(tmp_path / "new.zarr")


def test_rows_and_columns_that_come_later(store):
    history = store.new_history("a run/1", {"model": "CNN"})
    assert (len(history), history.columns, history.read()) == (0, (), {})
    rows = [{"step": k, "loss": 1 / (k + 1)} for k in range(300)]
    rows[7] |= {"accuracy": 0.5}
    del rows[9]["loss"]
    for row in rows:
        history.append(row)
    again = Store.open(store.path)
    assert again.histories() == ["a run/1"]
    found = again.history("a run/1")
    assert (len(found), found.columns) == (300, ("step", "loss", "accuracy"))
    assert found.notes == {"model": "CNN"}
    for name in found.columns:
        expected = [row.get(name, np.nan) for row in rows]
        np.testing.assert_array_equal(found.read()[name], expected)
        np.testing.assert_array_equal(found.read(250)[name], expected[250:])


def test_more_columns_than_a_chunk_has(store):
    history = store.new_history("wide")
    for k in range(3):
        history.append({f"column {i}": 100 * k + i for i in range(30 * (k + 1))})
    found = store.history("wide").read()
    assert len(found) == 90
    np.testing.assert_array_equal(found["column 3"], [3, 103, 203])
    np.testing.assert_array_equal(found["column 89"], [np.nan, np.nan, 289])


WRITER = """
import sys, likewise as lw
history = lw.scale.Store.open(sys.argv[1], "a").new_history("growing")
for step in range(300):
    history.append({"step": step, "square": step * step})
"""


def test_reading_while_another_process_writes(store):
    seen = set()
    with start("-c", WRITER, store.path) as writer:
        while writer.poll() is None:
            reader = Store.open(store.path)
            if "growing" in reader.histories():
                found = reader.history("growing").read()
                steps = found.get("step", np.empty(0))
                np.testing.assert_array_equal(steps, np.arange(len(steps)))
                np.testing.assert_array_equal(found.get("square", steps), steps**2)
                seen.add(len(steps))
    assert writer.returncode == 0
    assert len(seen) > 2  # it was growing
    assert len(store.history("growing")) == 300


def test_refusals(store):
    history = store.new_history("run")
    with pytest.raises(ValueError, match="there is a history 'run' already"):
        store.new_history("run")
    with pytest.raises(ValueError, match="name must not be empty"):
        store.new_history("")
    with pytest.raises(KeyError, match="no history 'ran', there is 'run'"):
        store.history("ran")
    with pytest.raises(ValueError, match="row must have at least one number"):
        history.append({})
