"""Chromium without a window, to look at reports as their readers do."""

from __future__ import annotations

import base64
import io
import json
import os
import select
import shutil
import subprocess
import sys
import time

import numpy as np

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
    "--window-size=1280,1000",
)
# Chromium reads commands from file descriptor 3 and writes answers to 4.
LAUNCH = """
import fcntl, os, sys
commands, answers = (fcntl.fcntl(int(n), fcntl.F_DUPFD, 10) for n in sys.argv[1:3])
os.dup2(commands, 3)
os.dup2(answers, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """One page of Chromium, driven through the DevTools protocol over a pipe."""

    def __init__(self, profile):
        commands, self._out = os.pipe()
        self._in, answers = os.pipe()
        arguments = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(commands), str(answers), *arguments],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._buffer, self._last, self._session = b"", 0, None
        self.events = []
        targets = self.send("Target.getTargets")["targetInfos"]
        (page,) = [target["targetId"] for target in targets if target["type"] == "page"]
        self._session = self.send("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method, **parameters):
        """Send a command and return its result; events that come first are kept."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _receive(self, timeout=60):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], timeout)
            chunk = os.read(self._in, 1 << 20) if ready else b""
            assert chunk, "Chromium does not answer"
            self._buffer += chunk
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def evaluate(self, expression):
        """The value of a JavaScript expression; promises are waited for."""
        answer = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def open(self, address):
        """Load a page, a file or what is served here, and wait until all its figures are drawn."""
        self.events.clear()
        self.send("Page.navigate", url=address if isinstance(address, str) else address.as_uri())
        drawn = "document.body?.dataset.drawn === String(document.querySelectorAll('.plot').length)"
        self.evaluate(
            "new Promise((done, failed) => { const started = Date.now(); const look = () =>"
            f"{drawn} && document.readyState === 'complete' ? done() : Date.now() - started > 30000"
            " ? failed(new Error('not drawn')) : setTimeout(look, 50); look(); })"
        )

    def wait_for(self, expression):
        """Until a JavaScript expression is true, also if the page loads itself again meanwhile."""
        deadline = time.monotonic() + 30
        while not self.evaluate(f"Boolean({expression})"):
            assert time.monotonic() < deadline, f"never: {expression}"
            time.sleep(0.05)

    def complaints(self):
        """Errors, warnings and requests that left the machine, as far as the page caused any."""
        self.evaluate("0")
        found = []
        for event in self.events:
            parameters = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                found.append(parameters["exceptionDetails"]["exception"]["description"])
            elif event["method"] == "Runtime.consoleAPICalled":
                if parameters["type"] in ("error", "warning", "assert"):
                    found.append(str(parameters["args"]))
            elif event["method"] == "Log.entryAdded":
                found.append(str(parameters["entry"]))
            elif event["method"] == "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                if not url.startswith(("file:", "data:", "blob:", "http://127.0.0.1:")):
                    found.append(f"request to {url}")
        return found

    def picture(self, selector):
        """Pixels (height, width, 3) of an element, from 0 to 1."""
        box = self.evaluate(
            f"(() => {{ const b = document.querySelector({json.dumps(selector)})"
            ".getBoundingClientRect(); return {x: b.x + scrollX, y: b.y + scrollY, "
            "width: b.width, height: b.height, scale: 1}; })()"
        )
        answer = self.send("Page.captureScreenshot", clip=box, captureBeyondViewport=True)
        from matplotlib.image import imread

        return imread(io.BytesIO(base64.b64decode(answer["data"])))[:, :, :3]

    def close(self):
        self._session = None
        self.send("Browser.close")
        self._process.wait(30)
        os.close(self._in)
        os.close(self._out)


def assert_drawn_whole(browser, address):
    """A page opens without a complaint, has a title, and none of its figures is blank."""
    browser.open(address)
    assert browser.complaints() == []
    assert browser.evaluate("document.querySelector('h1').innerText.length") > 20
    figures = browser.evaluate("[...document.querySelectorAll('.plot')].map((plot) => plot.id)")
    assert figures
    for figure in figures:
        traces = browser.evaluate(f"document.getElementById({json.dumps(figure)}).data.length")
        assert traces > 0, figure
        inked = np.any(browser.picture(f"#{figure}") < 0.95, axis=2)
        assert inked.mean() > 0.01, figure
