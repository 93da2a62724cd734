"""The command line, through a real process."""

from __future__ import annotations

import csv
import json
import os
import re
import select
import subprocess
from importlib.metadata import version

import numpy as np
import pytest
from processes import finished, start

import likewise as lw
from likewise.report import number

pytest.importorskip("typer")

WITHOUT = """
import runpy, sys
for module in {modules!r}:
    sys.modules[module] = None
sys.argv = ["likewise", *{arguments!r}]
runpy.run_module("likewise", run_name="__main__")
"""


def python(*arguments, cwd):
    """Run Python to its end."""
    return subprocess.CompletedProcess(arguments, *finished(*arguments, cwd=cwd))


@pytest.fixture
def run(tmp_path):
    return lambda *arguments: python("-m", "likewise", *arguments, cwd=tmp_path)


@pytest.fixture
def files(tmp_path):
    """a.npz: x, and x rotated; b.npz: x scaled and shifted, and noise; 60 stimuli."""
    rng = np.random.default_rng(0)
    x, noise = rng.standard_normal((60, 6)), rng.standard_normal((60, 4))
    q = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    a, b = {"x": x, "rotated": x @ q}, {"moved": 3 * x + 1, "noise": noise}
    np.savez(tmp_path / "a.npz", **a)
    np.savez(tmp_path / "b.npz", **b)
    return a, b


def assert_refused(result, *words):
    """One line on standard error that has these words, nothing else, and exit status 2."""
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("likewise: ")
    for word in words:
        assert word in lines[0]


def test_version(run):
    result = run("--version")
    assert (result.returncode, result.stdout) == (0, f"likewise {version('likewise')}\n")


def test_help_names_both_commands_and_their_options(run):
    commands = run("--help").stdout
    assert "demo" in commands
    assert "compare" in commands
    options = run("compare", "--help").stdout
    for option in ("--measure", "--out", "--shuffles", "--seed"):
        assert option in options


@pytest.mark.parametrize("module", ["typer", "rich"])
def test_without_the_cli_extra_one_line_says_how_to_install_it(tmp_path, module):
    program = WITHOUT.format(modules=[module], arguments=["--version"])
    assert_refused(python("-c", program, cwd=tmp_path), 'pip install "likewise[cli]"')


@pytest.mark.parametrize(
    ("module", "arguments", "extra"),
    [
        ("sklearn", ["demo"], "demo"),
        ("plotly", ["demo"], "demo"),
        ("plotly", ["compare", "a.npz", "--out", "grid.html"], "report"),
    ],
)
def test_without_another_extra_one_line_says_how_to_install_it(
    tmp_path, files, module, arguments, extra
):
    program = WITHOUT.format(modules=[module], arguments=arguments)
    assert_refused(python("-c", program, cwd=tmp_path), f'pip install "likewise[{extra}]"')
    assert not (tmp_path / "grid.html").exists()


def test_json_holds_every_grid_with_its_control(run, files, tmp_path):
    result = run("compare", "a.npz", "b.npz", "--out", "grid.json")
    assert result.returncode == 0, result.stderr
    entries = json.loads((tmp_path / "grid.json").read_text())["comparisons"]
    assert [entry["title"] for entry in entries] == ["procrustes", "cka", "permutation_match"]
    for entry in entries:
        grid = lw.Grid.from_dict(entry["grid"])
        expected = lw.cross(*files, entry["title"])
        assert (grid.rows, grid.columns) == (("x", "rotated"), ("moved", "noise"))
        assert grid.measure == entry["title"]
        np.testing.assert_array_equal(grid.values, expected.values)

        control = entry["control"]
        mean, sd = (np.asarray(lw.Grid.from_dict(control[key])) for key in ("mean", "sd"))
        assert control["shuffles"] == 20
        assert np.all(sd > 0)
        # Shuffled, the planted copies score like the unrelated noise does.
        sign = -1 if entry["kind"] == "distance" else 1
        assert np.all(sign * grid.values[:, 0] > sign * mean[:, 0] + 5 * sd[:, 0])
        assert np.all(np.abs(grid.values[:, 1] - mean[:, 1]) < 4 * sd[:, 1])
        calibration = entry["calibration"]
        found = lw.calibrate(*files, entry["title"], n=20)
        for key in ("above_chance", "p_values"):
            expected = np.asarray(getattr(found, key))
            np.testing.assert_array_equal(lw.Grid.from_dict(calibration[key]).values, expected)
        best = (found.threshold, found.aggregate.score, found.aggregate.p_value)
        assert tuple(calibration[k] for k in ("threshold", "best_score", "best_p_value")) == best


