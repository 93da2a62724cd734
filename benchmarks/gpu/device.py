"""Where measurements and checks run: a GPU's tensors, or the simulator of the tests."""

from __future__ import annotations

import json
import multiprocessing
import statistics
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Line = dict[str, Any]


class TorchDevice:
    """Arrays of torch on the current CUDA device."""

    tiny = False

    def __init__(self) -> None:
        import torch

        self.torch = torch
        torch.backends.cuda.matmul.allow_tf32 = False

    def put(self, array: Array) -> Any:
        return self.torch.from_numpy(array).cuda()

    def get(self, array: Any) -> Array:
        return np.asarray(array.cpu().numpy())

    def first(self, count: int, array: Any) -> Array:
        """The first items of a batch, on the host."""
        return self.get(array[:count])

    def normal(self, seed: int, *shape: int, dtype: str = "float32") -> Any:
        self.torch.manual_seed(seed)
        return self.torch.randn(*shape, dtype=getattr(self.torch, dtype), device="cuda")

    def seconds(self, run: Callable[[], Any], rounds: int = 5) -> float:
        """Median by CUDA events, after one call that is not counted."""
        events = [self.torch.cuda.Event(enable_timing=True) for _ in range(2)]
        times = []
        run()
        for _ in range(rounds):
            events[0].record()
            run()
            events[1].record()
            self.torch.cuda.synchronize()
            times.append(events[0].elapsed_time(events[1]) / 1e3)
        return statistics.median(times)

    def kernels(self, run: Callable[[], Any], most: int = 5) -> dict[str, float]:
        """Seconds in those kernels that take longest."""
        from torch.profiler import ProfilerActivity, profile

        with profile(activities=[ProfilerActivity.CUDA]) as found:
            run()
            self.torch.cuda.synchronize()
        times = {event.key: event.self_device_time_total / 1e6 for event in found.key_averages()}
        longest = sorted(times, key=lambda key: -times[key])[:most]
        return {key[:120]: times[key] for key in longest}


class Simulator:
    """Stands for a device where there is none: its times mean nothing."""

    tiny = True

    def __init__(self, module: str) -> None:
        sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
        import simulated

        simulated.load(module)
        self.put, self.get = simulated.array, simulated.numpy

    def first(self, count: int, array: Any) -> Array:
        return np.asarray(self.get(array)[:count])

    def normal(self, seed: int, *shape: int, dtype: str = "float32") -> Any:
        values = np.random.default_rng(seed).standard_normal(shape)
        return self.put(values.astype(dtype))

    def seconds(self, run: Callable[[], Any], rounds: int = 1) -> float:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    def kernels(self, run: Callable[[], Any]) -> dict[str, float]:
        return {}


def plain(function: Any) -> Any:
    """Without what the simulator puts around it."""
    return getattr(function, "__wrapped__", function)


def run_apart(cases: Mapping[str, Callable[[], Any]], limit: float, filter_text: str = "") -> bool:
    """Every case in a process of its own, as one line of JSON as soon as it has ended.

    What crashes, spoils the device's context or runs longer than ``limit`` ends alone. Returns
    whether all were good.
    """
    forked = multiprocessing.get_context("fork")
    good = True
    for name, case in cases.items():
        if filter_text not in name:
            continue
        ours, theirs = forked.Pipe(duplex=False)
        process = forked.Process(target=_send, args=(theirs, case))
        start = time.perf_counter()
        process.start()
        theirs.close()
        line: Line = {"case": name}
        try:
            line |= ours.recv() if ours.poll(limit) else {"failed": f"runs longer than {limit} s"}
        except EOFError:
            process.join()
            line["failed"] = f"ended with {process.exitcode}"
        process.kill()
        process.join()
        good = good and "failed" not in line
        print(json.dumps(line | {"in all": round(time.perf_counter() - start, 2)}), flush=True)
    return good


def _send(to: Any, case: Callable[[], Any]) -> None:
    try:
        to.send(case())
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        to.send({"failed": f"{type(error).__name__}: {error} ({where.name}:{where.lineno})"})
