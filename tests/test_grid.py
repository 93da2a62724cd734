"""pairwise, cross and the labelled Grid."""

from __future__ import annotations

import json

import numpy as np
import pytest

import likewise as lw

pytestmark = pytest.mark.device


@pytest.fixture
def layers():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((60, 8))
    return {
        name: z @ rng.standard_normal((8, d)) + 0.3 * rng.standard_normal((60, d))
        for name, d in (("conv1", 6), ("conv2", 12), ("head, last", 4))
    }


@pytest.fixture
def grid(layers):
    return lw.pairwise(layers, "cka", estimator="unbiased")


def test_lists_mappings_and_stacks_agree(layers):
    stack = np.stack([a[:, :4] for a in layers.values()])
    as_list = lw.pairwise(list(stack))
    assert isinstance(as_list, np.ndarray)
    assert np.array_equal(lw.pairwise(stack), as_list)
    labelled = lw.pairwise(dict(zip(layers, stack, strict=True)))
    assert labelled.rows == labelled.columns == tuple(layers)
    assert np.array_equal(labelled.values, as_list)


def test_cross_labels_the_side_that_has_none(layers):
    grid = lw.cross(layers, list(layers.values())[:2])
    assert grid.rows == tuple(layers)
    assert grid.columns == ("0", "1")


def test_empty_collections_give_empty_results(layers):
    assert lw.pairwise([]).shape == (0, 0)
    assert lw.cross(list(layers.values()), []).shape == (3, 0)
    assert lw.pairwise({}).values.shape == (0, 0)


def test_mixed_dtypes_follow_result_type(layers):
    a, b, _ = layers.values()
    assert lw.pairwise([a.astype(np.float32), b.astype(np.float32)]).dtype == np.float32
    assert lw.pairwise([a.astype(np.float32), b]).dtype == np.float64
    assert lw.cross([a.astype(np.float32)], [b]).dtype == np.float64


@pytest.mark.host_only("tensors of the CPU")
def test_torch_in_torch_out(layers):
    torch = pytest.importorskip("torch")
    tensors = [torch.from_numpy(a) for a in layers.values()]
    scores = lw.pairwise(tensors, "cka")
    assert isinstance(scores, torch.Tensor)
    np.testing.assert_array_equal(scores.numpy(), lw.pairwise(list(layers.values()), "cka"))
    with pytest.raises(lw.InputTypeError, match="one library, got torch and numpy"):
        lw.cross(tensors, list(layers.values()))


def test_index_by_label_and_by_position(grid, layers):
    assert grid["conv1", "conv2"] == grid.values[0, 1] == grid[0, 1]
    assert grid["conv2", "conv1"] == pytest.approx(
        lw.cka(layers["conv2"], layers["conv1"], estimator="unbiased")
    )
    assert np.array_equal(grid["conv2"], grid.values[1])
    assert np.array_equal(grid[:, "conv2"], grid.values[:, 1])
    part = grid[["head, last", "conv1"], 1:]
    assert part.rows == ("head, last", "conv1")
    assert part.columns == ("conv2", "head, last")
    assert np.array_equal(part.values, grid.values[np.ix_([2, 0], [1, 2])])
    with pytest.raises(KeyError, match="no row 'conv9', there are"):
        grid["conv9", "conv1"]


def test_json_and_csv_bring_back_the_same_grid(grid, tmp_path):
    for text, read in ((grid.to_json(), lw.Grid.from_json), (grid.to_csv(), lw.Grid.from_csv)):
        back = read(text)
        assert np.array_equal(back.values, grid.values)
        assert (back.rows, back.columns) == (grid.rows, grid.columns)
        assert (back.measure, back.options) == (grid.measure, grid.options)
    grid.to_json(tmp_path / "grid.json")
    grid.to_csv(tmp_path / "grid.csv")
    assert np.array_equal(lw.Grid.from_json(tmp_path / "grid.json").values, grid.values)
    assert np.array_equal(lw.Grid.from_csv(tmp_path / "grid.csv").values, grid.values)


