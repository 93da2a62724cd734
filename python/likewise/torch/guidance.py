"""Guidance: training a network to represent its inputs as a frozen one does."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import nn

from likewise.errors import DegenerateWarning, LikewiseWarning, quiet, warn
from likewise.measure import Measure, measure
from likewise.torch._modules import (
    compared,
    evaluating,
    first_tensor,
    is_compiled,
    module_of,
    named_modules,
    padded_by,
    time_first,
)

__all__ = ["Guidance", "GuidanceStep", "even_layer_map"]

Several = Literal["all", "mean", "last"]

_NORMALIZING = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


class GuidanceStep(NamedTuple):
    """What one call of a :class:`Guidance` has measured."""

    step: int
    weight: float
    loss: float
    """``weight`` times the sum of the distances."""
    distances: dict[str, float]
    """By ``"guide layer -> target layer"``."""


def even_layer_map(guide: Sequence[str], target: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of layers at the same relative depth, one for every layer of the guide.

    Layer ``i`` of ``m`` goes with layer ``round(i (k - 1) / (m - 1))`` of ``k``; the only layer of
    a guide with the last one.

    Raises
    ------
    ValueError
        For a network without layers.
    """
    if not guide or not target:
        raise ValueError("even_layer_map: guide and target must have at least one layer each")
    last = len(target) - 1
    if len(guide) == 1:
        return [(guide[0], target[last])]
    step = last / (len(guide) - 1)
    return [(name, target[round(i * step)]) for i, name in enumerate(guide)]


