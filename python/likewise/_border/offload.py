"""Grids of items in host memory that a CUDA device compares, though they need not all fit there.

The items are cut into runs. While the device compares two runs, the next one is copied to it;
blocks of pairs come in an order in which each shares a run with the one before. What a measure has
found in the items is put together, and it warns once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from likewise import _cpu, errors
from likewise._border import device as _device
from likewise._border.arrays import Array
from likewise._border.pairs import Counting, Found, Items

# Of the device's free memory one run: three are there at a time, and measures make copies of two of
# them, some in float64.
_SHARE = 16
_ALIGNMENT = 256


def scores(
    function: str,
    chosen: Any,
    a: Items,
    b: Items | None,
    device: int | str,
    check_finite: bool,
) -> Array:
    """Scores ``(len(a), len(b or a))`` of all pairs in float64."""
    index = _index(function, device)
    if a.library.engine is not _cpu:
        raise errors.InputTypeError(
            f"{function}: device= is for items in host memory, these are on {a.library.name}; "
            "leave it out"
        )
    if missing := _device.why_not(index):
        raise errors.InputTypeError(f"{function}: device={device!r} cannot be used: {missing}")
    if not chosen.on_devices:
        _device.say_on_cpu(function)
        return np.asarray(chosen.scores(a.library, a.arrays, None if b is None else b.arrays))
    grid = _Grid(function, chosen, a.arrays, None if b is None else b.arrays, check_finite)
    if grid.scores.size:
        grid.fill(_device.engine().Offload(index))
    return grid.scores


def _index(function: str, device: int | str) -> int:
    """The device's number, -1 for the current one. Tensor libraries' own names will do."""
    if isinstance(device, (int, np.integer)) and not isinstance(device, bool) and device >= 0:
        return int(device)
    if match := re.fullmatch(r"cuda(?::(\d+))?", str(device)):
        return -1 if match[1] is None else int(match[1])
    raise ValueError(
        f"{function}: device must be None, 'cuda', 'cuda:1' or the index of a CUDA device, got "
        f"{device!r}"
    )


def runs_of(sizes: Sequence[int], limit: int, first: int = 0) -> list[range]:
    """Neighbouring items whose sizes add up to the limit at most, or one that is larger.

    Items are numbered from ``first``.
    """
    runs, begin, total = [], 0, 0
    for k, size in enumerate(sizes):
        if k > begin and total + size > limit:
            runs.append(range(first + begin, first + k))
            begin, total = k, 0
        total += size
    return [*runs, range(first + begin, first + len(sizes))]


def block_order(rows: Sequence[range], columns: Sequence[range] | None) -> Iterator[Any]:
    """Blocks of the grid of runs, row by row to and fro: neighbours have a run in common.

    ``columns=None``: the upper triangle of the grid of rows and rows.
    """
    for i, row in enumerate(rows):
        others = rows[i:] if columns is None else columns
        for column in others if i % 2 == 0 else reversed(others):
            yield row, column


class _Grid:
    """The scores, and how they are filled. Items of the second side are numbered behind."""

    def __init__(
        self,
        function: str,
        chosen: Counting,
        a: list[Array],
        b: list[Array] | None,
        check_finite: bool,
    ) -> None:
        self.scores = np.empty((len(a), len(a if b is None else b)))
        self._function, self._measure, self._check_finite = function, chosen, check_finite
        self._items = a if b is None else a + b
        self._first_column = 0 if b is None else len(a)
        self._findings = _Findings()
        self._was_quiet = errors.is_quiet()

    def fill(self, offload: Any) -> None:
        """Compute all scores on the device; raises and warns as the measure does."""
        sizes = [-(-item.nbytes // _ALIGNMENT) * _ALIGNMENT for item in self._items]
        limit, rows_end = offload.free_bytes // _SHARE, len(self.scores)
        rows = runs_of(sizes[:rows_end], limit)
        columns = runs_of(sizes[rows_end:], limit, rows_end) if self._first_column else None
        largest = max(sum(sizes[k] for k in run) for run in [*rows, *(columns or [])])
        try:
            offload.make_buffers(largest)
        except MemoryError as error:
            raise MemoryError(f"{self._function}: no room for the items: {error}") from None
        held = _Held(offload, self._items)
        blocks = list(block_order(rows, columns))
        with errors.quiet():
            for block, following in zip(blocks, [*blocks[1:], ()], strict=True):
                held.bring(block)
                held.acquire(block)
                upload_next = partial(held.bring, following)
                library = _OffloadLibrary(self._function, offload, upload_next, self._was_quiet)
                self._fill_block(library, held.arrays, *block)
                upload_next()
                held.release(block)
        self._findings.report(self._measure, self._items, self._first_column)

    def _fill_block(
        self, library: _OffloadLibrary, there: dict[int, Any], rows: range, columns: range
    ) -> None:
        """And its mirror image, where items are compared with themselves."""
        self._compare(library, there, rows, columns)
        if self._first_column or rows == columns:
            return
        if self._measure.symmetric:
            self._block(columns, rows)[:] = self._block(rows, columns).T
        else:
            self._compare(library, there, columns, rows)

    def _compare(
        self, library: _OffloadLibrary, there: dict[int, Any], rows: range, columns: range
    ) -> None:
        """At once, or in halves where the device has no room for what that takes."""
        try:
            self._compare_at_once(library, there, rows, columns)
            return
        except library.engine.OutOfMemoryError as error:
            if len(rows) == len(columns) == 1:
                entry = rows[0], columns[0] - self._first_column
                raise MemoryError(f"{self._function}: entry {entry}: {error}") from None
        if rows == columns:
            first, second = _halves(rows)
            for part in ((first, first), (first, second), (second, second)):
                self._fill_block(library, there, *part)
        elif len(rows) >= len(columns):
            for half in _halves(rows):
                self._compare(library, there, half, columns)
        else:
            for half in _halves(columns):
                self._compare(library, there, rows, half)

    def _compare_at_once(
        self, library: _OffloadLibrary, there: dict[int, Any], rows: range, columns: range
    ) -> None:
        library.prepare(self._check_finite)
        a, b = [there[k] for k in rows], [there[k] for k in columns]
        try:
            found, counts, sums = self._measure.counted_scores(
                library, a, None if rows == columns else b
            )
        except errors.ConvergenceError as error:
            error.add_note(f"counted in the block of items {rows} and {columns}")
            raise
        self._block(rows, columns)[:] = library.host(found)
        if counts is not None:
            self._findings.add([*rows] if rows == columns else [*rows, *columns], counts, sums)

    def _block(self, rows: range, columns: range) -> Array:
        first = self._first_column
        return self.scores[rows.start : rows.stop, columns.start - first : columns.stop - first]


class _Held:
    """Which runs are in the buffers of the device."""

    def __init__(self, offload: Any, items: list[Array]) -> None:
        self._offload, self._items = offload, items
        self._buffers: dict[range, int] = {}  # last used last
        self.arrays: dict[int, Any] = {}

    def bring(self, runs: Iterable[range]) -> None:
        """Begin to copy these runs to the device, over the one that was not used for longest.

        That is none of the current block, of which one comes next, see :func:`block_order`.
        """
        for run in runs:
            if run in self._buffers:
                continue
            buffer = len(self._buffers)
            if buffer == self._offload.buffers:
                oldest = next(iter(self._buffers))
                buffer = self._buffers.pop(oldest)
                for k in oldest:
                    del self.arrays[k]
            self._buffers[run] = buffer
            sent = self._offload.upload(buffer, [self._items[k] for k in run])
            self.arrays.update(zip(run, sent, strict=True))

    def acquire(self, runs: Iterable[range]) -> None:
        """Work from here on finds them."""
        for run in runs:
            self._buffers[run] = self._buffers.pop(run)
            self._offload.acquire(self._buffers[run])

    def release(self, runs: Iterable[range]) -> None:
        """They may be overwritten after the work so far."""
        for run in runs:
            self._offload.release(self._buffers[run])


class _OffloadLibrary(_device.DeviceLibrary):
    """Arrays that the engine allocates; the next run is sent once the work of a block is queued."""

    def __init__(
        self, function: str, offload: Any, meanwhile: Callable[[], None], was_quiet: bool
    ) -> None:
        self.name, self.function = "numpy", function
        self.engine = _device.engine()
        self._offload, self._meanwhile, self._was_quiet = offload, meanwhile, was_quiet
        self._device, self._stream = offload.device, offload.stream
        self._allocate = offload.bytes
        self._looked, self._places = [], 0

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        return self._offload.empty(list(shape), np.dtype(dtype).name)

    def on_cpu(self, views: Sequence[Any], *why: str) -> Any:
        with errors.quiet(self._was_quiet):
            return super().on_cpu(views, *why)

    def finish(self, *also: Any, items: int = 1) -> list[Array] | None:
        self._meanwhile()
        return super().finish(*also, items=items)


class _Findings:
    """What a measure has found in the items of all blocks, for one report."""

    def __init__(self) -> None:
        self._of_items: dict[int, Array] = {}
        self._sums: Array | int = 0

    def add(self, items: list[int], counts: Array, sums: Array) -> None:
        """Of the items of a block."""
        self._of_items.update(zip(items, counts.T, strict=True))
        self._sums = self._sums + sums

    def report(self, measure: Counting, items: list[Array], first_column: int) -> None:
        """Let the measure say what it says for these items together."""
        if not self._of_items:
            return
        counts = np.stack([self._of_items[k] for k in range(len(items))], axis=1)
        widths = np.array([item.shape[1] for item in items])
        rows, samples = first_column or len(items), items[0].shape[0]
        measure.report(Found(counts, widths, rows, samples, np.asarray(self._sums)))


def _halves(items: range) -> tuple[range, range]:
    middle = items.start + len(items) // 2
    return range(items.start, middle), range(middle, items.stop)