def test_nan_scores_survive_files():
    grid = lw.Grid(np.array([[1.0, np.nan]], np.float32), ("a",), ("b", "c"), "cka")
    back = lw.Grid.from_json(grid.to_json())
    assert back.values.dtype == np.float32
    np.testing.assert_array_equal(back.values, grid.values)
    np.testing.assert_array_equal(lw.Grid.from_csv(grid.to_csv()).values, grid.values)


def test_infinite_scores_survive_files():
    grid = lw.Grid(np.array([[np.inf, -np.inf, np.nan]]), ("a",), ("b", "c", "d"), "hsic")
    assert "Infinity" not in grid.to_json()
    for again in (lw.Grid.from_json(grid.to_json()), lw.Grid.from_csv(grid.to_csv())):
        np.testing.assert_array_equal(again.values, grid.values)


def test_files_of_version_0_1_0_are_read_and_unknown_formats_refused(grid, tmp_path):
    old = {name: value for name, value in grid.to_dict().items() if name != "format"}
    np.testing.assert_array_equal(lw.Grid.from_dict(old).values, grid.values)
    np.testing.assert_array_equal(lw.Grid.from_json(json.dumps(old)).values, grid.values)
    csv = grid.to_csv().replace('""format"": 1, ', "")
    assert csv != grid.to_csv()
    np.testing.assert_array_equal(lw.Grid.from_csv(csv).values, grid.values)
    for read, text in (
        (lw.Grid.from_json, json.dumps(old | {"format": 2})),
        (lw.Grid.from_csv, grid.to_csv().replace('""format"": 1', '""format"": 2')),
    ):
        with pytest.raises(ValueError, match="has format 2; this version of likewise reads"):
            read(text)


@pytest.mark.parametrize(
    "text",
    ["{}", "{", '{"rows": 3}', "[]", '{"format": 1, "rows": ["a"], "columns": ["b"]}', "", '"a"'],
)
def test_what_is_no_grid_is_refused(tmp_path, text):
    path = tmp_path / "grid"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"Grid\.from_json: needs JSON that to_json wrote"):
        lw.Grid.from_json(path)
    with pytest.raises(ValueError, match=r"Grid\.from_csv: needs CSV that to_csv wrote"):
        lw.Grid.from_csv(path)