class Guidance:
    """A loss that pulls layers of a network towards those of a frozen guide.

    ``loss = weight * sum over pairs of layers of distance(target layer, guide layer)``, with
    ``1 - CKA`` of the batch, feature maps and sequences flattened to ``(n, units)``. The target is
    not run a second time: its layers are seen during its own forward pass. ::

        with lw.torch.Guidance(guide, target) as guidance:
            for x, y in batches:
                loss = task(target(x), y) + guidance(x)  # x for the guide
                loss.backward()

    Parameters
    ----------
    guide
        Trained or randomly initialised. Runs in evaluation mode and without gradients; nothing of
        it is changed.
    target
        The network in training.
    layers
        ``"auto"``: outputs of convolutions, linear, recurrent, attention and layer normalisation
        modules and of adaptive pooling, in the order in which they are called, without the last one
        of each network, paired by :func:`even_layer_map`. Or a mapping of names of guide layers to
        one or several names of target layers.
    distance
        A differentiable measure or its name: distances as they are, similarities ``s`` up to 1 as
        ``1 - s``.
    weight
        A number, or a function of the step (from 0).
    until
        Steps of guidance; afterwards the loss is 0 and the guide is not run any more.
    several
        Where several layers of the guide meet one of the target: ``"all"`` adds every distance,
        ``"mean"`` averages them, ``"last"`` keeps the deepest guide layer alone (as the paper's
        code does).

    Attributes
    ----------
    pairs
        ``(guide layer, target layer)``; with ``"auto"`` known after the first call.
    log
        A :class:`GuidanceStep` per call with a weight other than 0.
    last
        The last of them; None if there is none yet.

    Warns
    -----
    LikewiseWarning
        For a distance that does not see scale and a target without normalisation: nothing then
        keeps activations from vanishing (they do: with CKA such targets stay at chance).
    DegenerateWarning
        For activations that are constant over a batch: their distance counts as the largest there
        is, without a gradient.

    References
    ----------
    Subramaniam et al., "Training the untrainable: introducing inductive bias via representational
    alignment", NeurIPS 2025.
    """

    def __init__(
        self,
        guide: nn.Module,
        target: nn.Module,
        layers: Literal["auto"] | Mapping[str, str | Sequence[str]] = "auto",
        *,
        distance: str | Measure = "cka",
        weight: float | Callable[[int], float] = 1.0,
        until: int | None = None,
        several: Several = "all",
    ) -> None:
        if several not in ("all", "mean", "last"):
            raise ValueError(
                f"Guidance: several must be one of ['all', 'mean', 'last'], got {several!r}"
            )
        self.distance: Any = measure(distance)
        self._worst = _largest_distance(self.distance)
        self.weight, self.until, self.several = weight, until, several
        self.guide, self.target = guide, target
        self.step = 0
        self.pairs: list[tuple[str, str]] | None = None
        if not isinstance(layers, str):
            self.pairs = _listed(layers)
        elif layers != "auto":
            raise ValueError(f"Guidance: layers must be 'auto' or a mapping, got {layers!r}")
        names: list[list[str] | None] = [None, None]
        if self.pairs is not None:
            names = [list(dict.fromkeys(side)) for side in zip(*self.pairs, strict=True)]
        self._of_guide = _Outputs("guide", guide, names[0])
        self._of_target = _Outputs("target", target, names[1])
        self._seen: list[tuple[int, float, torch.Tensor]] = []
        if "isotropic_scaling" in self.distance.invariances and not any(
            isinstance(module, _NORMALIZING) for module in target.modules()
        ):
            warn(
                f"Guidance: {self.distance.name} does not see the scale of activations and the "
                "target has no normalisation layers: guidance may shrink its outputs to nothing",
                LikewiseWarning,
            )

    def __call__(self, *inputs: Any, **keywords: Any) -> torch.Tensor:
        """The loss of the target's last forward pass; ``inputs`` go to the guide.

        Raises
        ------
        RuntimeError
            If the target was not run, with gradients, since the last call.
        ValueError
            For layers with different numbers of samples, or with positions of padded samples.
        """
        step, self.step = self.step, self.step + 1
        weight = self.weight(step) if callable(self.weight) else self.weight
        found = self._of_target.taken()
        if not found:
            compiled = is_compiled(self.target)
            raise RuntimeError(
                "Guidance: run the target on a batch, with gradients, before every call"
                + "; its compiled code may not know of the guidance: call torch._dynamo.reset() "
                "once after making the guidance, and it is compiled anew" * compiled
            )
        if weight == 0 or (self.until is not None and step >= self.until):
            return next(iter(found.values())).new_zeros(())
        mask = padded_by(keywords)
        with evaluating(self.guide), torch.no_grad():
            self.guide(*inputs, **keywords)
        guides = self._of_guide.taken()
        if self.pairs is None:
            # The last layers are outputs, which the task's loss knows about.
            self.pairs = even_layer_map(list(guides)[:-1], list(found)[:-1])
        for role, outputs, names in zip(
            ("guide", "target"), (guides, found), zip(*self.pairs, strict=True), strict=True
        ):
            for name in names:
                if name not in outputs:
                    raise ValueError(
                        f"Guidance: layer {name!r} of the {role} gave no floating-point output of "
                        "two or more axes in this forward pass"
                    )
                if mask is not None and outputs[name].ndim > 2:
                    raise ValueError(
                        f"Guidance: layer {name!r} of the {role} has positions that are padding "
                        f"({mask!r} has zeros), which would count like all others; give batches "
                        "of samples of one length, without padding"
                    )
        distances = self._distances(guides, found)
        self._seen.append((step, float(weight), distances.detach()))
        return weight * (self._shares().to(distances) * distances).sum()

    @property
    def log(self) -> list[GuidanceStep]:
        return [self._logged(seen) for seen in self._seen]

    @property
    def last(self) -> GuidanceStep | None:
        return self._logged(self._seen[-1]) if self._seen else None

    def _logged(self, seen: tuple[int, float, torch.Tensor]) -> GuidanceStep:
        step, weight, distances = seen
        values = distances.double().cpu()
        loss = weight * float((self._shares() * values).sum())
        names = [f"{guide} -> {target}" for guide, target in self.pairs or ()]
        return GuidanceStep(step, weight, loss, dict(zip(names, values.tolist(), strict=True)))

    def close(self) -> None:
        """Take all hooks off both networks."""
        self._of_guide.close()
        self._of_target.close()

    def __enter__(self) -> Guidance:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _distances(
        self, guides: dict[str, torch.Tensor], targets: dict[str, torch.Tensor]
    ) -> torch.Tensor:
        assert self.pairs is not None
        out = []
        for guide, target in self.pairs:
            x, y = targets[target], guides[guide]
            if len(x) != len(y):
                raise ValueError(
                    f"Guidance: layers must have the same number of samples, got {len(x)} of "
                    f"target layer {target!r} and {len(y)} of guide layer {guide!r}"
                )
            with quiet():  # few samples for many units are what there is, in every step
                score = self.distance(x.flatten(1), y.flatten(1).to(x.device))
            out.append(1 - score if self.distance.kind == "similarity" else score)
        undefined = [k for k, isnan in enumerate(torch.stack(out).isnan().tolist()) if isnan]
        if undefined:
            layers = ", ".join(" -> ".join(self.pairs[k]) for k in undefined)
            warn(
                f"Guidance: activations of {layers} are constant over this batch: their distance "
                f"counts as {self._worst:.3g}",
                DegenerateWarning,
            )
            for k in undefined:
                out[k] = torch.full_like(out[k].detach(), self._worst)
        return torch.stack(out)

    def _shares(self) -> torch.Tensor:
        """What every pair counts."""
        targets = [target for _, target in self.pairs or ()]
        if self.several == "all":
            return torch.ones(len(targets), dtype=torch.float64)
        if self.several == "mean":
            return torch.tensor([1 / targets.count(name) for name in targets], dtype=torch.float64)
        last = [name not in targets[k + 1 :] for k, name in enumerate(targets)]
        return torch.tensor(last, dtype=torch.float64)


