"""Break a kernel, one small change of its source at a time, and see whether its checks notice.

    python tests/cuda/mutate.py WORK csrc/rsa/cuda/ranks.cu ...     builds the simulator in WORK

For a new kernel, by hand. Each barrier is left out, comparisons are turned or take or lose what is
equal, minima become maxima, bounds and indices are off by one, sums begin anew. The driver's topic
of that name runs under several schedules, then under ThreadSanitizer. Prints what nobody noticed:
a check that is missing, or a change that changes nothing. Exits with 1 if there is such a one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
# The driver that finds most in least time comes first; the other one runs for what it leaves.
CHECKS = {
    "plain": [{"CUSIM_ORDER": "0"}, {"CUSIM_ORDER": "1"}]
    + [{"CUSIM_ORDER": "2", "CUSIM_SEED": seed, "CUSIM_ASYNC": "random"} for seed in "12"],
    "thread": [{"CUSIM_ORDER": "2", "CUSIM_SEED": "1", "CUSIM_ASYNC": "random"}],
}
SECONDS = {"plain": 20, "thread": 240}
SWAPPED = [(" < ", " <= "), (" > ", " >= "), (" == ", " != "), ("min(", "max("), (" + ", " - ")]
FAULTS = {re.escape(a): b for one, other in SWAPPED for a, b in ((one, other), (other, one))} | {
    r"__sync(threads|warp)\(\);": ";",
    r"__syncthreads_or\((\w+)\)": r"(\1)",
    r" [+-] 1\b": "",
    r" \+= ": " = ",
}


class Mutant(NamedTuple):
    kernel: Path
    line: int
    fault: str
    source: str


def mutants_of(kernel: Path) -> list[Mutant]:
    lines = kernel.read_text().split("\n")
    found = []
    for number, line in enumerate(lines):
        code = line.partition("//")[0]
        if re.match(r"\s*(#|template|using|static_assert)", code):
            continue
        for pattern, replacement in FAULTS.items():
            for match in re.finditer(pattern, code):
                broken = line[: match.start()] + match.expand(replacement) + line[match.end() :]
                source = "\n".join([*lines[:number], broken, *lines[number + 1 :]])
                fault = f"{line.strip()[:50]}  ->  {broken.strip()[:50]}"
                found.append(Mutant(kernel, number + 1, fault, source))
    return found


def build_driver(work: Path, flavour: str) -> None:
    """What is there already stays: .ci/check-cuda builds the same in the same place."""
    if not (work / "build.ninja").exists():
        switches = ("LIKEWISE_PYTHON=OFF", "LIKEWISE_CUDA_SIMULATOR=ON")
        defined = [f"-D{switch}" for switch in (*switches, f"Python_EXECUTABLE={sys.executable}")]
        subprocess.run(["cmake", "-G", "Ninja", "-S", ROOT, "-B", work, *defined], check=True)
    subprocess.run(["cmake", "--build", work, "--target", f"cuda_driver_{flavour}"], check=True)


@cache
def compile_options(work: Path) -> dict[tuple[str, str], list[str]]:
    """With what the build compiles each file for each flavour, precompiled headers and all."""
    told = subprocess.check_output(["ninja", "-t", "compdb"], cwd=work, text=True)
    found = {}
    for entry in json.loads(told):
        if target := re.search(r"simulated_engine_(\w+)\.dir", entry["output"]):
            command = shlex.split(entry["command"])
            found[entry["file"], target[1]] = command[: command.index("-MD")]
    return found


@cache
def link_command(work: Path, flavour: str) -> tuple[list[str], list[str]]:
    """What links the driver, before and after the name of the program."""
    command = ["ninja", "-t", "commands", f"cuda_driver_{flavour}"]
    told = subprocess.check_output(command, cwd=work, text=True).splitlines()[-1]
    words = shlex.split(told)[2:-2]  # ": && ... && :"
    at = words.index("-o")
    return words[:at], words[at + 2 :]


def build(mutant: Mutant, work: Path, flavour: str, program: Path) -> bool:
    """The kernel's checks with the mutant in place of it; false if it does not compile."""
    broken, made = program.with_suffix(".cu"), program.with_suffix(".o")
    broken.write_text(mutant.source)
    command = compile_options(work)[str(mutant.kernel), flavour]
    compiled = [*command, "-w", "-o", made, "-c", broken]
    if subprocess.run(compiled, stderr=subprocess.DEVNULL).returncode:
        return False
    before, after = link_command(work, flavour)
    subprocess.run([*before, made, "-o", program, *after], cwd=work, check=True)
    return True


def noticed(mutant: Mutant, work: Path, flavour: str, tag: str) -> bool:
    """Whether a schedule gives a wrong answer, an error, a race or no end; what does not compile
    is noticed too."""
    program = work / f"{tag}.driver"
    if not build(mutant, work, flavour, program):
        return True
    for schedule in CHECKS[flavour]:
        environment = {**os.environ, **schedule, "TSAN_OPTIONS": "halt_on_error=1"}
        command = ["timeout", str(SECONDS[flavour]), program, mutant.kernel.stem]
        if subprocess.run(command, env=environment, capture_output=True, check=False).returncode:
            return True
    return False


def survivors_of(mutants: list[Mutant], work: Path, flavour: str) -> list[Mutant]:
    build_driver(work, flavour)
    for kernel in {mutant.kernel for mutant in mutants}:
        if noticed(Mutant(kernel, 0, "", kernel.read_text()), work, flavour, "whole"):
            raise SystemExit(f"{kernel.name} fails its checks as it is ({flavour})")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(noticed, m, work, flavour, f"mutant{k}") for k, m in enumerate(mutants)]
    return [mutant for mutant, job in zip(mutants, jobs, strict=True) if not job.result()]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("kernels", nargs="+", type=Path, help="with a topic in driver/ each")
    parser.add_argument("--most", type=int, default=200, help="mutants, drawn at random (200)")
    options = parser.parse_args()
    mutants = [mutant for kernel in options.kernels for mutant in mutants_of(kernel.resolve())]
    if len(mutants) > options.most:
        mutants = sorted(random.Random(0).sample(mutants, options.most))
    survivors = mutants
    for flavour in CHECKS:
        if survivors:
            survivors = survivors_of(survivors, options.work.resolve(), flavour)
    for mutant in survivors:
        print(f"{mutant.kernel.name}:{mutant.line}: {mutant.fault}")
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} mutants noticed")
    sys.exit(bool(survivors))


if __name__ == "__main__":
    main()
