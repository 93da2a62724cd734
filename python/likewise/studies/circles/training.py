"""Modular addition: the network, its training, and many runs at once.

Label (a + b) mod p of all ordered pairs of tokens; a shared embedding, two hidden layers with
SiLU, cross-entropy on the whole training set at every step, AdamW with weight decay on everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from likewise.studies.circles.settings import Settings
from likewise.studies.circles.signals import Floats, fourier_signals
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
    settings: Settings
    """With the sizes of the network and how it is trained."""
    checkpoints: tuple[int, ...] = ()
    """Steps whose weights are kept whole."""


@dataclass(frozen=True)
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
    checkpoints: dict[int, Weights]


Weights = dict[str, Floats]
"""`embedding` (p, d), `weight1` (hidden, 2 d), `bias1`, `weight2`, `bias2`, `weight3`, `bias3`."""


def initial_weights(job: Job) -> Weights:
    """The job's embedding and uniform weights and biases within ± 1 / sqrt(inputs).

    That is what PyTorch draws for linear layers.
    """
    generator = np.random.default_rng(job.seed)
    p, dimension = job.embedding.shape
    sizes = (2 * dimension, job.settings.hidden, job.settings.hidden, p)
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
    held_out[order[: round(job.settings.train_share * p * p)]] = False
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
    rate, decay = job.settings.learning_rate, job.settings.weight_decay
    optimiser = torch.optim.AdamW(parameters.values(), lr=rate, weight_decay=decay, fused=True)
    held_out = held_out_pairs(job)
    labels = torch.from_numpy(sums(len(held_out)).ravel())
    test = torch.from_numpy(held_out.ravel())
    train_labels = labels.masked_fill(test, _IGNORED)
    test_rows = test.nonzero()[:, 0]
    embedding = parameters["embedding"]
    tested_steps = sorted({*range(0, job.steps + 1, _TEST_EVERY), job.steps})
    losses: list[float] = []
    tests: list[tuple[float, float]] = []
    checkpoints: dict[int, Weights] = {}
    # One transform of many embeddings is faster than many of one.
    signals: list[Floats] = []
    block: list[NDArray[np.float32]] = []
    for step in range(job.steps + 1):
        outputs = logits(parameters)
        loss = functional.cross_entropy(outputs, train_labels, ignore_index=_IGNORED)
        losses.append(loss.item())
        if step == tested_steps[len(tests)]:
            tested, answers = outputs.detach()[test_rows], labels[test_rows]
            hits = (tested.argmax(dim=1) == answers).double().mean()
            tests.append((functional.cross_entropy(tested, answers).item(), hits.item()))
        block.append(embedding.detach().numpy().copy())
        if len(block) == _BLOCK or step == job.steps:
            signals.append(fourier_signals(np.stack(block)))
            block.clear()
        if step in job.checkpoints:
            checkpoints[step] = {
                name: values.detach().double().numpy() for name, values in parameters.items()
            }
        if step < job.steps:
            descend(optimiser, loss)
    test_loss, test_accuracy = np.array(tests).T
    return Run(
        job.label,
        signals=np.concatenate(signals),
        train_loss=np.array(losses),
        tested_steps=np.array(tested_steps),
        test_loss=test_loss,
        test_accuracy=test_accuracy,
        initial=job.embedding,
        embedding=embedding.detach().double().numpy(),
        test_pairs=held_out,
        checkpoints=checkpoints,
    )


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
