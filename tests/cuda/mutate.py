"""Break the kernels, one fault at a time, and see which check notices.

    python tests/cuda/mutate.py WORK            all mutants; writes tests/cuda/mutants.json
    python tests/cuda/mutate.py WORK --changed  those of kernels that changed since, and every tenth
                                                of the others, another tenth every day

Checks are the driver under five schedules, under AddressSanitizer and UndefinedBehaviorSanitizer,
and under ThreadSanitizer, in this order; the first that notices ends it. Exits with 1 if a mutant
survives.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import scipy_openblas32
from mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("mutants.json")
KERNELS = [
    str(path.relative_to(ROOT / "csrc").with_suffix(""))
    for path in sorted(ROOT.glob("csrc/*/cuda/*.cu"))
]
FLAVOURS = {
    "plain": [],
    "asan": ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"],
    "tsan": ["-fsanitize=thread"],
}
SCHEDULES = [{"CUSIM_ORDER": "0"}, {"CUSIM_ORDER": "1"}] + [
    {"CUSIM_ORDER": "2", "CUSIM_SEED": str(seed), "CUSIM_ASYNC": "random"} for seed in (1, 2, 3)
]
SECONDS = {"plain": 20, "asan": 60, "tsan": 240}


def compile_cpp(*arguments: str) -> None:
    options = ["-std=c++20", "-g1", "-O1", "-ffp-contract=off", "-w"]
    include = [f"-I{ROOT}/tests/cuda/sim", f"-I{ROOT}/csrc"]
    subprocess.run(["g++", *options, *include, *arguments], check=True)


def object_of(work: Path, flavour: str, source: str) -> str:
    return str(work / f"{flavour}.{source.replace('/', '.')}.o")


def compile_simulator(work: Path) -> None:
    """Libraries of their own, without sanitizers; see tests/cuda/CMakeLists.txt."""
    options = ["-fPIC", "-shared", "-Wl,-Bsymbolic-functions"]
    library = str(work / "libcusim.so")
    compile_cpp(*options, *(str(ROOT / source) for source in SIMULATOR), "-o", library)
    directory = Path(scipy_openblas32.get_lib_dir())
    blas = str(next(directory.glob(f"lib{scipy_openblas32.get_library()}.so*")))
    (work / "nvidia").mkdir(exist_ok=True)
    compile_cpp(
        "-fPIC",
        "-shared",
        str(ROOT / "tests/cuda/sim/cublas.cpp"),
        library,
        blas,
        f"-Wl,-rpath,{work.resolve()}:{directory}",
        "-o",
        str(work / "nvidia/libcublas.so.13"),
    )


SIMULATOR = [
    f"tests/cuda/sim/{name}.cpp" for name in ("block", "fiber", "memory", "runtime", "streams")
]
OTHERS = [
    str(path.relative_to(ROOT))
    for place in ("csrc/[!b]*/cuda", "tests/cuda/driver")
    for path in sorted(ROOT.glob(f"{place}/*.cpp"))
]
HEADERS = {"columns": "over_stripes<", "kernel": "block_sum("}  # with barriers, and who uses them


def compile_rest(work: Path) -> None:
    """Everything but the kernel that is broken."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = []
        for flavour, options in FLAVOURS.items():
            for source in OTHERS:
                place = f'-DLIKEWISE_FAKE_LIBRARIES="{work.resolve()}/nvidia"'
                jobs.append(([*options, place, "-c", str(ROOT / source)], flavour, source))
            for kernel in KERNELS:
                kernel_file = str(ROOT / f"csrc/{kernel}.cu")
                jobs.append(([*options, "-x", "c++", "-c", kernel_file], flavour, kernel))
        for done in [
            pool.submit(compile_cpp, *options, "-o", object_of(work, flavour, source))
            for options, flavour, source in jobs
        ]:
            done.result()


def source_of(kernel: str) -> str:
    """The file, and in it the common headers whose barriers it uses."""
    source = (ROOT / f"csrc/{kernel}.cu").read_text()
    for header, use in HEADERS.items():
        if use in source:
            text = (ROOT / f"csrc/core/cuda/{header}.cuh").read_text().replace("#pragma once", "")
            source = source.replace(f'#include "core/cuda/{header}.cuh"', text)
    return source


