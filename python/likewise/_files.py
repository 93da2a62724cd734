"""Files that are whole or not there, and what they say of their format."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

__all__ = ["FORMAT", "replacing", "require_format", "write_text"]

FORMAT = 1
"""Of everything that is written; what says nothing is of version 0.1.0, and is read as well."""


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file beside ``path`` to write to, which takes its place when all is written; what was there
    stays if anything fails."""
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{target.name[:200]}.{os.getpid()}.part")
    try:
        with open(beside, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            os.chmod(beside, target.stat().st_mode)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text in UTF-8, whole or not at all."""
    with replacing(path) as file:
        file.write(text.encode())


def require_format(what: str, notes: Any) -> None:
    """``ValueError`` for a format that this version does not know."""
    number = notes.get("format", FORMAT) if isinstance(notes, Mapping) else FORMAT
    if number != FORMAT:
        raise ValueError(
            f"{what} has format {number!r}; this version of likewise reads format {FORMAT} and "
            "what 0.1.0 wrote"
        )
