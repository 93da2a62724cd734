"""Recording what the layers of a network represent."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from likewise._border.arrays import Array
from likewise.scale.store import Store
from likewise.torch._layouts import Layouts, Masks, matched
from likewise.torch._modules import evaluating, first_tensor, named_modules
from likewise.torch._reducing import How, Reducing, named

__all__ = ["Recording", "record"]

Layers = str | Sequence[str] | type[nn.Module] | Callable[[str, nn.Module], bool]
Output = int | str | Callable[[Any], Any]


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
        self, arrays: Mapping[str, Array], layers: Sequence[str], reduce: str | None, stage: str
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
    mask: Any = None,
    layout: str | Mapping[str, str] | None = None,
    output: Output | Mapping[str, Output] | None = None,
    heads: int | Mapping[str, int] | None = None,
    device: Any = None,
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

    One forward pass per batch for all layers, in evaluation mode, uncompiled and without gradients,
    from the second batch on no further than to the last layer wanted; modes and hooks are put back
    afterwards, whatever happens. What a layer gives or gets is kept
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
        What becomes of feature maps and sequences, see :func:`likewise.reduce`; required where
        there are any. Or a function that gets the positions ``(t, d)`` of one sample and whether
        each is kept ``(t,)``, and gives its ``(d,)``.
    mask
        Which positions of sequences count: ``(n, t)`` for all samples, or a function of a batch
        that gives its own. By default the batch's ``attention_mask``. Of a network with a decoder
        it says nothing of the decoder's layers: theirs must be given where samples are padded.
    layout
        What the axes of layers are: ``"nchw"``, ``"nhwc"``, ``"nct"``, ``"ntd"``, ``"tnd"`` or
        ``"nd"``, for all or by pattern of their names. Modules whose type says it need none
        (convolutions, linear layers, embeddings, norms, recurrent ones, attention), nor those
        whose tensors have the shape of theirs.
    output
        Which part of what a module gives (or gets) in a tuple, mapping or dataclass: an index, a
        key or a function, for all or by pattern. By default the first floating-point tensor.
    heads
        So many heads of attention side by side in the units of a layer, for all or by pattern:
        each is a layer ``name.head3`` of its own.
    device
        Where batches go, by default where the model's first parameter is.
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
        calls or that gives no floating-point tensor, one with more axes and no ``reduce``, or
        whose layout nothing says; padded batches (an attention mask with zeros) whose mask does
        not fit a layer's positions, or that are to be flattened; layers that change their width
        or their order of calls between batches, no data.
    """
    if stage not in ("pre", "post"):
        raise ValueError(f"record: stage must be 'pre' or 'post', got {stage!r}")
    if np.dtype(dtype) not in (np.float32, np.float16):
        raise ValueError(f"record: dtype must be float32 or float16, got {np.dtype(dtype)}")
    if positions is not None and reduce != "positions":
        raise ValueError("record: positions goes with reduce='positions'")
    chosen = _matching(model, layers)
    pieces: dict[str, list[Array]] = {}
    reduction = Reducing(reduce, positions, random_state)
    keys: list[Any] = []
    seen = 0
    layouts, masks = Layouts(model, layout), Masks(mask)
    calls = _Calls(reduction, stage, np.dtype(dtype), layouts, masks, output, heads)
    if device is None:
        device = next((p.device for p in model.parameters()), None)
    with _recorded(model, chosen, calls), torch.no_grad():
        for batch in _batches(data, samples):
            layouts.begin()
            masks.begin(batch.given, batch.keywords, seen, batch.size)
            found = calls.begin(batch, frozenset(pieces))
            with suppress(_Enough):
                model(*_moved(batch.positional, device), **_moved(batch.keywords, device))
            _require_complete(_exact(chosen, layers), calls.times, found, pieces)
            for name, values in found.items():
                if store is None:
                    pieces.setdefault(name, []).append(values)
                    continue
                pieces.setdefault(name, [])
                own = None if ids is None else ids[seen : seen + batch.kept]
                key = store.append(
                    values,
                    layer=name,
                    model=model_name,
                    checkpoint=checkpoint,
                    data=data_name,
                    ids=own if own is None else reduction.ids(name, own, len(values)),
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
    return Recording(arrays, list(pieces), named(reduce), stage)


class _Batch:
    """Arguments of the model, and how many of its samples are wanted."""

    def __init__(self, given: Any) -> None:
        self.given = given
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


def _moved(value: Any, device: Any) -> Any:
    """Arguments of a model with their tensors on a device."""
    if isinstance(value, torch.Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, Mapping):
        return {name: _moved(part, device) for name, part in value.items()}
    return tuple(_moved(part, device) for part in value) if isinstance(value, tuple) else value


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


class _Enough(BaseException):
    """Ends a forward pass; no error, so that no network takes it for one."""


class _Calls:
    """What the layers give in a forward pass, reduced and copied as soon as they are called: what
    is called later may write over it."""

    def __init__(
        self,
        reduction: Reducing,
        stage: str,
        dtype: np.dtype[Any],
        layouts: Layouts,
        masks: Masks,
        output: Any,
        heads: Any,
    ) -> None:
        self.stage, self.layouts = stage, layouts
        self._reduction, self._dtype, self._masks = reduction, dtype, masks
        self._output, self._heads = output, heads

    def begin(self, batch: _Batch, wanted: frozenset[str]) -> dict[str, Array]:
        """What the next forward pass fills; further calls of one layer are numbered. It ends as
        soon as all wanted ones have been called, those of the batch before."""
        self._wanted = wanted
        self._batch, self.times = batch, dict[str, int]()
        self._found: dict[str, Array] = {}
        return self._found

    def add(self, name: str, module: nn.Module, value: Any) -> None:
        tensor = self._part(name, value)
        layout = self.layouts.of(name, module, tensor)
        samples = layout.index("n")
        if tensor.shape[samples] != self._batch.size:
            raise ValueError(
                f"record: layers must have the {self._batch.size} samples of a batch along their "
                f"axis n, got shape {tuple(tensor.shape)} of {name!r}, {layout}"
            )
        mask = self._masks.of(name, tuple(tensor.shape), layout)
        tensor = tensor.narrow(samples, 0, self._batch.kept)
        mask = mask if mask is None else mask[: self._batch.kept]
        self.times[name] = times = self.times.get(name, 0) + 1
        label = name if times == 1 else f"{name}#{times}"
        for part, values in self._split(name, label, tensor, layout):
            reduced = self._reduction(part, values, layout, mask)
            self._found[part] = reduced.astype(self._dtype)  # a copy
        if self._wanted and self._wanted <= self._found.keys():
            raise _Enough

    def _part(self, name: str, value: Any) -> torch.Tensor:
        said = matched(self._output, name)
        if said is None:
            tensor = first_tensor(value)
        else:
            given = value if self.stage == "post" else value[0]
            try:
                tensor = said(given) if callable(said) else _entry(given, said)
            except (KeyError, IndexError, AttributeError, TypeError) as error:
                raise ValueError(
                    f"record: output must be a part of what layer {name!r} "
                    f"{'gives' if self.stage == 'post' else 'gets'}, a {type(given).__name__}; "
                    f"got {said!r} ({type(error).__name__}: {error})"
                ) from error
        if not isinstance(tensor, torch.Tensor) or not tensor.is_floating_point():
            raise ValueError(
                f"record: layer {name!r} {'gives' if self.stage == 'post' else 'gets'} no "
                "floating-point tensor"
            )
        if tensor.ndim not in (2, 3, 4):
            raise ValueError(
                f"record: layers must have 2, 3 or 4 axes, got shape {tuple(tensor.shape)} of "
                f"{name!r}"
            )
        return tensor

    def _split(
        self, name: str, label: str, tensor: torch.Tensor, layout: str
    ) -> Iterator[tuple[str, torch.Tensor]]:
        """Heads of attention, or the tensor as it is."""
        heads = matched(self._heads, name)
        if heads is None:
            yield label, tensor
            return
        axis = layout.index("c" if "c" in layout else "d")
        units = tensor.shape[axis]
        if heads < 1 or units % heads:
            raise ValueError(
                f"record: heads must divide the units of layer {name!r}, got {heads} of {units}"
            )
        for k, part in enumerate(tensor.split(units // heads, axis)):
            yield f"{label}.head{k}", part


def _entry(given: Any, key: Any) -> Any:
    """By index or key, or an attribute of that name."""
    if isinstance(key, str) and not isinstance(given, Mapping):
        return getattr(given, key)
    return given[key]


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
    handles = [*calls.layouts.hooks(), *handles]
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
    exact: Sequence[str],
    called: Mapping[str, int],
    found: Mapping[str, Array],
    before: Mapping[str, Any],
) -> None:
    for name in exact:
        if name not in called:
            raise ValueError(f"record: layer {name!r} is not called by the model's forward pass")
    if not found:
        raise ValueError("record: layers must choose what a forward pass calls, none is called")
    if before and list(before) != list(found):
        raise ValueError(
            f"record: all batches must call the same layers in the same order, got "
            f"{', '.join(before)} and then {', '.join(found)}"
        )