def test_csv_is_in_long_form(run, files, tmp_path):
    run("compare", "a.npz", "b.npz", "--measure", "procrustes,cka", "--out", "grid.csv")
    with (tmp_path / "grid.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == [
        "measure",
        "row",
        "column",
        "value",
        "control_mean",
        "control_sd",
        "above_chance",
        "p_value",
    ]
    assert len(lines) == 2 * 2 * 2
    for line in lines:
        grid = lw.cross(*files, line["measure"])
        assert float(line["value"]) == grid[line["row"], line["column"]]
        found = lw.calibrate(*files, line["measure"], n=20)
        assert float(line["p_value"]) == found.p_values[line["row"], line["column"]]
        assert float(line["above_chance"]) == found.above_chance[line["row"], line["column"]]


def test_one_file_is_compared_with_itself(run, files, tmp_path):
    run("compare", "a.npz", "--measure", "cka", "--out", "grid.json")
    (entry,) = json.loads((tmp_path / "grid.json").read_text())["comparisons"]
    expected = lw.pairwise(files[0], "cka")
    np.testing.assert_array_equal(lw.Grid.from_dict(entry["grid"]).values, expected.values)


def test_the_table_shows_every_score_with_its_control(run, files):
    text = run("compare", "a.npz", "b.npz", "--measure", "cka").stdout
    lines = text.splitlines()
    assert lines[0] == "cka (similarity, larger is more alike)"
    assert lines[1].split() == ["moved", "noise"]
    score = f"{lw.cross(*files, 'cka')['x', 'moved']:.3f}"
    assert lines[2].startswith(f"x        {score} (")
    assert text.count("±") == 4


def test_a_wide_grid_is_shown_by_the_best_partners(run, tmp_path):
    rng = np.random.default_rng(1)
    arrays = {f"layer {k}": rng.standard_normal((30, 3)) for k in range(12)}
    np.savez(tmp_path / "many.npz", constant=np.ones((30, 3)), **arrays)
    np.savez(tmp_path / "last.npz", copy=arrays["layer 11"])
    text = run("compare", "last.npz", "many.npz", "--measure", "procrustes,cka").stdout
    assert text.count("layer 11") == 2
    assert "layer 0" not in text
    assert "constant" not in text


def test_options_of_a_measure(run, files, tmp_path):
    measures = "cka:estimator=unbiased,procrustes:score=similarity:scale=true"
    run("compare", "a.npz", "b.npz", "--measure", measures, "--out", "grid.json")
    entries = json.loads((tmp_path / "grid.json").read_text())["comparisons"]
    grids = [lw.Grid.from_dict(entry["grid"]).values for entry in entries]
    np.testing.assert_array_equal(grids[0], lw.cross(*files, "cka", estimator="unbiased").values)
    np.testing.assert_array_equal(grids[1], lw.cross(*files, "procrustes", score="similarity"))


def test_shuffles_and_seed(run, files, tmp_path):
    def controls(*arguments):
        run("compare", "a.npz", "--measure", "cka", "--out", "grid.json", *arguments)
        return json.loads((tmp_path / "grid.json").read_text())["comparisons"][0]["control"]

    assert controls("--shuffles", "0") is None
    first, again, other = (controls("--seed", seed) for seed in "112")
    assert first == again
    assert first["mean"] != other["mean"]


def test_warnings_are_one_line_each(run, tmp_path):
    dead = np.random.default_rng(2).standard_normal((60, 6))
    dead[:, 2] = 7
    np.save(tmp_path / "dead.npy", dead)
    result = run("compare", "dead.npy", "--measure", "cka")
    assert result.returncode == 0
    (line,) = result.stderr.splitlines()
    assert line.startswith("likewise: DegenerateWarning: ")
    assert "1 constant unit" in line


