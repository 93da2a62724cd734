"""Recording what the layers of a network represent."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from likewise._border.arrays import Array
from likewise.reduce import reduce as reduced
from likewise.scale.store import Store
from likewise.torch._modules import (
    evaluating,
    first_tensor,
    named_modules,
    padded_by,
    time_first,
)

__all__ = ["Recording", "record"]

Layers = str | Sequence[str] | type[nn.Module] | Callable[[str, nn.Module], bool]
How = Literal["flatten", "mean", "centre", "positions"]

_LAYOUTS: dict[int, Literal["nchw", "ntd"]] = {3: "ntd", 4: "nchw"}


class Recording(Mapping[str, Array]):
    """Representations by label, for :func:`likewise.pairwise` and all else that takes mappings.

    Attributes
    ----------
    layers
        Names of the layers, in the order in which the forward pass calls them.
    reduce, stage
        How they were recorded; labels say it too.
    """

    def __init__(
        self, arrays: Mapping[str, Array], layers: Sequence[str], reduce: How | None, stage: str
    ) -> None:
        self._arrays = dict(arrays)
        self.layers, self.reduce, self.stage = tuple(layers), reduce, stage

    def __getitem__(self, label: str) -> Array:
        """By label, or by the name of the layer."""
        named = dict(zip(self.layers, self._arrays, strict=True))
        return self._arrays[named.get(label, label)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{label}: {array.shape}" for label, array in self._arrays.items())
        return f"Recording({shapes})"


def record(
    model: nn.Module,
    data: Any,
    layers: Layers = "*",
    *,
    reduce: How | None = None,
    stage: Literal["pre", "post"] = "post",
    samples: int | None = None,
    positions: int | None = None,
    dtype: Any = np.float32,
    store: Store | None = None,
    model_name: str = "model",
    checkpoint: str = "final",
    data_name: str = "probe",
    ids: Any = None,
    random_state: int = 0,
) -> Recording | list[Any]:
    """Run a model on data and keep what its layers give.

    One forward pass per batch for all layers, in evaluation mode, uncompiled and without gradients;
    modes and hooks are put back afterwards, whatever happens. What a layer gives or gets is kept
    before anything else runs, so that later modules that work in place do not change it.

    Parameters
    ----------
    model
        Any module: plain, timm's, Hugging Face's.
    data
        A tensor of samples, a mapping of keyword arguments of the model, or an iterable of batches
        as a ``DataLoader`` gives them: tensors, tuples or lists that begin with one, mappings.
    layers
        Names of modules (``model.named_modules()``) or patterns such as ``"*.conv*"``, one or
        several, a class of modules, or a function of name and module; of compiled modules the names
        of what was compiled. Modules that contain others match too; of those that patterns match,
        the ones that no forward pass calls are left out.
    reduce
        What becomes of feature maps ``(n, c, h, w)`` and sequences ``(n, t, d)``, see
        :func:`likewise.reduce`; required where there are any.
    stage
        ``"post"``: what a module gives; ``"pre"``: what it gets. Those of a nonlinearity are its
        units after and before activation.
    samples
        Only so many, from the first on.
    positions
        With ``reduce="positions"``: so many positions of every sample, drawn once for each size of
        map with ``random_state``, the same for all layers of that size.
    dtype
        float32 or float16.
    store
        Append there, under ``model_name``, ``checkpoint`` and ``data_name``, with the ``ids`` of
        the samples, and return the keys instead of arrays.

    Returns
    -------
    Recording
        Labels such as ``"features.0 [centre, post]"``, in the order in which the layers are called.
        A module that a forward pass calls several times has a label for each: ``"relu#2 [post]"``.

    Raises
    ------
    ValueError
        For a pattern that matches nothing (near names are listed), a layer that no forward pass
        calls or that gives no floating-point tensor, one with more axes and no ``reduce`` or in a
        padded batch (an attention mask with zeros), layers that change their width or their order
        of calls between batches, no data.
    """
    if stage not in ("pre", "post"):
        raise ValueError(f"record: stage must be 'pre' or 'post', got {stage!r}")
    if np.dtype(dtype) not in (np.float32, np.float16):
        raise ValueError(f"record: dtype must be float32 or float16, got {np.dtype(dtype)}")
    if positions is not None and reduce != "positions":
        raise ValueError("record: positions goes with reduce='positions'")
    chosen = _matching(model, layers)
    pieces: dict[str, list[Array]] = {}
    reduction = _Reduction(reduce, positions, random_state)
    keys: list[Any] = []
    seen = 0
    calls = _Calls(reduction, stage, np.dtype(dtype))
    with _recorded(model, chosen, calls), torch.no_grad():
        for batch in _batches(data, samples):
            found = calls.begin(batch)
            model(*batch.positional, **batch.keywords)
            _require_complete(_exact(chosen, layers), found, pieces)
            for name, values in found.items():
                values = values[: len(values) // batch.size * batch.kept]
                if store is None:
                    pieces.setdefault(name, []).append(values)
                    continue
                pieces.setdefault(name, [])
                rows = len(values) // batch.kept
                key = store.append(
                    values,
                    layer=name,
                    model=model_name,
                    checkpoint=checkpoint,
                    data=data_name,
                    ids=None if ids is None else _repeated(ids[seen : seen + batch.kept], rows),
                    reduce=reduction.of(name),
                    stage=stage,
                )
                if key not in keys:
                    keys.append(key)
            seen += batch.kept
    if not pieces:
        raise ValueError("record: data must hold at least one sample, got none")
    if store is not None:
        return keys
    notes = {name: ", ".join(filter(None, (reduction.of(name), stage))) for name in pieces}
    arrays = {f"{name} [{notes[name]}]": _joined(name, parts) for name, parts in pieces.items()}
    return Recording(arrays, list(pieces), reduce, stage)


class _Batch:
    """Arguments of the model, and how many of its samples are wanted."""

    def __init__(self, given: Any) -> None:
        self.positional: tuple[Any, ...] = ()
        self.keywords: dict[str, Any] = {}
        if isinstance(given, Mapping):
            self.keywords = dict(given)
            first = next(v for v in self.keywords.values() if isinstance(v, torch.Tensor))
        else:
            first = given[0] if isinstance(given, (tuple, list)) else given
            if not isinstance(first, torch.Tensor):
                raise ValueError(
                    "record: batches must be tensors, begin with one or map names to them, got "
                    f"{type(given).__name__}"
                )
            self.positional = (first,)
        self.size = self.kept = len(first)
        self.padded_by = padded_by(self.keywords)


def _batches(data: Any, samples: int | None) -> Iterator[_Batch]:
    left = samples
    given: Iterable[Any] = [data] if isinstance(data, (torch.Tensor, Mapping)) else data
    for one in given:
        if left == 0:
            return
        batch = _Batch(one)
        if left is not None:
            batch.kept = min(left, batch.size)
            left -= batch.kept
        if batch.size:
            yield batch


def _repeated(ids: Any, rows: int) -> Any:
    """Of samples, or of their positions."""
    return ids if rows == 1 else [f"{one}/{k}" for one in ids for k in range(rows)]


def _joined(name: str, parts: list[Array]) -> Array:
    widths = {part.shape[1] for part in parts}
    if len(widths) > 1:
        raise ValueError(
            f"record: layer {name!r} must be as wide in every batch, got {sorted(widths)} units"
        )
    return np.concatenate(parts)


def _matching(model: nn.Module, layers: Layers) -> dict[str, nn.Module]:
    modules = {name: module for name, module in named_modules(model).items() if name}
    if isinstance(layers, type):
        found = {name: module for name, module in modules.items() if isinstance(module, layers)}
        if not found:
            raise ValueError(f"record: layers must match modules, there is no {layers.__name__}")
        return found
    if callable(layers):
        found = {name: module for name, module in modules.items() if layers(name, module)}
        if not found:
            raise ValueError("record: layers must choose at least one module, got none")
        return found
    patterns = [layers] if isinstance(layers, str) else list(layers)
    found = {}
    for pattern in patterns:
        matched = {n: m for n, m in modules.items() if n == pattern or fnmatchcase(n, pattern)}
        if not matched:
            near = difflib.get_close_matches(pattern, modules, n=3, cutoff=0.4)
            some = near or list(modules)[:5]
            raise ValueError(
                f"record: layers must match modules of the model, {pattern!r} does not; "
                f"{'near are' if near else 'there are'} {', '.join(some)}"
            )
        found.update(matched)
    return found


class _Calls:
    """What the layers give in a forward pass, reduced and copied as soon as they are called: what
    is called later may write over it."""

    def __init__(self, reduction: _Reduction, stage: str, dtype: np.dtype[Any]) -> None:
        self.stage = stage
        self._reduction, self._dtype = reduction, dtype

    def begin(self, batch: _Batch) -> dict[str, Array]:
        """What the next forward pass fills; further calls of one layer are numbered."""
        self._batch, self._times = batch, dict[str, int]()
        self._found: dict[str, Array] = {}
        return self._found

    def add(self, name: str, module: nn.Module, value: Any) -> None:
        tensor = first_tensor(value)
        if tensor is None:
            raise ValueError(
                f"record: layer {name!r} {'gives' if self.stage == 'post' else 'gets'} no "
                "floating-point tensor"
            )
        if tensor.ndim == 3 and time_first(module):
            tensor = tensor.transpose(0, 1)
        if tensor.ndim == 0 or len(tensor) != self._batch.size:
            raise ValueError(
                f"record: layers must have the {self._batch.size} samples of a batch along their "
                f"first axis, got shape {tuple(tensor.shape)} of {name!r}"
            )
        if self._batch.padded_by is not None and tensor.ndim > 2:
            raise ValueError(
                f"record: layer {name!r} of shape {tuple(tensor.shape)} has positions that are "
                f"padding ({self._batch.padded_by!r} has zeros), which would count like all "
                "others; give batches of samples of one length, without padding"
            )
        self._times[name] = times = self._times.get(name, 0) + 1
        label = name if times == 1 else f"{name}#{times}"
        self._found[label] = self._reduction(label, tensor).astype(self._dtype)  # a copy


@contextmanager
def _recorded(model: nn.Module, chosen: Mapping[str, nn.Module], calls: _Calls) -> Iterator[None]:
    """Every call of these modules is added to ``calls``."""

    def gives(name: str) -> Callable[..., None]:
        return lambda module, given, named, output: calls.add(name, module, output)

    def gets(name: str) -> Callable[..., None]:
        return lambda module, given, named: calls.add(name, module, (given, named))

    handles = [
        module.register_forward_hook(gives(name), with_kwargs=True)
        if calls.stage == "post"
        else module.register_forward_pre_hook(gets(name), with_kwargs=True)
        for name, module in chosen.items()
    ]
    try:
        with evaluating(model):
            yield
    finally:
        for handle in handles:
            handle.remove()


def _exact(chosen: Mapping[str, nn.Module], layers: Layers) -> list[str]:
    """Layers that were asked for by their very names."""
    named = [] if callable(layers) else [layers] if isinstance(layers, str) else layers
    return [name for name in named if name in chosen]


def _require_complete(
    exact: Sequence[str], found: Mapping[str, Array], before: Mapping[str, Any]
) -> None:
    for name in exact:
        if name not in found:
            raise ValueError(f"record: layer {name!r} is not called by the model's forward pass")
    if not found:
        raise ValueError("record: layers must choose what a forward pass calls, none is called")
    if before and list(before) != list(found):
        raise ValueError(
            f"record: all batches must call the same layers in the same order, got "
            f"{', '.join(before)} and then {', '.join(found)}"
        )


class _Reduction:
    """What becomes of the output of a layer."""

    def __init__(self, how: How | None, positions: int | None, random_state: int) -> None:
        self._how, self._positions, self._random_state = how, positions, random_state
        self._reduced: set[str] = set()

    def of(self, name: str) -> str:
        """What became of the output of this layer, "" where nothing had to."""
        return str(self._how) if name in self._reduced else ""

    def __call__(self, name: str, tensor: torch.Tensor) -> Array:
        tensor = tensor.detach().to("cpu", torch.float32)
        if tensor.ndim == 2:
            return np.asarray(tensor.numpy())
        if tensor.ndim not in _LAYOUTS:
            raise ValueError(
                f"record: layers must have 2, 3 or 4 axes, got shape {tuple(tensor.shape)} of "
                f"{name!r}"
            )
        if self._how is None:
            raise ValueError(
                f"record: reduce must be given for layer {name!r} of shape {tuple(tensor.shape)}: "
                "'flatten', 'mean', 'centre' or 'positions'"
            )
        self._reduced.add(name)
        if self._positions is not None:
            tensor = self._drawn(tensor)
        return np.asarray(reduced(tensor.numpy(), _LAYOUTS[tensor.ndim], self._how))

    def _drawn(self, tensor: torch.Tensor) -> torch.Tensor:
        """The drawn positions as a sequence."""
        if tensor.ndim == 4:
            tensor = tensor.flatten(2).transpose(1, 2)
        count = tensor.shape[1]
        if self._positions is None or self._positions >= count:
            return tensor
        generator = np.random.default_rng((self._random_state, count))
        return tensor[:, np.sort(generator.permutation(count)[: self._positions])]
