"""The one timer of the benchmarks: contestants take turns, and answer correctly before they run."""

from __future__ import annotations

import contextlib
import math
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from threadpoolctl import threadpool_limits

from . import peers
from .tables import RATIO, Comparison, Row, Table

Race = Callable[..., Table]  # the fixture


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One way to do the work of a race, by default ours, which comes first.

    `build(module)` gets the imported `module`, prepares inputs untimed and returns the call to
    time. One call does `units` units of work (pairs, problems): a peer that runs on a subset says
    so in `how` and is scaled by this number. `answer` turns what the call returned, untimed, into
    what the race's check reads. `goal` is printed beside the measured ratio, never asserted.
    """

    build: Callable[[Any], Callable[[], Any]]
    units: float = 1
    name: str = "likewise"
    module: str = "likewise"
    answer: Callable[[Any], Any] = lambda result: result
    tolerance: float | None = None
    threads: int = 1
    goal: float | None = None
    how: str = ""


def peer(
    module: str, name: str, **fixed: Any
) -> Callable[[Callable[..., Callable[[], Any]]], Callable[..., Contestant]]:
    """Make contestants of a function that gets the imported module and what one race is about, and
    returns the call to time: it then takes the latter, and more fields of the contestant."""

    def decorate(prepare: Callable[..., Callable[[], Any]]) -> Callable[..., Contestant]:
        def enter(*given: Any, **fields: Any) -> Contestant:
            fields = {"name": name, "module": module} | fixed | fields
            return Contestant(build=lambda imported: prepare(imported, *given), **fields)

        return enter

    return decorate


@dataclass(frozen=True)
class Effort:
    """How long to measure: rounds of at least `sample` seconds within `budget` per contestant."""

    budget: float
    sample: float
    least_rounds: int
    most_rounds: int


FULL = Effort(budget=2.0, sample=0.005, least_rounds=3, most_rounds=15)
QUICK = Effort(budget=0.02, sample=0.0002, least_rounds=2, most_rounds=3)


@dataclass
class _Lane:
    """A contestant in a race: its prepared call and its samples, in seconds per call."""

    contestant: Contestant
    module: Any
    run: Callable[[], Any] = field(init=False)
    error: float = field(init=False)
    once: float = field(init=False)
    calls: int = 1
    rounds: int = 1
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def check(self, error: Callable[[Any], float], tolerance: float) -> None:
        """Prepare the call, and look at its first answer."""
        contestant = self.contestant
        allowed = tolerance if contestant.tolerance is None else contestant.tolerance
        with _conditions(contestant):
            self.run = contestant.build(self.module)
            start = time.perf_counter()
            result = self.run()
            self.once = time.perf_counter() - start
            answer = contestant.answer(result)
        self.error = float(error(answer))
        if not self.error <= allowed:
            raise AssertionError(
                f"{contestant.name} answers wrongly: error {self.error:.2g}, allowed {allowed:.2g}"
            )

    def sample(self) -> None:
        """Time `calls` calls in a row, by the clock on the wall and by processor time."""
        calls = range(self.calls)
        with _conditions(self.contestant):
            wall = time.perf_counter()
            cpu = _processor_time()
            for _ in calls:
                self.run()
            cpu = _processor_time() - cpu
            wall = time.perf_counter() - wall
        self.wall.append(wall / self.calls)
        self.cpu.append(cpu / self.calls)

    def calibrate(self, effort: Effort) -> None:
        """Choose calls per sample and rounds from one warm call, which is not counted.

        A call that exhausts the budget is warm enough from its check.
        """
        if self.once < effort.budget:
            self.sample()
            self.once = self.wall.pop()
            self.cpu.pop()
        self.calls = max(1, math.ceil(effort.sample / self.once))
        affordable = int(effort.budget / (self.once * self.calls))
        self.rounds = min(max(affordable, effort.least_rounds), effort.most_rounds)

    def row(self, clock: str, comparison: Comparison, ours: float | None) -> Row:
        contestant = self.contestant
        seconds = [value / contestant.units for value in getattr(self, clock)]
        value = median(seconds)
        return Row(
            name=contestant.name,
            value=value,
            spread=_spread(seconds),
            comparison=None if ours is None else comparison.of(ours, value),
            goal=contestant.goal,
            error=self.error,
            how=contestant.how,
            rounds=len(seconds),
            wall=median(self.wall) / contestant.units,
            cpu=median(self.cpu) / contestant.units,
        )


def race(
    recorder: Any,
    title: str,
    contestants: Sequence[Contestant],
    *,
    unit: str,
    error: Callable[[Any], float],
    tolerance: float,
    effort: Effort,
    clock: str,
    comparison: Comparison = RATIO,
) -> Table:
    """Check every answer, then time the contestants in turns, and return the table.

    pytest-benchmark (`recorder`, its fixture) runs the rounds and records ours; before each of
    its rounds every peer takes its own turn under the same timer. `error(answer)` is compared
    with `tolerance`, or with the contestant's own; a wrong answer fails the benchmark. BLAS and
    torch run one thread; only our own contestants are given more.
    """
    lanes: list[_Lane] = []
    absent: dict[int, Row] = {}
    for position, contestant in enumerate(contestants):
        try:
            lanes.append(_Lane(contestant, peers.load(contestant.module)))
        except ImportError as missing:
            if position == 0:
                raise
            hint = f"not here ({missing}): {peers.how_to_get(contestant.module)}"
            absent[position] = Row(name=contestant.name, goal=contestant.goal, how=hint)

    ours, *rivals = lanes
    with _one_thread():
        for lane in lanes:
            lane.check(error, tolerance)
    with _one_thread(), _OtherJobs() as others:  # again: a first call may have loaded another BLAS
        for lane in lanes:
            lane.calibrate(effort)
        turns = _turns(rivals)
        recorder.pedantic(ours.sample, setup=partial(next, turns), rounds=ours.rounds)

    baseline = ours.row(clock, comparison, None)
    rows = [baseline] + [lane.row(clock, comparison, baseline.value) for lane in rivals]
    for position, row in absent.items():
        rows.insert(position, row)
    return Table(title, unit, clock, comparison, rows, others.cores)


def two_threads(race: Race, title: str, ours: Callable[..., Contestant], **options: Any) -> None:
    """Ours against ours, by the clock on the wall."""
    contestants = [
        ours(name="likewise, 2 threads", threads=2),
        ours(name="likewise, 1 thread", goal=1.8),
    ]
    race(title, contestants, clock="wall", **options)


def _turns(rivals: Sequence[_Lane]) -> Iterator[None]:
    """Each step gives a turn to every rival that has rounds left."""
    while True:
        for lane in rivals:
            if len(lane.wall) < lane.rounds:
                lane.sample()
        yield


@contextlib.contextmanager
def _conditions(contestant: Contestant) -> Iterator[None]:
    """Threads for ours, silence for a peer's own warnings."""
    if contestant.module == "likewise":
        with peers.load("likewise").num_threads(contestant.threads):
            yield
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Hold every BLAS and OpenMP pool loaded so far, and torch's own, at one thread."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    with threadpool_limits(limits=1):
        yield


def _processor_time() -> float:
    """Seconds of this process, all its threads, and of the child processes that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _spread(values: Sequence[float]) -> float:
    """Interquartile range over the median."""
    if len(values) < 2:
        return 0.0
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return (high - low) / middle


class _OtherJobs:
    """Cores that other processes kept busy meanwhile; None where the system does not tell."""

    cores: float | None = None

    def __enter__(self) -> _OtherJobs:
        self._before = self._read()
        return self

    def __exit__(self, *_: object) -> None:
        after = self._read()
        if self._before is None or after is None:
            return
        wall, machine, ours = (end - start for start, end in zip(self._before, after, strict=True))
        if wall > 0.5:  # the system counts in hundredths of a second
            self.cores = max(0.0, machine - ours) / wall

    @staticmethod
    def _read() -> tuple[float, float, float] | None:
        stat = Path("/proc/stat")
        if not stat.exists():
            return None
        user, nice, system, _, _, irq, softirq, steal = map(
            int, stat.read_text().split("\n", 1)[0].split()[1:9]
        )
        busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        return time.perf_counter(), busy, _processor_time()
