"""How collapsed a network is, asked during its training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from likewise.collapse import NeuralCollapse, neural_collapse
from likewise.torch._modules import evaluating, flat_copy, module_of

__all__ = ["CollapseMonitor"]


class CollapseMonitor:
    """Neural collapse NC1 to NC4 of a network, whenever it is called. ::

        monitor = lw.torch.CollapseMonitor(model, loader, classifier="fc")
        for epoch in range(epochs):
            train_one_epoch()
            monitor(epoch)
        monitor.history[-1]  # (epoch, NeuralCollapse(nc1=..., nc2_norms=..., ...))

    A call runs the network on the probe in evaluation mode and without gradients. Afterwards modes,
    hooks, gradients and the random state of the CPU are what they were, also after an error.

    Parameters
    ----------
    model
        A network that takes one tensor.
    probe
        Batches of ``(inputs, labels)`` that can be run through again and again: a ``DataLoader`` or
        a list. The paper looks at the training set. The features of all samples are held at once.
    classifier
        Name of the last layer, a module with ``weight (C, d)`` and ``bias (C,)`` or None; labels
        are rows of it, and every class must occur.
    layer
        Name of the module whose output is looked at; by default what the classifier takes. Without
        the classifier's d units NC3 and NC4 are NaN.

    Attributes
    ----------
    history
        ``(step, NeuralCollapse)`` of every call.

    Raises
    ------
    ValueError
        For names that the network does not have and, when called, what :func:`neural_collapse`
        refuses.

    References
    ----------
    Papyan, Han & Donoho, "Prevalence of neural collapse during the terminal phase of deep learning
    training", PNAS 2020.
    """

    def __init__(
        self,
        model: nn.Module,
        probe: Iterable[tuple[torch.Tensor, torch.Tensor]],
        classifier: str,
        layer: str | None = None,
    ) -> None:
        self.model, self.probe = model, probe
        self.classifier, self.layer = classifier, layer
        if layer is not None:
            _layer(model, layer)
        classifier_of("CollapseMonitor", model, classifier)
        self.history: list[tuple[int, NeuralCollapse]] = []

    def __call__(self, step: int | None = None) -> NeuralCollapse:
        """Neural collapse now; ``step`` goes into the history, by default the call's number."""
        found = collapse_before(_layer(self.model, self.classifier), *self._features())
        self.history.append((len(self.history) if step is None else step, found))
        return found

    def _features(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The layer's output for the whole probe ``(n, d)``, and the labels."""
        kept: list[torch.Tensor | None] = []
        features: list[torch.Tensor] = []
        labels: list[torch.Tensor] = []
        if self.layer is None:
            hook = _layer(self.model, self.classifier).register_forward_pre_hook(
                lambda module, inputs: kept.append(flat_copy(inputs[0]))
            )
        else:
            hook = _layer(self.model, self.layer).register_forward_hook(
                lambda module, inputs, output: kept.append(flat_copy(output))
            )
        parameter = next(self.model.parameters())
        # A loader that begins draws from the random state even if it does not shuffle.
        with torch.random.fork_rng(devices=[]), evaluating(self.model), torch.no_grad():
            try:
                for inputs, of_batch in self.probe:
                    self.model(inputs.to(parameter.device))
                    found = kept[0] if len(kept) == 1 else None
                    if found is None:
                        raise ValueError(
                            f"CollapseMonitor: layer {self.layer or self.classifier!r} must see "
                            f"one tensor in a forward pass, got {len(kept)} calls"
                        )
                    kept.clear()
                    features.append(found)
                    labels.append(of_batch.cpu())
            finally:
                hook.remove()
        if not features:
            raise ValueError("CollapseMonitor: the probe gave no batches; a generator runs once")
        return torch.cat(features), torch.cat(labels)


def classifier_of(function: str, model: nn.Module, name: str) -> Any:
    """The module of that name, which must have a weight of two axes."""
    module = module_of(function, "network", model, name)
    weight = getattr(module, "weight", None)
    if not isinstance(weight, torch.Tensor) or weight.ndim != 2:
        raise ValueError(f"{function}: classifier {name!r} must have a weight of two axes")
    return module


def collapse_before(
    classifier: Any, features: torch.Tensor, labels: torch.Tensor
) -> NeuralCollapse:
    """Of features on the CPU; with NC3 and NC4 if they are as wide as what the classifier takes."""
    weight, bias = classifier.weight, getattr(classifier, "bias", None)
    last = features.shape[1] == weight.shape[1]
    return neural_collapse(
        features,
        labels,
        weight.detach().cpu() if last else None,
        bias.detach().cpu() if last and bias is not None else None,
    )


def _layer(model: nn.Module, name: str) -> Any:
    return module_of("CollapseMonitor", "network", model, name)
