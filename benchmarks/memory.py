"""Child process of the memory benchmark: prints the most bytes in use above the inputs.

One thread, where LIKEWISE_NUM_THREADS says so.

`python -m benchmarks.memory likewise|cka '[count, n, widths]' float32|float64`
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from . import peers
from .data import Array, mixed_widths

STATUS = Path("/proc/self/status")


def resident(field: str) -> int:
    """Bytes of VmRSS (now) or VmHWM (the most since the last reset)."""
    for line in STATUS.read_text().splitlines():
        if line.startswith(field + ":"):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"{STATUS} has no {field}")


def call_of(module: str, items: Sequence[Array]) -> Callable[[], Any]:
    if module == "likewise":
        lw = peers.load("likewise")
        return partial(lw.pairwise, items, "cka", estimator="unbiased")
    torch = peers.load("torch")
    torch.set_num_threads(1)
    tensors = [torch.from_numpy(item) for item in items]
    return partial(peers.load("cka").cka_from_features, tensors, tensors)


def main() -> None:
    module, workload, dtype = sys.argv[1:]
    rng = np.random.default_rng(0)
    tiny = [rng.standard_normal((64, 16)).astype(dtype) for _ in range(2)]
    call_of(module, tiny)()  # loads the libraries and starts what they keep for ever
    count, n, widths = json.loads(workload)
    call = call_of(module, mixed_widths(count, n, widths, dtype))
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
    before = resident("VmRSS")
    call()
    print(resident("VmHWM") - before)


if __name__ == "__main__":
    main()
