"""A small page on this machine that shows a training while it goes on."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from likewise.report.training import Training
from likewise.scale.store import Store

__all__ = ["Watch"]


class Watch(ThreadingHTTPServer):
    """Serves the page of one history of a store to this machine alone. ::

        with Watch("run.zarr") as watch:
            print(watch.url)
            watch.serve_forever()

    Parameters
    ----------
    path
        A :class:`~likewise.scale.Store` that a :class:`likewise.torch.Monitor` writes.
    name
        Name of the history; needed where the store has several.
    port
        0 for one that is free.

    Raises
    ------
    ValueError
        If there is no store, no history, none of that name, or several and no name.
    OSError
        For a port that is taken.
    """

    daemon_threads = True

    def __init__(self, path: str | Path, name: str | None = None, port: int = 0) -> None:
        self.store = Store.open(path)
        names = self.store.histories()
        if not names:
            raise ValueError(f"{path} has no history; likewise.torch.Monitor writes one")
        if name is None and len(names) > 1:
            raise ValueError(f"{path} has several histories, name one: {', '.join(names)}")
        if name is not None and name not in names:
            raise ValueError(f"{path} has no history {name!r}, there is {', '.join(names)}")
        self.name = name or names[0]
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def training(self) -> Training:
        """The history as it is now."""
        history = self.store.history(self.name)
        return Training(self.name, history.read(), history.notes)


class _Handler(BaseHTTPRequestHandler):
    server: Watch

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/":
            self._answer("text/html; charset=utf-8", self.server.training().page().html())
        elif url.path == "/state":
            training = self.server.training()
            if parse_qs(url.query).get("rows") == [str(training.rows)]:
                self.send_response(204)
                self.end_headers()
            else:
                self._answer("application/json", json.dumps(training.state(), allow_nan=False))
        else:
            self.send_error(404)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the terminal is the user's."""

    def _answer(self, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)