def barrier_mutants() -> list[Mutant]:
    """Every barrier left out, every vote of a block made by each thread alone."""
    found = []
    for kernel in KERNELS:
        source = source_of(kernel)
        for match in re.finditer(r"__syncthreads\(\);|__syncthreads_or\((\w+)\)", source):
            line = source.count("\n", 0, match.start()) + 1
            what = "vote made alone" if match[1] else "barrier left out"
            kept = f"({match[1]})" if match[1] else ";"
            broken = source[: match.start()] + kept + source[match.end() :]
            found.append(Mutant(kernel, f"{what}, line {line}", source, broken))
    return found


def noticed(mutant: Mutant, work: Path, tag: str) -> str:
    """The check that noticed and how, "" for none."""
    source = source_of(mutant.kernel)
    if source.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.kernel}: {mutant.fault!r} does not fit the source any more")
    broken = work / f"{tag}.cu"
    broken.write_text(source.replace(mutant.old, mutant.new))
    topic = mutant.kernel.rpartition("/")[2]
    for flavour, options in FLAVOURS.items():
        made, program = str(work / f"{tag}.o"), str(work / f"{tag}.driver")
        try:
            compile_cpp(*options, "-x", "c++", "-c", str(broken), "-o", made)
        except subprocess.CalledProcessError:
            raise SystemExit(f"{mutant.kernel}: {mutant.fault!r} does not compile") from None
        rest = [
            object_of(work, flavour, other)
            for other in (*OTHERS, *KERNELS)
            if other != mutant.kernel
        ]
        library = [str(work / "libcusim.so"), f"-Wl,-rpath,{work.resolve()}", "-ldl"]
        subprocess.run(["g++", *options, made, *rest, *library, "-o", program], check=True)
        for schedule in SCHEDULES if flavour == "plain" else SCHEDULES[2:3]:
            if how := outcome([program, topic], schedule, SECONDS[flavour]):
                return f"{flavour}: {how}"
    return ""


def outcome(command: list[str], schedule: dict[str, str], seconds: int) -> str:
    environment = {**os.environ, **schedule, "TSAN_OPTIONS": "halt_on_error=1"}
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--changed", action="store_true")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    everything = [*barrier_mutants(), *MUTANTS]
    chosen = everything
    today = datetime.datetime.now(datetime.UTC).date()
    if options.changed:
        known = json.loads(TABLE.read_text())["kernels"] if TABLE.exists() else {}
        changed = {kernel for kernel in KERNELS if known.get(kernel) != checksum(kernel)}
        chosen = [
            mutant
            for number, mutant in enumerate(everything)
            if mutant.kernel in changed or number % 10 == today.toordinal() % 10
        ]
    compile_simulator(options.work)
    compile_rest(options.work)
    whole = [Mutant(k, "none", source_of(k), source_of(k)) for k in KERNELS]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(
            pool.map(
                lambda job: noticed(job[1], options.work, f"mutant{job[0]}"),
                enumerate([*whole, *chosen]),
            )
        )
    for kernel in KERNELS:  # what is whole must pass
        if how := results.pop(0):
            raise SystemExit(f"{kernel} without a fault: {how}")
    rows = [
        {"kernel": mutant.kernel, "fault": mutant.fault, "noticed": how}
        for mutant, how in zip(chosen, results, strict=True)
    ]
    for row in rows:
        print(f"{row['kernel']:24} {row['fault']:48} {row['noticed'] or 'SURVIVES'}")
    if not options.changed:
        table = {"date": str(today), "kernels": {k: checksum(k) for k in KERNELS}, "mutants": rows}
        TABLE.write_text(json.dumps(table, indent=1) + "\n")
    survivors = sum(not how for how in results)
    print(f"{len(rows) - survivors} of {len(rows)} mutants noticed")
    sys.exit(survivors > 0)


if __name__ == "__main__":
    main()
