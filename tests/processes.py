"""Python in processes of their own, on the package that the tests import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import likewise as lw


def start(*arguments: Any, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen:
    path = os.pathsep.join([str(Path(lw.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"} | (env or {}),
        **(streams | options),
    )


def finished(*arguments: Any, timeout: float = 120, **options: Any) -> tuple[int, str, str]:
    """Return code, output and errors of a process that has ended."""
    with start(*arguments, **options) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        finally:
            process.kill()
    return process.returncode, output, errors


def output(*arguments: Any, **options: Any) -> str:
    """Of a process that must end well."""
    code, said, errors = finished(*arguments, **options)
    assert code == 0, errors
    return said


def output_of_variant(simd: str, *arguments: Any) -> str:
    """The same with kernels of one instruction set, if there is one here."""
    code, said, errors = finished(*arguments, env={"LIKEWISE_SIMD": simd})
    if "run on this processor" in errors:
        pytest.skip(f"no {simd} on this processor")
    assert code == 0, errors
    return said
