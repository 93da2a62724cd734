"""Options, the `race` fixture and the closing report of `pytest benchmarks`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

# A forced OpenBLAS kernel would slow the NumPy and SciPy rows; read when they are loaded.
os.environ.pop("OPENBLAS_CORETYPE", None)
os.environ.pop("OPENBLAS_L2_SIZE", None)

import pytest

from . import peers, timing
from .tables import Table, machine

TABLES = pytest.StashKey[list[Table]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("likewise benchmarks")
    group.addoption("--quick", action="store_true", help="tiny sizes, few rounds: a smoke run")
    group.addoption(
        "--clock",
        choices=("cpu", "wall"),
        default="cpu",
        help="clock of the one-thread tables; cpu time does not count what other jobs take",
    )
    group.addoption("--table-json", type=Path, metavar="PATH", help="write all tables to PATH")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.stash[TABLES] = []
    config.addinivalue_line(
        "markers", "sizes(names, full, quick): parametrise, with small sizes under --quick"
    )
    # Said after a wrong answer, which ends a race before it starts and is the failure to read.
    config.addinivalue_line("filterwarnings", "ignore:Benchmark fixture was not used at all")
    config.option.benchmark_quiet = True  # our tables hold what its own would, and the peers


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for mark in metafunc.definition.iter_markers("sizes"):
        chosen = "quick" if metafunc.config.getoption("quick") else "full"
        metafunc.parametrize(mark.args[0], mark.kwargs[chosen], ids=_label)


def _label(value: Any) -> str:
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    return str(value)


@pytest.fixture
def report(pytestconfig: pytest.Config) -> Callable[[Table], None]:
    """Adds a table to the closing report."""
    return pytestconfig.stash[TABLES].append


@pytest.fixture
def race(
    benchmark: Any, report: Callable[[Table], None], pytestconfig: pytest.Config
) -> Callable[..., Table]:
    """`timing.race` under this run's options; its table is reported and kept by the recorder."""

    def run(title: str, contestants: list[timing.Contestant], **options: Any) -> Table:
        options.setdefault("clock", pytestconfig.getoption("clock"))
        effort = timing.QUICK if pytestconfig.getoption("quick") else timing.FULL
        table = timing.race(benchmark, title, contestants, effort=effort, **options)
        benchmark.extra_info["table"] = table.as_json()
        report(table)
        return table

    return run


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    tables = config.stash[TABLES]
    if not tables:
        return
    about = {
        "machine": machine(),
        "versions": peers.versions(),
        "build": peers.load("likewise").build_config(),
    }
    terminalreporter.section("likewise and its peers")
    for topic, facts in about.items():
        terminalreporter.write_line(f"{topic}: {facts}")
    terminalreporter.write_line("first row: ours; peers by the same timer, in turns, medians")
    if config.getoption("quick"):
        terminalreporter.write_line("--quick: tiny sizes and few rounds; the ratios mean nothing")
    for table in tables:
        terminalreporter.write_line("")
        for line in table.lines():
            terminalreporter.write_line(line)
    path = config.getoption("table_json")
    if path is not None:
        rows = [table.as_json() for table in tables]
        path.write_text(json.dumps({**about, "tables": rows}, indent=1) + "\n")
