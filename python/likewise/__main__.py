"""``likewise`` on the command line and ``python -m likewise``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say in one line how to install what it needs."""
    try:
        from likewise.cli import app
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("typer", "rich"):
            raise
        print('likewise: the command line needs pip install "likewise[cli]"', file=sys.stderr)
        sys.exit(2)
    app(prog_name="likewise")


if __name__ == "__main__":
    main()
