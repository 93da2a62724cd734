"""A small page on this machine that shows a training while it goes on."""

from __future__ import annotations

import json
import secrets
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from likewise.report.training import Training
from likewise.scale.store import Store

__all__ = ["Watch"]


class Watch(ThreadingHTTPServer):
    """Serves the page of one history of a store to whoever knows its address on this machine.

    The address holds a token, so that other users do not read along; requests that a page of
    another site has sent (another Host or Origin) are refused. ::

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
        self.token = secrets.token_urlsafe(16)
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{self.token}/"

    @property
    def hosts(self) -> tuple[str, ...]:
        """What browsers call this server."""
        return tuple(f"{name}:{self.server_address[1]}" for name in ("127.0.0.1", "localhost"))

    def training(self) -> Training:
        """The history as it is now."""
        history = self.store.history(self.name)
        return Training(self.name, history.read(), history.notes)

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing is said of browsers that have gone away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: Watch

    def do_GET(self) -> None:
        origin = self.headers.get("Origin")
        if self.headers.get("Host") not in self.server.hosts or (
            origin is not None and origin.removeprefix("http://") not in self.server.hosts
        ):
            self._answer(403, "text/plain", "This page is for browsers on this machine.")
            return
        url = urlsplit(self.path)
        token, _, rest = url.path[1:].partition("/")
        if not secrets.compare_digest(token.encode(), self.server.token.encode()):
            self._answer(403, "text/plain", "The address that likewise watch has printed is whole.")
            return
        try:
            training = self.server.training() if rest in ("", "state") else None
        except (KeyError, ValueError, OSError) as error:
            self._answer(503, "text/plain", f"The store cannot be read: {error}")
            return
        if training is None:
            self._answer(404, "text/plain", "There is no such page.")
        elif not rest:
            self._answer(200, "text/html", training.page().html())
        elif parse_qs(url.query).get("rows") == [str(training.rows)]:
            self.send_response(204)
            self.end_headers()
        else:
            self._answer(200, "application/json", json.dumps(training.state(), allow_nan=False))

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the terminal is the user's."""

    def _answer(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)
