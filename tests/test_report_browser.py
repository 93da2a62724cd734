"""The reports, opened in a real headless Chromium."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from processes import finished

from likewise.report import Figure, Page, Panel

pytest.importorskip("typer")
pytest.importorskip("plotly")
pytest.importorskip("sklearn")


def likewise(*arguments, cwd):
    """Run the command line: its output and its warnings."""
    code, output, errors = finished("-m", "likewise", *arguments, cwd=cwd, timeout=600)
    assert code == 0, errors
    return output, errors


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def demo(folder):
    """The real `likewise demo`, run once."""
    return likewise("demo", "--out", "demo.html", cwd=folder)


def drawn(browser, figure):
    """How many marks of each kind a figure shows, and how many its visible traces ask for."""
    return browser.evaluate(
        f"""(() => {{
          const plot = document.getElementById({json.dumps(figure)});
          const shown = plot.data.filter((trace) => trace.visible !== false);
          const count = (keep) => shown.filter(keep).length;
          const marks = (selector) => plot.querySelectorAll(selector).length;
          const lines = (trace) => trace.mode?.includes("lines") && !trace.fill;
          return {{
            maps: [marks(".heatmaplayer image"), count((t) => t.type === "heatmap")],
            lines: [marks(".scatterlayer path.js-line"), count((t) => t.mode?.includes("lines"))],
            bands: [marks(".scatterlayer .fills path.js-fill"), count((t) => t.fill)],
            points: [marks(".scatterlayer path.point"),
                     shown.filter(lines).reduce((sum, t) => sum + t.x.length, 0)],
            numbers: [marks(".scatterlayer .textpoint"),
                      shown.filter((t) => t.mode === "text").reduce((n, t) => n + t.x.length, 0)],
          }};
        }})()"""
    )


def assert_drawn(browser, figure, **expected):
    """All marks are there, and the picture is not blank."""
    marks = drawn(browser, figure)
    for kind, (present, asked) in marks.items():
        assert present == asked == expected.get(kind, 0), kind
    pixels = browser.picture(f"#{figure}")
    inked = np.any(pixels < 0.95, axis=2)
    assert inked.mean() > 0.02
    # Every quarter of the width has something in it, so no panel is missing.
    assert min(part.mean() for part in np.array_split(inked, 4, axis=1)) > 0.01


def test_the_demo_prints_its_findings_and_writes_one_file(demo, folder):
    assert [path.name for path in folder.iterdir()] == ["demo.html"]
    output, errors = demo
    assert errors == ""
    lines = output.splitlines()
    header = next(line for line in lines if "Procrustes" in line and "CKA, unbiased" in line)
    assert "Permutation match" in header
    shifts = ("trained, noise", "trained, rotation by 90°", "trained, pixel shuffle")
    for state in ("step 0, untrained", "step 512, trained", *shifts):
        (line,) = [line for line in lines if line.startswith(state)]
        assert line.count("±") == 4
    assert str(folder / "demo.html") in lines[-1]


def test_the_demo_report_is_drawn_without_errors(browser, demo, folder):
    browser.open(folder / "demo.html")
    assert browser.complaints() == []
    assert browser.evaluate("document.querySelector('h1').innerText.length") > 20
    cells, panels, layers, steps, shifts = 16, 4, 4, 6, 3
    assert_drawn(browser, "layers", maps=2 * panels, numbers=2 * panels * cells)
    assert_drawn(
        browser,
        "training",
        lines=2 * panels * layers,
        bands=panels * layers,
        points=panels * layers * steps,
    )
    assert_drawn(
        browser,
        "shift",
        lines=2 * panels * shifts,
        bands=panels * shifts,
        points=panels * layers * shifts,
    )


def test_the_buttons_choose_the_networks_in_every_figure(browser, demo, folder):
    browser.open(folder / "demo.html")
    shown = (
        "[...document.querySelectorAll('.plot')].map((plot) => [...new Set(plot.data.filter("
        "(trace) => trace.visible !== false).map((trace) => trace.meta))])"
    )
    assert browser.evaluate(shown) == [[2]] * 3
    before = browser.picture("#layers")
    browser.evaluate("document.querySelectorAll('.choices input')[0].click()")
    assert browser.evaluate(shown) == [[0]] * 3
    assert not np.array_equal(browser.picture("#layers"), before)
    assert_drawn(browser, "layers", maps=8, numbers=128)
    assert browser.complaints() == []


def test_every_number_in_the_tables_has_its_control(browser, demo, folder):
    browser.open(folder / "demo.html")
    cells = browser.evaluate(
        "[...document.querySelectorAll('table:not(.findings) td')].map((cell) => cell.textContent)"
    )
    assert len(cells) == 9 * 4 + 9 * 2
    number = r"−?\d\.\d{4}"
    for cell in cells:
        assert re.fullmatch(rf"−?\d\.\d{{3}}{number} ± {number}", cell), cell


def test_a_page_of_compared_activations(browser, folder):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 5))
    np.savez(folder / "a.npz", **{"<b>1</b> & </script>": x, "2": x[:, :3], "constant": 0 * x})
    likewise("compare", "a.npz", "--measure", "procrustes,cka", "--out", "a.html", cwd=folder)
    browser.open(folder / "a.html")
    assert browser.complaints() == []
    for figure in ("grid-0", "grid-1"):
        assert_drawn(browser, figure, maps=2, numbers=2 * 9)
    labels = browser.evaluate(
        "[...document.querySelectorAll('#grid-0 .ytick text')].map((tick) => tick.textContent)"
    )
    assert labels == ["<b>1</b> & </script>", "2", "constant"]


def test_no_text_can_end_the_script_it_is_in(browser, tmp_path):
    panel = Panel("</script><script>throw new Error('escaped')</script>", {}, {}, [])
    page = Page("<script>", "a & b", "</p>")
    page.figure(Figure("one", "</h2>", "</section>", [panel]))
    (tmp_path / "page.html").write_text(page.html(), encoding="utf-8")
    browser.open(tmp_path / "page.html")
    assert browser.complaints() == []
    assert browser.evaluate("document.querySelector('h1').textContent") == "<script>"


def test_a_broken_page_is_noticed(browser, tmp_path):
    """The checks above can fail: this page throws, logs an error and asks for another host."""
    page = tmp_path / "broken.html"
    page.write_text(
        "<body data-drawn='0'><img src='http://host.invalid/x.png'><script>console.error('logged');"
        "throw new Error('thrown')</script></body>"
    )
    browser.open(page)
    complaints = " ".join(browser.complaints())
    for word in ("logged", "thrown", "request to http://host.invalid"):
        assert word in complaints
