"""The command line."""

from likewise.cli.app import app

__all__ = ["app"]
