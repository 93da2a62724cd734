"""The networks that are compared: the study's own, or any user's."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import nn

__all__ = ["Networks", "load", "weighted"]

Probe: TypeAlias = "torch.Tensor | Mapping[str, torch.Tensor]"
Layers = str | Sequence[str] | Callable[[str, nn.Module], bool]


def weighted(name: str, module: nn.Module) -> bool:
    """Convolutions and linear layers, as they come out: before normalisation and nonlinearity."""
    return isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear))


@dataclass(frozen=True)
class Networks:
    """Networks of any kind and what they are probed with; what a user's factory returns."""

    models: Mapping[str, nn.Module | Sequence[nn.Module]]
    """Two or more by name: each a module, or the checkpoints of its training, the untrained network
    first, as many for every network."""
    probe: Probe
    """Samples along the first axis, the same for all networks: images (n, c, h, w), vectors (n, d),
    or whatever the models take; a mapping gives them as keyword arguments. They should not have
    been trained on them."""
    layers: Layers = weighted
    """Names, patterns or a function, as :func:`likewise.torch.record` takes them."""
    labels: torch.Tensor | None = None
    """Classes of the samples, (n,); with them accuracies are reported."""
    checkpoints: Sequence[int | str] = ()
    """Names of the checkpoints, steps for example; their numbers if not given."""
    first_epoch: int | None = None
    """Which of the checkpoints is the end of the first epoch, counted from 0."""

    def __post_init__(self) -> None:
        _require(isinstance(self.models, Mapping), "models must be a mapping", self.models)
        _require(len(self.models) > 1, "models must be two or more", len(self.models))
        for name, model in self.models.items():
            ok = isinstance(model, nn.Module) or (
                isinstance(model, Sequence)
                and len(model) > 0
                and all(isinstance(one, nn.Module) for one in model)
            )
            _require(ok, f"models must be torch modules or sequences of them, {name!r} is", model)
        counts = {name: len(self.states(name)) for name in self.models}
        _require(len(set(counts.values())) == 1, "models must have as many checkpoints", counts)
        self._check_probe()
        count = next(iter(counts.values()))
        names = len(self.checkpoints)
        _require(names in (0, count), f"checkpoints must name all {count}", names)
        last = self.first_epoch
        ok = last is None or 0 < last < count
        _require(ok, f"first_epoch must be one of the {count} checkpoints after the first", last)

    def _check_probe(self) -> None:
        tensors = list(self.probe.values()) if isinstance(self.probe, Mapping) else [self.probe]
        ok = bool(tensors) and all(isinstance(one, torch.Tensor) for one in tensors)
        _require(ok, "probe must be a tensor or a mapping of tensors", self.probe)
        if self.labels is not None:
            shape = tuple(self.labels.shape)
            _require(shape == (self.samples,), f"labels must have shape ({self.samples},)", shape)

    @property
    def samples(self) -> int:
        """How many there are in the probe."""
        probe = self.probe
        return len(next(iter(probe.values())) if isinstance(probe, Mapping) else probe)

    def states(self, name: str) -> list[nn.Module]:
        """The checkpoints of a model; itself alone where there are none."""
        model = self.models[name]
        return [model] if isinstance(model, nn.Module) else list(model)

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the checkpoints."""
        count = len(self.states(next(iter(self.models))))
        return tuple(str(step) for step in self.checkpoints or range(count))


def load(source: str) -> Networks:
    """What a function of a Python file returns, from ``"FILE.py:function"``.

    Raises
    ------
    ValueError
        For a file or function that is not there, or another result than `Networks`.
    """
    file, _, function = source.rpartition(":")
    path = Path(file)
    if not file or not function.isidentifier():
        raise ValueError(f"--models must be FILE.py:function, got {source!r}")
    if path.suffix != ".py" or not path.is_file():
        raise ValueError(f"--models must name a Python file, there is none at {file!r}")
    made = getattr(_module(path), function, None)
    if not callable(made):
        raise ValueError(f"--models must name a function of {file}, it has no {function!r}")
    networks = made()
    if not isinstance(networks, Networks):
        raise ValueError(
            f"--models: {function} must return a likewise.studies.convergence.Networks, got "
            f"{type(networks).__name__}"
        )
    return networks


def _module(path: Path) -> Any:
    """The file as a module; what lies beside it can be imported, as if the file were run."""
    spec = importlib.util.spec_from_file_location(f"likewise_models_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module


def _require(ok: bool, requirement: str, got: Any) -> None:
    if not ok:
        shown = got if isinstance(got, (int, str, tuple, dict)) else type(got).__name__
        raise ValueError(f"Networks: {requirement}, got {shown}")
