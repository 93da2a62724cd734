"""The page that shows a training while it goes on."""

import json
import signal
import threading
import urllib.error
import urllib.request
from functools import partial

import numpy as np
import pytest
from browser import assert_drawn_whole
from processes import start

import likewise as lw

pytest.importorskip("zarr")
pytest.importorskip("plotly")
from likewise.cli.watch import Watch
from likewise.report.training import Training

NOTES = {
    "model": "CNN",
    "samples": 300,
    "reduce": "mean",
    "every": 50,
    "measures": {
        "cka": {"kind": "similarity", "range": [0, 1]},
        "procrustes": {"kind": "distance", "range": [0, np.pi / 2]},
    },
}


def row(look, layers=("conv1", "fc"), **more):
    """As the monitor writes it: fc moves away, conv1 stays nearly as it was."""
    out = {"step": 50.0 * look, "numbers/loss": 2 / (look + 1)}
    for k, layer in enumerate(layers):
        moved = (0.1 + k) * look / (look + 2)
        for kind in ("start", *(["before"] if look else [])):
            out |= {f"{kind} cka/{layer}": 1 - 0.8 * moved, f"{kind} procrustes/{layer}": moved}
    for name in ("nc1", "nc2_norms", "nc2_angles", "nc3", "nc4"):
        out[f"collapse/{name}"] = 1 / (look + 1)
    return out | {"time/training": 10.0 * look, "time/monitor": 0.2 * look} | more


@pytest.fixture
def history(tmp_path):
    return lw.scale.Store.create(tmp_path / "run.zarr").new_history("training", NOTES)


@pytest.fixture
def watch(history, tmp_path):
    with Watch(tmp_path / "run.zarr") as watch:
        serving = threading.Thread(target=watch.serve_forever)
        serving.start()
        yield watch
        watch.shutdown()
        serving.join()


def fetched(address, **headers):
    request = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(request) as answer:
        return answer.status, answer.read()


def refused(address, **headers):
    with pytest.raises(urllib.error.HTTPError) as error:
        fetched(address, **headers)
    return error.value.code, error.value.read().decode()


def test_only_who_knows_the_address_on_this_machine_is_answered(watch, history):
    history.append(row(0))
    port = watch.server_address[1]
    assert len(watch.token) > 20
    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        assert fetched(watch.url, Host=host)[0] == 200
        assert fetched(watch.url + "state", Host=host, Origin=f"http://{host}")[0] == 200
    root = f"http://127.0.0.1:{port}/"
    for address in (root, root + "state", root + "x/", root + watch.token[:-1] + "/"):
        assert refused(address)[0] == 403
    for headers in (
        {"Host": "evil.example"},
        {"Host": f"evil.example:{port}"},
        {"Host": "127.0.0.1:1"},
        {"Origin": "http://evil.example"},
        {"Origin": f"http://evil.example:{port}"},
        {"Origin": "null"},
    ):
        for page in ("", "state?rows=0"):
            status, said = refused(watch.url + page, **headers)
            assert status == 403
            assert "loss" not in said
            assert watch.name not in said


def test_a_store_that_is_gone_is_said_without_a_traceback(watch, history, tmp_path, capfd):
    history.append(row(0))
    (tmp_path / "run.zarr").rename(tmp_path / "moved.zarr")
    for page in ("", "state?rows=0"):
        status, said = refused(watch.url + page)
        assert status == 503
        assert said.startswith("The store cannot be read")
    (tmp_path / "moved.zarr").rename(tmp_path / "run.zarr")
    assert fetched(watch.url)[0] == 200
    assert capfd.readouterr().err == ""


def test_names_are_shown_as_they_are(browser, history, tmp_path):
    names = ["<b>bold</b>", 'a "quoted" & b', "x<br>y", "<script>window.bad = 1</script>"]
    numbers = {f"numbers/{name}": 1.0 for name in names}
    for look in range(2):
        history.append(row(look, names, **numbers))
    with Watch(tmp_path / "run.zarr") as watch:
        serving = threading.Thread(target=watch.serve_forever)
        serving.start()
        browser.open(watch.url)
        browser.wait_for("document.querySelectorAll('path.js-line').length > 10")
        shown = browser.evaluate("document.body.innerText + document.body.textContent")
        for name in names:
            assert name in shown
        assert "&quot;" not in shown
        assert browser.evaluate("window.bad === undefined")
        browser.send("Page.navigate", url="about:blank")
        watch.shutdown()
        serving.join()


