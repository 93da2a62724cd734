"""What one thread of this machine can do: the denominators of `NOTES.md`.

`python -m benchmarks.peak`
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
from threadpoolctl import threadpool_limits


def seconds(call: Callable[[], object], rounds: int = 15) -> float:
    call()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return median(times)


def main() -> None:
    rng = np.random.default_rng(0)
    with threadpool_limits(limits=1):
        for dtype in (np.float64, np.float32):
            for n in (512, 1024, 2048):
                a = rng.standard_normal((n, n)).astype(dtype)
                rate = 2 * n**3 / seconds(lambda a=a: a @ a) / 1e9
                print(f"NumPy GEMM, {a.dtype}, n = {n}: {rate:.0f} GF/s")
        for count, n in ((20, 512), (6, 1024)):
            stack = rng.standard_normal((count, n, n))
            one = seconds(lambda s=stack: [m.max() for m in s]) / count
            print(f"numpy.max of float64 {n} x {n}, {count} in turn: {one * 1e6:.0f} us each")


if __name__ == "__main__":
    main()
