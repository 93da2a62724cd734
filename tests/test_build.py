"""What the build decides about the CUDA engine; scripts stand for nvcc and the driver."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DECISION = ROOT / "cmake" / "cuda.cmake"
pytestmark = pytest.mark.skipif(
    not (shutil.which("cmake") and DECISION.exists()),
    reason="needs CMake and the sources",
)

PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(decides LANGUAGES NONE)
set(LIKEWISE_PYTHON ON)
include({decision})
message(STATUS "decided: ${{LIKEWISE_NO_CUDA}}|$ENV{{CUDAARCHS}}")
"""
NVCC_11_8 = "echo 'Cuda compilation tools, release 11.8, V11.8.89'"
NVCC = """
case $1 in
--version) echo 'Cuda compilation tools, release {}' ;;
--list-gpu-arch) printf 'compute_%s\\n' {} ;;
*) exit 1 ;;
esac"""
NVCC_12_4 = NVCC.format("12.4, V12.4.131", "50 80 86 89 90")
NVCC_BROKEN = NVCC.format("13.0, V13.0.88", "75 80 86 90 100 120 121")
DRIVER = "echo 9.0"
NO_DRIVER = "echo 'NVIDIA-SMI has failed'; exit 9"


def decide(folder: Path, choice: str, **programs: str) -> str:
    """The reason and the architectures, or how the configuration ended."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for name, script in programs.items():
        program = bin_folder / name.replace("_", "-")
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    (folder / "CMakeLists.txt").write_text(PROJECT.format(decision=DECISION))
    environment = {name: value for name, value in os.environ.items() if "CUDA" not in name}
    environment["PATH"] = f"{bin_folder}:{environment['PATH']}"
    done = subprocess.run(
        ["cmake", "-S", folder, "-B", folder / "build", f"-DLIKEWISE_CUDA={choice}"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        return " ".join(done.stderr.split())
    return done.stdout.partition("decided: ")[2].partition("\n")[0]


@pytest.mark.parametrize(
    ("choice", "programs", "reason"),
    [
        ("OFF", {"nvidia_smi": DRIVER}, "LIKEWISE_CUDA was OFF"),
        ("AUTO", {"nvidia_smi": NO_DRIVER}, "there was no GPU driver"),
        (
            "AUTO",
            {"nvidia_smi": DRIVER, "nvcc": NVCC_11_8},
            "its nvcc was 11.8, 12.0 is needed",
        ),
        ("AUTO", {"nvidia_smi": DRIVER, "nvcc": "exit 1"}, "bin/nvcc does not run"),
        ("AUTO", {"nvidia_smi": DRIVER, "nvcc": NVCC_BROKEN}, "bin/nvcc could not compile a test"),
        (
            "AUTO",
            {"nvidia_smi": "echo 7.5", "nvcc": NVCC_BROKEN},
            "its GPUs are older than compute capability 8.0",
        ),
    ],
)
def test_without_a_gpu_or_a_compiler_that_serves_there_is_no_cuda_engine(
    tmp_path, choice, programs, reason
):
    assert decide(tmp_path, choice, **programs).partition("|")[0].endswith(reason)


def test_a_cuda_engine_that_is_demanded_and_cannot_be_is_an_error(tmp_path):
    told = decide(tmp_path, "ON", nvcc=NVCC_11_8)
    assert "LIKEWISE_CUDA=ON, but its nvcc was 11.8, 12.0 is needed" in told


@pytest.mark.parametrize(
    ("gpus", "nvcc", "architectures"),
    [
        ("9.0", NVCC_BROKEN, "90-real"),
        ("8.6\\n8.6\\n12.0", NVCC_BROKEN, "86-real;120-real"),
        ("7.5\\n8.9", NVCC_BROKEN, "86"),  # one that nvcc does not know gets PTX of an older one
        ("99.0", NVCC_BROKEN, "121"),
        ("10.0", NVCC_12_4, "90"),
    ],
)
def test_architectures_are_those_of_the_machine_that_nvcc_knows(
    tmp_path, gpus, nvcc, architectures
):
    told = decide(tmp_path, "AUTO", nvidia_smi=f"printf '{gpus}\\n'", nvcc=nvcc)
    assert told.endswith(f"|{architectures}")
