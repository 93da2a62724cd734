"""One process at a time writes to a folder."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from likewise.errors import LikewiseWarning, warn

__all__ = ["WritersLock"]

_guard = threading.Lock()
_folders: dict[str, _Folder] = {}


class _Folder:
    """A folder that this process writes to, through one lock for all that do."""

    def __init__(self, path: str) -> None:
        self.path, self.holders = path, 0
        self.turn = threading.RLock()
        # The system frees it with the last descriptor, however the process ends.
        self.descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self.descriptor)
            raise BlockingIOError(
                f"Store: another process writes to {path}, and one does at a time; it must close "
                "its Store or end first"
            ) from None
        except OSError as error:
            warn(
                f"Store: the file system of {path} has no locks ({error.strerror}); nothing keeps "
                "a second process from writing there",
                LikewiseWarning,
            )


class WritersLock:
    """The right to write to a folder, taken at the first write and shared within the process."""

    def __init__(self, path: str | Path) -> None:
        self._path = os.path.realpath(path)
        self._folder: _Folder | None = None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A turn of this thread; ``BlockingIOError`` while another process has the folder."""
        with _guard:
            if self._folder is None or _folders.get(self._path) is not self._folder:
                folder = _folders.get(self._path) or _Folder(self._path)
                _folders[self._path] = self._folder = folder
                folder.holders += 1
        with self._folder.turn:
            yield

    def release(self) -> None:
        """Let others write, once nobody in this process has more to write."""
        with _guard:
            folder, self._folder = self._folder, None
            if folder is None or _folders.get(self._path) is not folder:
                return
            folder.holders -= 1
            if not folder.holders:
                del _folders[self._path]
                os.close(folder.descriptor)

    def __del__(self) -> None:
        self.release()


def _forget() -> None:
    """A forked process has no right of its own, and must not keep its parent's."""
    for folder in _folders.values():
        os.close(folder.descriptor)
    _folders.clear()


os.register_at_fork(after_in_child=_forget)