def test_state_is_sent_when_there_is_more(watch, history):
    for look in range(3):
        history.append(row(look))
    status, body = fetched(watch.url + "state?rows=2")
    state = json.loads(body)
    assert (status, state["rows"]) == (200, 3)
    assert list(state["figures"]) == ["start", "before", "collapse", "numbers"]
    lines = {
        (trace["name"], trace["xaxis"]): trace["y"] for trace in state["figures"]["start"]["data"]
    }
    found = history.read()
    for name, axis, column in (
        ("fc", "x", "start cka/fc"),
        ("conv1", "x2", "start procrustes/conv1"),
    ):
        np.testing.assert_array_equal(lines[name, axis], found[column])
    assert fetched(watch.url + "state?rows=3") == (204, b"")
    assert refused(watch.url + "other")[0] == 404


def test_title_names_the_layers_that_moved_most_and_least():
    def training(measures, looks=3):
        columns = {
            name: np.array([row(k).get(name, np.nan) for k in range(looks)]) for name in row(1)
        }
        return Training("run", columns, NOTES | {"measures": measures})

    expected = "Step 100: layer fc has changed most ({}), layer conv1 least ({})"
    measures = NOTES["measures"]
    assert training({"cka": measures["cka"]}).title() == expected.format("cka 0.56", "0.96")
    only = {"procrustes": measures["procrustes"]}
    assert training(only).title() == expected.format("procrustes 0.55", "0.05")
    assert training(measures, 1).title() == "Step 0"
    assert training(measures).lead() == (
        "CNN: 3 looks at the same 300 samples, one in 50 steps. Feature maps and sequences: mean. "
        "Looking has taken 2.0 % of the training's time."
    )
    assert Training("run", {}, NOTES).title() == "No look at the network yet"


def test_long_histories_are_thinned_and_keep_their_end():
    columns = {name: np.full(5001, value) for name, value in row(1).items()}
    columns["step"] = np.arange(5001.0)
    figures = Training("run", columns, NOTES).state()["figures"]
    x = figures["numbers"]["data"][0]["x"]
    assert 350 < len(x) <= 402
    assert (x[0], x[-1]) == (0, 5000)


def test_nan_is_a_gap():
    columns = {name: np.full(3, value) for name, value in row(1).items()}
    columns["start cka/fc"] = np.array([1, np.nan, 0.5])
    traces = Training("run", columns, NOTES).state()["figures"]["start"]["data"]
    assert next(trace["y"] for trace in traces if trace["name"] == "fc") == [1, None, 0.5]


def test_the_page_redraws_as_the_store_grows(browser, watch, history):
    browser.open(watch.url)
    assert browser.evaluate("document.querySelector('h1').textContent") == (
        "No look at the network yet"
    )
    for look in range(2):
        history.append(row(look))
    # It loads itself again, for the figures that it had not.
    browser.wait_for("document.querySelectorAll('path.js-line').length > 10")
    assert_drawn_whole(browser, watch.url)
    before = browser.picture("#start")
    browser.evaluate("window.same = true")
    history.append(row(2))
    browser.wait_for("document.body.dataset.rows === '3'")
    assert browser.evaluate("window.same")
    assert "Step 100: layer fc" in browser.evaluate("document.querySelector('h1').textContent")
    points = "document.getElementById('start').querySelectorAll('path.point').length"
    assert browser.evaluate(points) == 2 * 2 * 3
    assert not np.array_equal(browser.picture("#start"), before)
    assert browser.complaints() == []
    watch.shutdown()
    watch.server_close()
    browser.wait_for("document.querySelector('.lead').textContent.startsWith('The server does')")
    browser.send("Page.navigate", url="about:blank")


def command(*arguments):
    # Ctrl-C is ignored by what a script starts in the background, these tests for example.
    listen = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return start("-m", "likewise", "watch", *arguments, preexec_fn=listen)


def test_command(history, tmp_path):
    history.append(row(0))
    with command(tmp_path / "run.zarr", "--port", "0") as server:
        try:
            line = server.stdout.readline()
            assert line.startswith("Watching 'training' on http://127.0.0.1:")
            assert line.endswith("until Ctrl-C\n")
            assert json.loads(fetched(line.split()[3] + "state?rows=0")[1])["rows"] == 1
            server.send_signal(signal.SIGINT)
            assert server.wait(30) == 0
            assert server.stderr.read() == ""
        finally:
            server.kill()


def test_command_refuses(history, tmp_path):
    store = lw.scale.Store.create(tmp_path / "empty.zarr")
    for given, expected in (
        ([tmp_path / "none.zarr"], "there is no store at"),
        ([tmp_path / "empty.zarr"], "has no history; likewise.torch.Monitor writes one"),
        ([tmp_path / "run.zarr", "--name", "other"], "no history 'other', there is training"),
    ):
        with command(*given) as server:
            assert server.wait(60) == 2
            assert expected in server.stderr.read()
    store.new_history("a")
    store.new_history("b")
    with pytest.raises(ValueError, match="several histories, name one: a, b"):
        Watch(store.path)
