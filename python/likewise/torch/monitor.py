"""What happens to the representations of a network while it trains."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import nn

from likewise._border.arrays import Array
from likewise.errors import quiet
from likewise.measure import Measure, measure
from likewise.scale.store import Store
from likewise.torch._modules import compared, flat_copy
from likewise.torch._reducing import How
from likewise.torch.collapse import classifier_of, collapse_before
from likewise.torch.guidance import Guidance, even_layer_map
from likewise.torch.recording import Layers, record

__all__ = ["Monitor"]

Samples: TypeAlias = "torch.Tensor | Mapping[str, torch.Tensor]"


class Monitor:
    """Follows a network through its training, for ``likewise watch`` and for later. ::

        monitor = lw.torch.Monitor(model, (images, labels), "run.zarr", classifier="fc")
        for x, y in batches:
            loss = train_on(x, y)
            monitor(loss=loss)

    When it is made (step 0) and after every ``every`` calls, the network runs on the probe in
    evaluation mode and without gradients, and one row goes into the store: for every layer its
    alignment with itself when the monitor was made and at the look before, and with the reference
    network; neural collapse; the distances that guidance has measured; the numbers that the call
    was given. NaN where a score is not defined, as that of a layer that has become constant.
    Afterwards modes and hooks are what they were.

    Parameters
    ----------
    model
        The network in training.
    probe
        Samples, or ``(samples, labels)``: a tensor, or a mapping of tensors, keyword arguments of
        the model. It stays the same; some hundred held-out samples tell most of what there is.
    store
        A :class:`~likewise.scale.Store`, or the path of one, which is made if there is nothing.
    every
        Calls from one look to the next.
    measures
        Names of measures, or measures.
    reference
        A network to be compared with, as it is now. Layers of the same names go together; if the
        names differ, those at the same relative depth (:func:`even_layer_map`).
    layers
        As for :func:`record`; by default what :class:`Guidance` takes: convolutions, linear,
        recurrent, attention and layer normalisation modules and adaptive pooling.
    reduce
        What becomes of feature maps and sequences, as for :func:`record`.
    classifier
        Name of the last layer, for neural collapse of what it takes, on the labelled probe:
        :func:`likewise.neural_collapse`.
    guidance
        The :class:`Guidance` of the training, for its distances.
    name
        Name of the training in the store.

    Attributes
    ----------
    history
        The :class:`~likewise.scale.History` that it writes.
    looks, seconds
        How often it has looked, and the time that took.

    Raises
    ------
    ValueError
        For a probe that does not fit the rest, a name that the store has already, and what
        :func:`record` and :func:`likewise.neural_collapse` refuse.
    """

    def __init__(
        self,
        model: nn.Module,
        probe: Samples | tuple[Samples, torch.Tensor],
        store: Store | str | Path,
        *,
        every: int = 500,
        measures: Iterable[str | Measure] = ("cka",),
        reference: nn.Module | None = None,
        layers: Layers = compared,
        reduce: How = "mean",
        classifier: str | None = None,
        guidance: Guidance | None = None,
        name: str = "training",
    ) -> None:
        if every < 1:
            raise ValueError(f"Monitor: every must be at least 1, got {every}")
        self.model, self.every, self.guidance = model, every, guidance
        self._inputs, self._labels = probe if isinstance(probe, (tuple, list)) else (probe, None)
        self._measures = {_titled(one): one for one in map(measure, measures)}
        if not self._measures:
            raise ValueError("Monitor: measures must name at least one measure, got none")
        self._layers, self._reduce = layers, reduce
        self._classifier: Any = None
        if classifier is not None:
            if self._labels is None:
                raise ValueError("Monitor: classifier needs a probe of (samples, labels)")
            self._classifier = classifier_of("Monitor", model, classifier)
        self._samples = _count(self._inputs)
        if self._samples < 2:
            raise ValueError(f"Monitor: probe must have 2 samples or more, got {self._samples}")
        if self._labels is not None and len(self._labels) != self._samples:
            raise ValueError(
                "Monitor: probe must have as many labels as samples, got "
                f"{len(self._labels)} and {self._samples}"
            )
        self._started = began = time.perf_counter()
        now, features = self._seen()
        self._first = self._before = now
        self._reference: dict[str, Array] = {}
        if reference is not None:
            self._reference = _paired(self._recorded(reference), list(self._first))
        if not isinstance(store, Store):
            store = Store.open(store, "a") if Path(store).exists() else Store.create(store)
        self.history = store.new_history(name, self._notes())
        self.calls = self.looks = 0
        self.seconds = 0.0
        self._write(now, features, {}, began)

    def __call__(self, **numbers: float | torch.Tensor) -> None:
        """Call it once after every step, with what should be kept beside: loss, accuracy, ...

        Numbers of calls that do not look are not kept.
        """
        self.calls += 1
        if self.calls % self.every == 0:
            self.look(**numbers)

    def look(self, **numbers: float | torch.Tensor) -> None:
        """Look now, as after the last step."""
        began = time.perf_counter()
        self._write(*self._seen(), numbers, began)

    def _seen(self) -> tuple[dict[str, Array], list[Any]]:
        """Representations of the probe, and what the classifier takes."""
        with _inputs_of(self._classifier) as features:
            return self._recorded(self.model), features

    def _write(
        self,
        now: dict[str, Array],
        features: list[Any],
        numbers: Mapping[str, float | torch.Tensor],
        began: float,
    ) -> None:
        row = {"step": float(self.calls)}
        for name, value in numbers.items():
            value = value.detach() if isinstance(value, torch.Tensor) else value
            row[f"numbers/{name}"] = float(value)
        with quiet(self.looks > 0):  # what is wrong with the probe is said once
            row |= self._alignments(now)
            if self._labels is not None and self._classifier is not None:
                found = collapse_before(self._classifier, features[-1], self._labels.cpu())
                row |= {f"collapse/{name}": value for name, value in found._asdict().items()}
        if self.guidance is not None and self.guidance.last is not None:
            distances = self.guidance.last.distances
            row |= {f"guidance/{pair}": value for pair, value in distances.items()}
        self._before = now
        self.looks += 1
        spent = self.seconds + time.perf_counter() - began
        row |= {"time/training": time.perf_counter() - self._started, "time/monitor": spent}
        self.history.append(row)
        self.seconds += time.perf_counter() - began

    @property
    def overhead(self) -> float:
        """Share of the time since it was made that the monitor took."""
        return self.seconds / (time.perf_counter() - self._started)

    def _alignments(self, now: Mapping[str, Array]) -> dict[str, float]:
        against = {"start": self._first, "reference": self._reference}
        if self.looks:
            against["before"] = self._before
        return {
            f"{kind} {title}/{layer}": float(one(now[layer], other))
            for title, one in self._measures.items()
            for kind, others in against.items()
            for layer, other in others.items()
        }

    def _recorded(self, network: nn.Module) -> dict[str, Array]:
        """Representations of the probe by name of layer."""
        inputs = _on(next(network.parameters()).device, self._inputs)
        recording: Any = record(network, inputs, self._layers, reduce=self._reduce)
        return dict(zip(recording.layers, recording.values(), strict=True))

    def _notes(self) -> dict[str, Any]:
        """What a reader must know of the columns."""
        return {
            "model": type(self.model).__name__,
            "samples": self._samples,
            "reduce": self._reduce,
            "every": self.every,
            "measures": {
                title: {"kind": one.kind, "range": [_finite(end) for end in one.range]}
                for title, one in self._measures.items()
            },
        }


def _count(samples: Samples) -> int:
    tensors = list(samples.values()) if isinstance(samples, Mapping) else [samples]
    if not tensors or not all(isinstance(one, torch.Tensor) and one.ndim for one in tensors):
        kinds = ", ".join(type(one).__name__ for one in tensors) or "nothing"
        raise ValueError(f"Monitor: probe must be a tensor or a mapping of tensors, got {kinds}")
    counts = sorted({len(one) for one in tensors})
    if len(counts) > 1:
        got = " and ".join(map(str, counts))
        raise ValueError(f"Monitor: probe must have as many samples in every tensor, got {got}")
    return counts[0]


def _on(device: torch.device, samples: Samples) -> Samples:
    if isinstance(samples, Mapping):
        return {name: tensor.to(device) for name, tensor in samples.items()}
    return samples.to(device)


@contextmanager
def _inputs_of(module: nn.Module | None) -> Iterator[list[Any]]:
    """A list that every call of the module adds its input to, flattened, on the CPU."""
    kept: list[Any] = []
    if module is None:
        yield kept
        return
    hook = module.register_forward_pre_hook(
        lambda module, inputs: kept.append(flat_copy(inputs[0]))
    )
    try:
        yield kept
    finally:
        hook.remove()


def _titled(one: Any) -> str:
    """Name of a measure and the options that are not its defaults."""
    options = [
        f"{option.name}={getattr(one, option.name)!r}"
        for option in fields(one)
        if option.default is MISSING or getattr(one, option.name) != option.default
    ]
    return f"{one.name}({', '.join(options)})" if options else str(one.name)


def _finite(end: float) -> float | None:
    return end if math.isfinite(end) else None


def _paired(reference: Mapping[str, Array], layers: list[str]) -> dict[str, Array]:
    """What each layer is compared with."""
    if set(reference) == set(layers):
        return {layer: reference[layer] for layer in layers}
    return {own: reference[other] for own, other in even_layer_map(layers, list(reference))}
