"""Trainings of small networks side by side: one process of one thread on each core."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any

from likewise import num_threads

__all__ = ["as_done", "cores", "one_thread", "timed"]


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch, NumPy and the engine: networks this small are slower with more."""
    import torch
    from threadpoolctl import threadpool_limits

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with num_threads(1), threadpool_limits(limits=1):
            yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def timed(seconds: dict[str, float], part: str) -> Iterator[None]:
    """Add the time that this takes to that of `part`."""
    started = time.perf_counter()
    yield
    seconds[part] = seconds.get(part, 0.0) + time.perf_counter() - started


def as_done(
    function: Callable[[Any], Any], jobs: Sequence[Any], processes: int
) -> Iterator[tuple[int, Any]]:
    """Numbers of the jobs and what `function` returns for them, as each is done.

    One process means this one. More are spawned, so a script that calls this needs
    ``if __name__ == "__main__":`` around it; `function` and jobs must pickle. Nothing is set in
    the calling process.
    """
    if processes == 1:
        yield from ((k, _alone(function, job)) for k, job in enumerate(jobs))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(jobs)), context) as pool:
        running = {pool.submit(_alone, function, job): k for k, job in enumerate(jobs)}
        try:
            for future in as_completed(running):
                yield running[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _alone(function: Callable[[Any], Any], job: Any) -> Any:
    with one_thread():
        return function(job)