class _Outputs:
    """Outputs of modules during the last forward pass of a network, in the order of their calls."""

    def __init__(self, role: str, network: nn.Module, names: Sequence[str] | None) -> None:
        if names is None:
            modules = named_modules(network)
            names = [name for name, module in modules.items() if compared(name, module)]
        self._role = role
        self._outputs: dict[str, list[torch.Tensor]] = {}
        chosen = {name: module_of("Guidance", role, network, name) for name in names}
        self._handles = [network.register_forward_pre_hook(self._begin)]
        self._handles += [m.register_forward_hook(self._keep(n)) for n, m in chosen.items()]

    def taken(self) -> dict[str, torch.Tensor]:
        """The outputs, samples first, and nothing left. A module that was called several times, as
        a recurrent cell is, gives a sequence."""
        outputs, self._outputs = self._outputs, {}
        return {
            name: calls[0] if len(calls) == 1 else torch.stack(calls, dim=1)
            for name, calls in outputs.items()
        }

    def close(self) -> None:
        for handle in self._handles:
            handle.remove()

    def _begin(self, module: nn.Module, inputs: Any) -> None:
        self._outputs = {}

    def _keep(self, name: str) -> Callable[..., None]:
        def keep(module: nn.Module, inputs: Any, output: Any) -> None:
            if self._role == "target" and not torch.is_grad_enabled():
                return
            tensor = first_tensor(output)
            if tensor is None or tensor.ndim < 2:
                return
            if time_first(module) and tensor.ndim == 3:
                tensor = tensor.transpose(0, 1)
            # A copy: modules that work in place write over it.
            self._outputs.setdefault(name, []).append(tensor.clone())

        return keep


def _listed(layers: Mapping[str, str | Sequence[str]]) -> list[tuple[str, str]]:
    pairs = [
        (guide, target)
        for guide, targets in layers.items()
        for target in ([targets] if isinstance(targets, str) else targets)
    ]
    if not pairs:
        raise ValueError("Guidance: layers must name at least one pair of layers, got none")
    return pairs


def _largest_distance(distance: Any) -> float:
    if not getattr(distance, "differentiable", False):
        raise ValueError(f"Guidance: distance must be a differentiable measure, got {distance}")
    low, high = distance.range
    if distance.kind == "similarity":
        if high != 1:
            raise ValueError(
                f"Guidance: a similarity must be at most 1 to make a distance, got {distance}"
            )
        return float(1 - max(low, 0))
    if not math.isfinite(high):
        raise ValueError(f"Guidance: distance must be bounded, got {distance}")
    return float(high)
