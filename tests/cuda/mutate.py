"""Break the kernels, one fault at a time, and see which check notices.

    python tests/cuda/mutate.py WORK            all mutants; writes tests/cuda/mutants.json
    python tests/cuda/mutate.py WORK gram lap   those of these kernels, and their part of the table
    python tests/cuda/mutate.py WORK --changed  those of kernels that changed since, and every tenth
                                                of the others, others every day; no table

Faults are those of faults/, and every barrier left out. Checks are the driver under five schedules,
under AddressSanitizer and UndefinedBehaviorSanitizer, and under ThreadSanitizer, in this order; the
first that notices ends it. Exits with 1 if a mutant survives.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from runpy import run_path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("mutants.json")
KERNELS = [
    str(path.relative_to(ROOT / "csrc").with_suffix(""))
    for path in (*sorted(ROOT.glob("csrc/*/cuda/*.cu")), ROOT / "csrc/core/cuda/uploads.cpp")
]  # and what orders streams
FLAVOURS = ("plain", "address", "thread")
SCHEDULES = [{"CUSIM_ORDER": "0"}, {"CUSIM_ORDER": "1"}] + [
    {"CUSIM_ORDER": "2", "CUSIM_SEED": str(seed), "CUSIM_ASYNC": "random"} for seed in (1, 2, 3)
]
SECONDS = {"plain": 8, "address": 60, "thread": 240}


# Common headers with what can be broken, and who uses it; one that includes another comes first.
HEADERS = {
    "linalg/cuda/jacobi.cuh": "pair_of_round(",
    "core/cuda/magnitude.cuh": "largest_magnitude(",
    "core/cuda/columns.cuh": "over_stripes<",
    "core/cuda/nearest.cuh": "block_nearest(",
    "core/cuda/order.cuh": "order.cuh",
    "core/cuda/pairs.cuh": "items_of(",
    "core/cuda/kernel.cuh": "block_sum(",
}


class Mutant(NamedTuple):
    kernel: str
    """A file of csrc, without .cu or .cpp."""
    fault: str
    old: str
    new: str


def told_of(kernel: str) -> dict[str, Any]:
    """What its file in faults/ says."""
    return run_path(str(Path(__file__).with_name("faults") / f"{Path(kernel).name}.py"))


def planted_mutants() -> list[Mutant]:
    """Those of faults/, where every kernel has a file."""
    return [Mutant(kernel, *fault) for kernel in KERNELS for fault in told_of(kernel)["FAULTS"]]


def build_drivers(work: Path) -> None:
    """What is there already stays: .ci/check-cuda builds the same in the same place."""
    switches = {
        "LIKEWISE_PYTHON": "OFF",
        "LIKEWISE_CUDA_SIMULATOR": "ON",
        "Python_EXECUTABLE": sys.executable,
    }
    defined = [f"-D{name}={value}" for name, value in switches.items()]
    commands = [["cmake", "--build", str(work), "--target", "cuda_drivers"]]
    if not (work / "build.ninja").exists():
        commands.insert(0, ["cmake", "-G", "Ninja", "-S", str(ROOT), "-B", str(work), *defined])
    for command in commands:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


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


def build_mutant(kernel: str, broken: Path, work: Path, flavour: str, program: Path) -> bool:
    """The kernel's checks with this file in place of the engine's; false if it does not compile."""
    made = program.with_suffix(".o")
    compiler, *options = compile_options(work)[str(file_of(kernel)), flavour]
    compiled = subprocess.run(
        [compiler, *options, "-w", "-o", str(made), "-c", str(broken)], stderr=subprocess.DEVNULL
    )
    if compiled.returncode:
        return False
    build = work / "tests/cuda"
    names = ("main", Path(kernel).name)
    checks = [str(build / f"CMakeFiles/cuda_checks.dir/driver/{name}.cpp.o") for name in names]
    engine = [str(build / f"libsimulated_engine_{flavour}.a"), str(build / "libcusim.so")]
    sanitizers = [option for option in options if option.startswith("-fsanitize=")]
    where = [f"-Wl,-rpath,{build.resolve()}", "-ldl", "-o", str(program)]
    subprocess.run([compiler, str(made), *checks, *engine, *sanitizers, *where], check=True)
    return True


def file_of(kernel: str) -> Path:
    path = ROOT / f"csrc/{kernel}.cu"
    return path if path.exists() else path.with_suffix(".cpp")


def source_of(kernel: str) -> str:
    """The file, and in it the common headers whose barriers it uses."""
    source = file_of(kernel).read_text()
    for header, use in HEADERS.items():
        if use in source:
            text = (ROOT / f"csrc/{header}").read_text().replace("#pragma once", "")
            source = source.replace(f'#include "{header}"', text)
    return source


def barrier_mutants() -> list[Mutant]:
    """Every barrier left out, every vote of a block made by each thread alone."""
    found = []
    for kernel in KERNELS:
        source = source_of(kernel)
        needless = told_of(kernel).get("NEEDLESS_BARRIERS", ())
        for match in re.finditer(r"__syncthreads\(\);|__syncthreads_or\((\w+)\)", source):
            if source[match.end() :].partition("\n")[0].strip() in needless:
                continue
            line = source.count("\n", 0, match.start()) + 1
            what = "vote made alone" if match[1] else "barrier left out"
            kept = f"({match[1]})" if match[1] else ";"
            broken = source[: match.start()] + kept + source[match.end() :]
            found.append(Mutant(kernel, f"{what}, line {line}", source, broken))
    return found


def noticed(mutant: Mutant, work: Path, tag: str) -> str:
    """The check that noticed and how, "" for none, and for a fault that does not compile."""
    source = source_of(mutant.kernel)
    if source.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.kernel}: {mutant.fault!r} does not fit the source any more")
    broken = work / (tag + file_of(mutant.kernel).suffix)
    broken.write_text(source.replace(mutant.old, mutant.new))
    topic = Path(mutant.kernel).name
    for flavour in FLAVOURS:
        program = work / f"{tag}.driver"
        if not build_mutant(mutant.kernel, broken, work, flavour, program):
            print(f"{mutant.kernel}: {mutant.fault!r} does not compile")
            return ""
        for schedule in SCHEDULES if flavour == "plain" else SCHEDULES[2:3]:
            if how := outcome([str(program), topic], schedule, SECONDS[flavour]):
                return f"{flavour}: {how}"
    return ""


def outcome(command: list[str], schedule: dict[str, str], seconds: int) -> str:
    environment = {**os.environ, **schedule, "TSAN_OPTIONS": "halt_on_error=1:atexit_sleep_ms=0"}
    try:
        run = subprocess.run(
            command, env=environment, capture_output=True, timeout=seconds, errors="replace"
        )
    except subprocess.TimeoutExpired:
        return "never ends"
    output = run.stdout + run.stderr
    for sign, how in {
        "ThreadSanitizer: data race": "data race",
        "AddressSanitizer": "bad address",
        "runtime error:": "undefined behaviour",
    }.items():
        if sign in output:
            return how
    return {0: "", 1: "wrong answer", 2: "error reported"}.get(run.returncode, "crash")


def checksum(kernel: str) -> str:
    return hashlib.sha256(source_of(kernel).encode()).hexdigest()[:16]


def chosen_mutants(kernels: list[str], changed: bool) -> list[Mutant]:
    everything = [*barrier_mutants(), *planted_mutants()]
    if not changed:
        return [mutant for mutant in everything if mutant.kernel in kernels]
    today = datetime.datetime.now(datetime.UTC).date().toordinal()
    return [
        mutant
        for number, mutant in enumerate(everything)
        if mutant.kernel in kernels or number % 10 == today % 10
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("kernels", nargs="*", choices=[[], *(Path(k).name for k in KERNELS)])
    parser.add_argument("--changed", action="store_true")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    kernels = [k for k in KERNELS if not options.kernels or Path(k).name in options.kernels]
    if options.changed:
        kernels = [k for k in KERNELS if table.get(k, {}).get("text") != checksum(k)]
    chosen = chosen_mutants(kernels, options.changed)
    build_drivers(options.work)
    # Whole kernels must pass; of unchanged ones .ci/check-cuda has just seen it.
    whole = [Mutant(k, "none", source_of(k), source_of(k)) for k in kernels]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(
            pool.map(
                lambda job: noticed(job[1], options.work, f"mutant{job[0]}"),
                enumerate([*whole, *chosen]),
            )
        )
    for mutant in whole:
        if how := results.pop(0):
            raise SystemExit(f"{mutant.kernel} without a fault: {how}")
    for mutant, how in zip(chosen, results, strict=True):
        print(f"{mutant.kernel:24} {mutant.fault:48} {how or 'SURVIVES'}")
    if not options.changed:
        date = str(datetime.datetime.now(datetime.UTC).date())
        for kernel in kernels:
            found = {
                mutant.fault: how
                for mutant, how in zip(chosen, results, strict=True)
                if mutant.kernel == kernel
            }
            table[kernel] = {"text": checksum(kernel), "date": date, "noticed": found}
        TABLE.write_text(json.dumps({k: table[k] for k in KERNELS if k in table}, indent=1) + "\n")
    survivors = sum(not how for how in results)
    print(f"{len(results) - survivors} of {len(results)} mutants noticed")
    sys.exit(survivors > 0)


if __name__ == "__main__":
    main()
