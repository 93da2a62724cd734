"""Modular addition: the network, its training, and many runs at once.

Label (a + b) mod p of all ordered pairs of tokens; a shared embedding, two hidden layers with
SiLU, cross-entropy on the whole training set at every step, AdamW with weight decay on everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from likewise.studies.circles.signals import Floats, spectrum
from likewise.studies.processes import as_done, cores
from likewise.studies.training import descend

Label = tuple[str | int | float, ...]
"""The experiment, and what tells its runs apart."""

_BLOCK = 128
_TEST_EVERY = 10
_IGNORED = -100


@dataclass(frozen=True)
class Job:
    """One run, complete in itself: an initial embedding, a seed for the rest, and sizes."""

    label: Label
    embedding: Floats
    """(p, d), where training starts."""
    seed: tuple[int, ...]
    """Draws the other weights and the split of the pairs."""
    steps: int
    hidden: int = 100
    train_share: float = 0.8
    learning_rate: float = 0.01
    weight_decay: float = 0.5
    checkpoints: tuple[int, ...] = ()
    """Steps whose weights are kept whole."""


@dataclass
class Run:
    """What a run leaves; row t of `signals` and `train_loss` is from the weights after t steps."""

    label: Label
    signals: Floats
    """(steps + 1, (p - 1) // 2)."""
    train_loss: Floats
    tested_steps: NDArray[np.int64]
    """The steps of `test_loss` and `test_accuracy`: every tenth, and the last."""
    test_loss: Floats
    test_accuracy: Floats
    initial: Floats
    """The first embedding, (p, d)."""
    embedding: Floats
    """The last one."""
    test_pairs: NDArray[np.bool_]
    """(p, p), True for pairs that were held out."""
    checkpoints: dict[int, Weights] = field(default_factory=dict)


Weights = dict[str, Floats]
"""`embedding` (p, d), `weight1` (hidden, 2 d), `bias1`, `weight2`, `bias2`, `weight3`, `bias3`."""


def initial_weights(job: Job) -> Weights:
    """The job's embedding and uniform weights and biases within ± 1 / sqrt(inputs).

    That is what PyTorch draws for linear layers.
    """
    generator = np.random.default_rng(job.seed)
    p, dimension = job.embedding.shape
    sizes = (2 * dimension, job.hidden, job.hidden, p)
    weights: Weights = {"embedding": job.embedding}
    for layer, (inputs, outputs) in enumerate(pairwise(sizes), 1):
        bound = inputs**-0.5
        weights[f"weight{layer}"] = generator.uniform(-bound, bound, (outputs, inputs))
        weights[f"bias{layer}"] = generator.uniform(-bound, bound, outputs)
    return weights


def held_out_pairs(job: Job) -> NDArray[np.bool_]:
    """(p, p): True for the ordered pairs that are not trained on."""
    p = len(job.embedding)
    order = np.random.default_rng((*job.seed, 1)).permutation(p * p)
    held_out = np.ones(p * p, dtype=bool)
    held_out[order[: round(job.train_share * p * p)]] = False
    return held_out.reshape(p, p)


def sums(p: int) -> NDArray[np.int64]:
    """(p, p) labels (a + b) mod p."""
    tokens = np.arange(p)
    return np.asarray((tokens[:, None] + tokens) % p)


def logits(weights: dict[str, torch.Tensor]) -> torch.Tensor:
    """Outputs (p², p) for all ordered pairs, b running fastest.

    The first layer sees [E_a, E_b], and W [E_a, E_b] = W_left E_a + W_right E_b: 2 p products
    instead of p².
    """
    embedding = weights["embedding"]
    left, right = weights["weight1"].chunk(2, dim=1)
    first = functional.linear(embedding, left, weights["bias1"])
    hidden = functional.silu((first[:, None] + functional.linear(embedding, right)).flatten(0, 1))
    hidden = functional.silu(functional.linear(hidden, weights["weight2"], weights["bias2"]))
    return functional.linear(hidden, weights["weight3"], weights["bias3"])


def mean_loss(weights: Weights, pairs: NDArray[np.bool_]) -> float:
    """Mean cross-entropy of these weights over the chosen pairs, in float64."""
    tensors = {name: torch.from_numpy(np.asarray(w, np.float64)) for name, w in weights.items()}
    chosen = torch.from_numpy(pairs.ravel())
    labels = torch.from_numpy(sums(len(pairs)).ravel())
    with torch.no_grad():
        return float(functional.cross_entropy(logits(tensors)[chosen], labels[chosen]))


def train(job: Job) -> Run:
    """Train one network in float32; the signals come from copies of every embedding, in float64.

    The training and the held-out loss of step t are those of the weights after t steps.
    """
    parameters = {
        name: torch.tensor(values, dtype=torch.float32, requires_grad=True)
        for name, values in initial_weights(job).items()
    }
    optimiser = torch.optim.AdamW(
        parameters.values(), lr=job.learning_rate, weight_decay=job.weight_decay, fused=True
    )
    held_out = held_out_pairs(job)
    p = len(held_out)
    labels = torch.from_numpy(sums(p).ravel())
    test = torch.from_numpy(held_out.ravel())
    train_labels = labels.masked_fill(test, _IGNORED)
    test_rows = test.nonzero()[:, 0]
    embedding = parameters["embedding"]
    recorder = _Recorder(job, tuple(embedding.shape))
    run = recorder.run
    run.test_pairs = held_out
    tested_steps = {int(step): row for row, step in enumerate(run.tested_steps)}
    for step in range(job.steps + 1):
        outputs = logits(parameters)
        loss = functional.cross_entropy(outputs, train_labels, ignore_index=_IGNORED)
        run.train_loss[step] = loss.item()
        if step in tested_steps:
            row = tested_steps[step]
            tested = outputs.detach()[test_rows]
            run.test_loss[row] = functional.cross_entropy(tested, labels[test_rows]).item()
            hits = tested.argmax(dim=1) == labels[test_rows]
            run.test_accuracy[row] = hits.double().mean().item()
        recorder.snapshot(step, embedding.detach().numpy())
        if step in job.checkpoints:
            run.checkpoints[step] = {
                name: values.detach().double().numpy() for name, values in parameters.items()
            }
        if step < job.steps:
            descend(optimiser, loss)
    run.embedding = embedding.detach().double().numpy()
    return run


class _Recorder:
    """Gathers snapshots into blocks, since one transform of many is faster than many of one."""

    def __init__(self, job: Job, shape: tuple[int, ...]) -> None:
        rows = job.steps + 1
        half = (shape[0] - 1) // 2
        tested = np.unique([*range(0, rows, _TEST_EVERY), job.steps])
        self.run = Run(
            job.label,
            signals=np.empty((rows, half)),
            train_loss=np.empty(rows),
            tested_steps=tested,
            test_loss=np.empty(len(tested)),
            test_accuracy=np.empty(len(tested)),
            initial=job.embedding,
            embedding=np.empty(shape),
            test_pairs=np.empty((0, 0), dtype=bool),
        )
        self._last = job.steps
        self._block = np.empty((_BLOCK, *shape), dtype=np.float32)

    def snapshot(self, step: int, embedding: NDArray[np.float32]) -> None:
        """Copies the embedding, which the optimiser changes in place."""
        place = step % _BLOCK
        self._block[place] = embedding
        if place == _BLOCK - 1 or step == self._last:
            rows = slice(step - place, step + 1)
            half = self.run.signals.shape[1]
            self.run.signals[rows] = spectrum(self._block[: place + 1])[:, 1 : half + 1]


def train_all(jobs: Sequence[Job], workers: int | None = None) -> Iterator[Run]:
    """Train all jobs, one single-threaded process on each core; yields runs as they end.

    The processes are spawned, so a script that calls this needs `if __name__ == "__main__":`
    around it. Nothing is set in the calling process, and results do not depend on `workers`.

    Parameters
    ----------
    workers
        Number of processes; as many as there are cores for this process if not given.
    """
    for _, run in as_done(train, jobs, workers or cores()):
        yield run
