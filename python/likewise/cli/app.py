"""The command line: ``likewise demo``, ``compare``, ``study`` and ``watch``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from likewise._files import write_text
from likewise.activations import load_activations, load_two, parse_size
from likewise.cli import console
from likewise.cli.compare import Comparison, compare, parse_measures, stages, to_csv, to_json
from likewise.report.comparison import comparison_page
from likewise.studies import NAMES, study

app = typer.Typer(
    name="likewise",
    help="How alike are two representations, and under which transformation?",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

_WRITERS: dict[str, Callable[[Sequence[Comparison]], str]] = {
    ".json": to_json,
    ".csv": to_csv,
    ".html": comparison_page,
}


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"likewise {version('likewise')}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


@app.command("demo")
def demo_command(
    out: Annotated[Path, typer.Option(help="The report to write, one HTML file.")] = Path(
        "likewise-demo.html"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
) -> None:
    """Train small networks on handwritten digits and compare everything with everything.

    Takes less than a minute, prints the findings and writes a report to open in a browser.
    """
    _require("demo", "sklearn", "plotly")
    _require_writable(out, [".html"])
    from likewise.studies import demo

    settings = demo.Settings(seed=seed)
    with console.progress(demo.stages(settings) + 1) as advance:
        outcome = demo.outcome(demo.run(settings, advance))
        advance("writing the report")
        with _writing(out):
            write_text(out, outcome.page().html())
    output = console.standard_output()
    console.print_findings(outcome.headline, outcome.findings, output)
    about, shown = outcome.tables[0]
    output.print(about)
    output.print(console.table(shown.header, shown.rows, output))
    print(f"Report: {out.resolve()}")


@app.command("compare")
def compare_command(
    a: Annotated[Path, typer.Argument(metavar="A", help="Activations: .npy, .npz, .safetensors.")],
    b: Annotated[
        Path | None, typer.Argument(metavar="B", help="More activations of the same stimuli.")
    ] = None,
    measure: Annotated[
        str, typer.Option(help="Measures, as in procrustes,cka(estimator=unbiased).")
    ] = "procrustes,cka,permutation_match",
    out: Annotated[
        Path | None, typer.Option(help="Where to write all scores: .json, .csv or .html.")
    ] = None,
    shuffles: Annotated[
        int, typer.Option(min=0, help="Shuffles of the stimuli for the control; 0 for none.")
    ] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the shuffles.")] = 0,
    max_size: Annotated[
        str, typer.Option(help="What a compressed file may unpack to, as in 8GiB.")
    ] = "1GiB",
) -> None:
    """Compare every array of A with every array of B, or of A itself without B.

    Every array (samples, units) of a file is one representation and its name is its label; rows
    are the same stimuli everywhere. Every score comes with its control, the mean and standard
    deviation of the same score over shuffles of the stimuli.
    """
    if out is not None:
        _require_writable(out, list(_WRITERS))
        if out.suffix == ".html":
            _require("report", "plotly")
    if shuffles == 1:
        console.fail("--shuffles must be 0 or at least 2, for a standard deviation")
    try:
        measures = parse_measures(measure)
        most = parse_size(max_size)
        arrays_a, arrays_b = (
            (load_activations(a, max_bytes=most), None)
            if b is None
            else load_two(a, b, max_bytes=most)
        )
        with (
            console.one_line_warnings(),
            console.progress(stages(measures, shuffles)) as advance,
        ):
            comparisons = compare(
                arrays_a, arrays_b, measures, shuffles=shuffles, seed=seed, advance=advance
            )
    except (ValueError, TypeError) as error:
        console.fail(error)
    output = console.standard_output()
    for comparison in comparisons:
        console.print_grid(comparison, output)
    if out is not None:
        with _writing(out):
            write_text(out, _WRITERS[out.suffix](comparisons))
        print(f"Written: {out.resolve()}")


@app.command("study")
def study_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"One of {', '.join(NAMES)}.")],
    quick: Annotated[
        bool, typer.Option("--quick", help="One seed, small networks, less than a minute.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="The folder to write to; likewise-NAME if not given.")
    ] = None,
    models: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.py:FUNCTION",
            help="Of convergence: your networks, as the function returns them in a "
            "likewise.studies.convergence.Networks.",
        ),
    ] = None,
) -> None:
    """Run the study of a paper again: train networks, compare them, report the finding.

    Prints the findings and writes results.json, grids.npz and report.html.
    """
    _require("studies", "sklearn", "scipy", "plotly", "torch")
    if name not in NAMES:
        console.fail(f"NAME must be one of {', '.join(NAMES)}, got {name!r}")
    if models is not None and name != "convergence":
        console.fail(f"--models is an option of the study convergence, not of {name}")
    folder = out or Path(f"likewise-{name}")
    if folder.exists() and not (folder.is_dir() and os.access(folder, os.W_OK)):
        console.fail(f"--out {folder}: is no folder that can be written to")
    module = study(name)
    settings = module.Settings.quick(seed) if quick else module.Settings(seed=seed)
    try:
        given = {} if models is None else {"networks": module.load(models)}
        with (
            console.one_line_warnings(),
            console.progress(module.stages(settings, **given) + 1) as advance,
        ):
            outcome = module.outcome(module.run(settings, advance, **given))
            advance("writing the report")
            with _writing(folder):
                outcome.save(folder)
    except ValueError as error:
        if models is None:
            raise
        console.fail(error)
    console.print_findings(outcome.headline, outcome.findings, console.standard_output())
    print(f"Report: {(folder / 'report.html').resolve()}")


@app.command("watch")
def watch_command(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="What a Monitor writes.")],
    name: Annotated[
        str | None, typer.Option(help="The training, where the store has several.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for one that is free.")] = 8765,
) -> None:
    """Show a training while it goes on, on a page for this machine's browser.

    The training writes STORE with likewise.torch.Monitor; the page redraws as it grows.
    """
    _require("report,scale", "plotly", "zarr")
    from likewise.cli.watch import Watch

    try:
        watch = Watch(store, name, port)
    except (ValueError, OSError) as error:
        console.fail(error)
    with watch, suppress(KeyboardInterrupt):
        print(f"Watching {watch.name!r} on {watch.url} until Ctrl-C", flush=True)
        watch.serve_forever()


def _require(extra: str, *modules: str) -> None:
    """Stop before any work if a module of an extra is not installed."""
    if any(find_spec(module) is None for module in modules):
        console.fail(f'this needs pip install "likewise[{extra}]"')


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """One line for a full disk and its like; what was there is still there."""
    try:
        yield
    except OSError as error:
        console.fail(f"--out {out}: cannot be written ({error.strerror or error})")


def _require_writable(out: Path, suffixes: Sequence[str]) -> None:
    """Stop before any work if the result could not be written."""
    if out.suffix not in suffixes:
        console.fail(f"--out must end in {' or '.join(suffixes)}, got {out}")
    if not out.parent.is_dir():
        console.fail(f"--out {out}: there is no such folder")
    if out.is_dir() or not os.access(out if out.exists() else out.parent, os.W_OK):
        console.fail(f"--out {out}: cannot be written")