def test_a_terminal_sees_a_progress_bar(tmp_path, files):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = start("-m", "likewise", "compare", "a.npz", cwd=tmp_path, stderr=theirs)
    os.close(theirs)
    shown = b""
    while process.poll() is None or select.select([ours], [], [], 0)[0]:
        try:
            shown += os.read(ours, 4096)
        except OSError:  # What reading the end of a terminal gives on Linux.
            break
    os.close(ours)
    process.communicate(timeout=120)
    assert "permutation_match, control" in shown.decode()
    assert re.search(r"\d %", shown.decode())


@pytest.fixture
def many(tmp_path):
    """45 layers of long names, each most like the one after it."""
    rng = np.random.default_rng(0)
    x, layers = rng.standard_normal((60, 5)), {}
    for k in range(45):
        x = x + 0.2 * rng.standard_normal(x.shape)
        layers[f"encoder.block.{k}.attention.output.dense.LayerNorm.weight.{'x' * 60}"] = x
    np.savez(tmp_path / "many.npz", **layers)
    return layers


def test_a_layer_is_not_its_own_best_partner_and_files_have_whole_labels(run, many):
    result = run("compare", "many.npz", "--measure", "cka", "--shuffles", "0")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    partners = [line.split()[:2] for line in lines if line.startswith("encoder")]
    labels = list(many)
    assert [row for row, _ in partners] == labels[:20] + labels[-20:]
    assert any(line.startswith("...") for line in lines)
    grid = np.array(lw.pairwise(many, "cka"))
    np.fill_diagonal(grid, -1)
    for row, partner in partners:
        assert partner == labels[int(grid[labels.index(row)].argmax())]


def test_a_partner_in_another_file_may_have_the_same_place(run, files, tmp_path):
    np.savez(tmp_path / "again.npz", **{f"{k}{'y' * 200}": v for k, v in files[0].items()})
    result = run("compare", "a.npz", "again.npz", "--measure", "procrustes", "--shuffles", "0")
    assert re.search(r"^x +x(y{200}) +0\.000", result.stdout, re.MULTILINE), result.stdout


def test_one_layer_alone_has_no_partner(run, files, tmp_path):
    np.savez(tmp_path / "one.npz", **{"l" * 200: files[0]["x"]})
    result = run("compare", "one.npz", "--measure", "cka", "--shuffles", "0")
    assert re.search(r"^l{200} *$", result.stdout, re.MULTILINE), result.stdout


def test_a_large_grid_prints_at_once():
    from likewise.cli.compare import Comparison
    from likewise.cli.console import print_grid, standard_output

    rng = np.random.default_rng(0)
    labels = tuple(f"layer{k}" for k in range(300))
    grids = [lw.Grid(rng.random((300, 300)), labels, labels, "cka") for _ in range(3)]
    comparison = Comparison("cka", lw.measure("cka"), *grids, shuffles=5, of_itself=True)
    cells = []
    output = standard_output()
    print_rows = output.print
    output.print = lambda *parts, **options: cells.extend(parts) or print_rows(*parts, **options)
    print_grid(comparison, output)
    assert max(len(part.rows) for part in cells if hasattr(part, "rows")) == 41


def test_the_page_shows_what_is_above_chance(run, files, tmp_path):
    run("compare", "a.npz", "b.npz", "--measure", "cka", "--out", "grid.html")
    text = (tmp_path / "grid.html").read_text(encoding="utf-8")
    found = lw.calibrate(*files, "cka", n=20)
    assert f"above chance {number(found.above_chance['x', 'moved'], 3)}, p = 0.048" in text
    assert f"Beyond {number(found.threshold, 3)} a score is above chance" in text


_RBF = {"kernel": "rbf", "bandwidth": ("median", 1.0)}


