"""Numbers and lists in sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from likewise.report import number


def count(value: float) -> str:
    """A number of units, with a decimal only where it is a mean that needs one."""
    return number(value, 0 if float(value).is_integer() else 1)


def percent(value: float) -> str:
    """Of a share: `14 %`."""
    return f"{number(100 * value, 0)} %"


def by_layer(layers: Sequence[str], text: Callable[[str], str]) -> str:
    """`conv1 ...; conv2 ... .`"""
    return "; ".join(f"{layer} {text(layer)}" for layer in layers) + "."


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
