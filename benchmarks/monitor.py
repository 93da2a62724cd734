"""What a monitor costs: a network of the convergence study, trained with it and without.

Default settings of both, neural collapse of the labelled probe included; one thread. Contestants
take turns; the networks must come out equal.

`python -m benchmarks.monitor [epochs] [rounds]`
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch
from torch import nn

import likewise as lw
from likewise.studies.convergence.settings import Settings
from likewise.studies.convergence.shifts import varied
from likewise.studies.convergence.training import Convolutional
from likewise.studies.digits import digits
from likewise.studies.processes import one_thread
from likewise.studies.training import descend

GOAL = 0.05


def trained(epochs: int, store: Path | None) -> tuple[nn.Module, float, float]:
    """A network, the seconds that took, and the share that the monitor says it took."""
    settings = Settings()
    training, probe = digits(0)
    torch.manual_seed(0)
    model = Convolutional(settings.widths[-1])
    optimizer = torch.optim.Adam(model.parameters(), settings.learning_rate, fused=True)
    generator = torch.Generator().manual_seed(0)
    monitor = None
    if store is not None:
        monitor = lw.torch.Monitor(model, (probe.images, probe.labels), store, classifier="logits")
    started = time.perf_counter()
    for _ in range(epochs * settings.epoch_steps):
        rows = torch.randint(len(training.images), (settings.batch_size,), generator=generator)
        inputs = varied(training.images[rows], generator)
        loss = nn.functional.cross_entropy(model(inputs), training.labels[rows])
        descend(optimizer, loss)
        if monitor is not None:
            monitor(loss=loss)
    seconds = time.perf_counter() - started
    return model, seconds, monitor.overhead if monitor is not None else 0.0


def main() -> None:
    epochs, rounds = (int(a) for a in (sys.argv[1:] + ["5", "5"][len(sys.argv) - 1 :]))
    shares = []
    with one_thread(), tempfile.TemporaryDirectory() as folder:
        trained(1, Path(folder, "first.zarr"))  # loads what is loaded once
        for k in range(rounds):
            alone, without, _ = trained(epochs, None)
            beside, watched, said = trained(epochs, Path(folder, f"{k}.zarr"))
            for a, b in zip(alone.parameters(), beside.parameters(), strict=True):
                assert torch.equal(a, b)
            shares.append(watched / without - 1)
            print(
                f"alone {without:.2f} s, watched {watched:.2f} s: {100 * shares[-1]:.1f} % more; "
                f"the monitor says {100 * said:.1f} %"
            )
    print(f"median {100 * median(shares):.1f} % (goal {100 * GOAL:.0f} %) over {epochs} epochs")


if __name__ == "__main__":
    main()