@pytest.mark.parametrize("method", ["to_json", "to_csv"])
def test_a_file_is_replaced_whole_or_not_at_all(grid, tmp_path, method, monkeypatch):
    path = tmp_path / "grid"
    getattr(grid, method)(path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        getattr(grid[:1, :1], method)(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_pandas_and_matplotlib(grid):
    pytest.importorskip("pandas")
    frame = grid.to_pandas()
    assert frame.loc["conv1", "conv2"] == grid["conv1", "conv2"]
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    axes = grid.plot()
    assert [t.get_text() for t in axes.get_yticklabels()] == list(grid.rows)
    assert np.array_equal(axes.images[0].get_array(), grid.values)


def test_numpy_sees_the_scores(grid):
    assert np.array_equal(np.asarray(grid), grid.values)
    assert np.asarray(grid, dtype=np.float32).dtype == np.float32


def test_a_grid_checks_its_own_shape():
    with pytest.raises(ValueError, match=r"must have shape \(1, 2\), got \(2, 2\)"):
        lw.Grid(np.eye(2), ("a",), ("b", "c"))
    with pytest.raises(ValueError, match="labels of rows must be unique"):
        lw.Grid(np.eye(2), ("a", "a"), ("b", "c"))


def test_bad_collections_are_named(layers):
    a = layers["conv1"]
    with pytest.raises(ValueError, match=r"items\[1\] must be 2-D .* lw.reduce"):
        lw.pairwise([a, np.zeros((60, 3, 4, 4))])
    with pytest.raises(ValueError, match=r"got items\[0\] of shape \(60, 6\) and items\[1\]"):
        lw.pairwise([a, a[:-1]])
    with pytest.raises(ValueError, match=r"items_a\[0\] of shape .* items_b\[0\]"):
        lw.cross([a], [a[:-1]])
    with pytest.raises(ValueError, match=r"items\['b'\] must be finite"):
        lw.pairwise({"a": a, "b": np.full_like(a, np.inf)})
    with pytest.raises(ValueError, match="must be a list, a mapping or a stacked array"):
        lw.pairwise(a)
    with pytest.raises(lw.InputTypeError, match="labels of items must be strings"):
        lw.pairwise({1: a})
    with pytest.raises(ValueError, match="at least 4 samples"):
        lw.pairwise([a[:3]], "cka", estimator="unbiased")


def test_a_printed_grid_is_a_table(grid):
    title, header, *rows = repr(grid).splitlines()
    assert title == "Grid of cka, 3 x 3"
    assert header.split("  ")[-1].strip() == "head, last"
    assert [row.split()[-1] for row in rows] == [f"{v:.4g}" for v in grid.values[:, -1]]


def test_a_large_grid_prints_its_ends():
    values = np.arange(900.0).reshape(30, 30)
    labels = tuple(f"layer{k}" for k in range(30))
    text = repr(lw.Grid(values, labels, labels))
    assert len(text.splitlines()) == 2 + 5 + 1 + 5
    assert "layer4" in text
    assert "layer5" not in text
    assert text.endswith("899")


def test_pitfall_samples_in_another_order_fail_loudly():
    rng = np.random.default_rng(0)
    items = {"a": rng.standard_normal((6, 3)), "b": rng.standard_normal((6, 2))}
    names = [f"image{k}" for k in range(6)]
    swapped = [names[k] for k in (0, 1, 3, 2, 4, 5)]
    grid = lw.pairwise(items, "cka", ids={"a": names, "b": names})
    np.testing.assert_array_equal(grid.values, lw.pairwise(items, "cka").values)
    with pytest.raises(
        ValueError,
        match=r"at sample 2, ids\['a'\] has image2 and ids\['b'\] has "
        "image3; they are the same samples in another order",
    ):
        lw.pairwise(items, "cka", ids={"a": names, "b": swapped})
    arrays = list(items.values())
    with pytest.raises(ValueError, match=r"at sample 5, ids_a\[0\] has 5 and ids_b\[0\] has 9$"):
        lw.cross(arrays[:1], arrays[1:], ids_a=[range(6)], ids_b=[[0, 1, 2, 3, 4, 9]])
    lw.cross(arrays[:1], arrays[1:], ids_a=[range(6)], ids_b=[np.arange(6, dtype=np.int32)])
    with pytest.raises(ValueError, match="at sample 0"):
        lw.cross(arrays[:1], arrays[1:], ids_a=[range(6)], ids_b=[list("012345")])
    stream = lw.scale.Accumulator("cka")
    stream.update(items, ids_a={"a": names, "b": names})
    with pytest.raises(ValueError, match=r"Accumulator\.update: samples must be the same"):
        stream.update(items, ids_a={"a": names, "b": swapped})


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([range(6)], "one sequence for each of the 2 items, .* got 1"),
        ([range(6), range(5)], r"ids\[1\] must have one entry for each of the 6 samples"),
        ({"a": range(6), "b": range(6)}, "under the same labels"),
    ],
)
def test_ids_belong_to_items(ids, message):
    items = [np.eye(6)[:, :3], np.eye(6)[:, 2:]]
    with pytest.raises(ValueError, match=message):
        lw.pairwise(items, "cka", ids=ids)
    with pytest.raises(ValueError, match="for both sides or for neither"):
        lw.cross(items, items, "cka", ids_a=[range(6)] * 2)