@pytest.mark.parametrize(
    ("written", "options"),
    [
        (
            'cka(kernel=rbf,bandwidth=["median", 1.0])',
            {"kernel": "rbf", "bandwidth": ("median", 1.0)},
        ),
        (
            'cka:kernel=rbf:bandwidth=["median",1.0]',
            {"kernel": "rbf", "bandwidth": ("median", 1.0)},
        ),
        ("cka( kernel = rbf , bandwidth = 0.5 )", {"kernel": "rbf", "bandwidth": 0.5}),
        ("cka:estimator=unbiased", {"estimator": "unbiased"}),
        ("cka()", {}),
        ("measure/netrep/procrustes-distance=angular", None),
    ],
)
def test_measures_as_they_are_written(written, options):
    from likewise.cli.compare import parse_measures

    (first, cca, last) = parse_measures(f"{written},cca(regularization=0.5),procrustes")
    expected = lw.measure("cka", **options) if options is not None else lw.measure("procrustes")
    assert first == (written, expected)
    assert cca[1] == lw.measure("cca", regularization=0.5)
    assert last == ("procrustes", lw.measure("procrustes"))


def test_results_replace_what_was_there_whole_or_not_at_all(run, files, tmp_path):
    """A file system of one page: the results do not fit."""
    before = "before"
    (tmp_path / "grid.json").write_text(before)
    program = (
        "import resource, signal, runpy, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "sys.argv = ['likewise', 'compare', 'a.npz', '--shuffles', '0', '--out', 'grid.json']\n"
        "runpy.run_module('likewise', run_name='__main__')"
    )
    result = python("-c", program, cwd=tmp_path)
    assert result.returncode == 2, result.stderr
    assert result.stderr.splitlines() == [
        "likewise: --out grid.json: cannot be written (File too large)"
    ]
    assert (tmp_path / "grid.json").read_text() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz", "grid.json"]


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        ("conv.npy", np.zeros((60, 3, 4, 4)), ["conv.npy", "(60, 3, 4, 4)", "lw.reduce"]),
        ("flat.npy", np.zeros(60), ["flat.npy", "2-D"]),
        ("short.npy", np.zeros((50, 6)), ["short.npy", "(50, 6)", "(60, 6)", "a.npz"]),
        ("trap.npy", np.array([[{}]], dtype=object), ["trap.npy", "never loaded"]),
        ("nan.npy", np.full((60, 2), np.nan), ["nan.npy: 'nan' must be finite", "row 0, unit 0"]),
        ("complex.npy", np.zeros((60, 2), dtype=complex), ["complex"]),
        ("missing.npy", None, ["missing.npy", "no such file"]),
    ],
)
def test_bad_input_is_refused_in_one_line(run, files, tmp_path, name, array, words):
    if array is not None:
        np.save(tmp_path / name, array, allow_pickle=True)
    assert_refused(run("compare", "a.npz", name, "--out", "grid.json"), *words)
    assert not (tmp_path / "grid.json").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--measure", "nonsense"], ["nonsense", "procrustes"]),
        (["--measure", "cka:kernle=rbf"], ["'kernle'", "did you mean 'kernel'"]),
        (["--measure", "cka(kernle=rbf)"], ["'kernle'", "did you mean 'kernel'"]),
        (["--measure", "cka:rbf"], ["'cka': options are written as name=value", "'rbf'"]),
        (["--max-size", "much"], ["2GiB", "'much'"]),
        (["--measure", "cka:estimator=wrong"], ["estimator", "wrong"]),
        (["--measure", "cca:regularization=abc"], ["cca: regularization must be", "'abc'"]),
        (["--measure", "svcca:variance=abc"], ["svcca: variance must be", "'abc'"]),
        (["--measure", "shape_distance:alpha=abc"], ["shape_distance: alpha must be", "'abc'"]),
        (["--measure", "mutual_knn:k=abc"], ["mutual_knn: k must be", "'abc'"]),
        (["--measure", ","], ["no measure"]),
        (["--shuffles", "1"], ["--shuffles"]),
        (["--out", "grid.xlsx"], ["grid.xlsx", ".json", ".csv", ".html"]),
        (["--out", "nowhere/grid.json"], ["nowhere", "no such folder"]),
    ],
)
def test_bad_options_are_refused_in_one_line(run, files, arguments, words):
    assert_refused(run("compare", "a.npz", *arguments), *words)


def test_demo_refuses_an_impossible_report_before_it_trains(run):
    assert_refused(run("demo", "--out", "nowhere/report.html"), "nowhere", "no such folder")
    assert_refused(run("demo", "--out", "report.pdf"), "report.pdf", ".html")
