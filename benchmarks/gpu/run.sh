#!/usr/bin/env bash
# What a machine with a GPU can say of the CUDA engine, in four commands:
#   run.sh 1 OUT    builds; every kernel's checks; public functions beside the CPU   at most 4 min
#   run.sh 2 OUT    times                                                                       5
#   run.sh 3 OUT    device tests on tensors; CuPy, streams, threads, graphs                     5
#   run.sh 4 OUT    compute-sanitizer and Nsight Compute                                        6
# OUT/gpu-N.tar.gz gets the logs, OUT/modules-*.tar.xz what was built; a command builds only where
# they are not there (MODULES=FOLDER: elsewhere) or are of other sources. Needs CUDA 13, and Python
# with torch, pybind11, scikit-build-core, CMake and pytest; no network: WHEELS=FOLDER has the wheel
# of scipy-openblas32 where it is not installed.
#
# run.sh --rehearse N OUT does the same, with the same limits (command 3: twice, the simulator
# computes on the processors), on the simulator of the tests where there is no GPU, and says what it
# leaves out. Its times mean nothing.
set -Eeuo pipefail
cd "$(dirname "$0")/../.."
rehearse=
if [[ $1 == --rehearse ]]; then rehearse=1 && shift; fi
number=$1
OUT=$(mkdir -p "$2" && realpath "$2")
modules=${MODULES:-$OUT}
limits=(0 240 300 300 360) of_file=90
if [[ $rehearse ]]; then limits[3]=600 of_file=240; fi
seconds=${limits[$number]}
export deadline=$(($(date +%s) + seconds - 15))  # the rest is for packing
work=${TMPDIR:-/tmp}/likewise-gpu${rehearse:+-rehearsal}  # always the same: the build knows its place
export logs=$work/logs site=$work/site
rm -rf "$logs" && mkdir -p "$logs" "$site"

# One step: goes on after a failure and remembers it. Usage: step NAME SECONDS COMMAND...
step() {
  local name=${1// /-} limit=$2 start=$SECONDS status=0 left=$((deadline - $(date +%s)))
  shift 2
  if ((left < limit)); then limit=$left; fi
  if ((limit < 1)); then
    echo "$name: not begun, the time is up" | tee -a "$logs/failed"
    return
  fi
  timeout -k 2 "$limit" "$@" >"$logs/$name.log" 2>&1 || status=$?
  if ((status == 0)); then
    echo "$name: good, $((SECONDS - start)) s"
  else
    echo "$name: FAILED with $status, $((SECONDS - start)) s" | tee -a "$logs/failed"
    tail -n 5 "$logs/$name.log" | cut -c -300
  fi
}
export -f step
# One step for each line of the input, several at a time. Usage: steps JOBS NAME SECONDS COMMAND...
steps() {
  local jobs=$1
  shift
  xargs -P "$jobs" -I{} bash -c 'step "$1 {}" "${@:2}" {}' _ "$@"
}
finish() {
  local status=$?
  tar -czf "$OUT/gpu-$number.tar.gz" -C "$logs" .
  if [[ -s $logs/failed ]]; then
    printf '%s\n' "--- failed in $SECONDS s:" "$(cat "$logs/failed")"
    exit 1
  elif ((status)); then
    echo "--- ended with $status"
  else
    echo "--- good in $SECONDS s"
  fi
}
trap finish EXIT

find_wheels() {
  local package
  for package in scipy_openblas32 pybind11; do
    python3 -c "import $package" 2>/dev/null || python3 -m pip install -q --no-index --no-deps \
      --find-links "${WHEELS:?has no wheel of $package}" --target "$work/python" "$package"
  done
}
build() {
  rm -rf "$site" && mkdir -p "$site"  # what was built before the limit stays
  local engine=("-Ccmake.define.CMAKE_CUDA_ARCHITECTURES=$capability-real" -Ccmake.define.LIKEWISE_CUDA=ON)
  if [[ $rehearse ]]; then
    engine=(-Ccmake.define.LIKEWISE_CUDA=OFF -Ccmake.define.LIKEWISE_CUDA_SIMULATOR=ON)
  fi
  python3 -m pip install . -v --no-build-isolation --no-deps --target "$site" --upgrade \
    "-Cbuild-dir=$work/build" -Ccmake.define.LIKEWISE_TESTS=ON "${engine[@]}"
  if [[ $rehearse ]]; then
    cmake --build "$work/build" --target _cudasim cuda_driver_plain
    mv "$work"/build/tests/cuda/{nvidia,_cudasim.*.so,libcusim.so} "$site"
    mv "$work/build/tests/cuda/cuda_driver_plain" "$site/cuda_driver"
  else
    cmake --build "$work/build" --target cuda_driver
    mv "$work/build/tests/cuda/driver/cuda_driver" "$site"
  fi
  echo "$sources" >"$site/sources"
}
pack() {  # OpenBLAS by itself: machines that lend GPUs bring back small files only
  tar -C "$site" -cJf "$OUT/modules-blas.tar.xz" likewise/libscipy_openblas.so &
  tar -C "$site" --exclude=libscipy_openblas.so -cJf "$OUT/modules-engine.tar.xz" .
  wait
}
unpack() {
  local archive
  rm -rf "$site" && mkdir -p "$site"
  for archive in "$modules"/modules-{blas,engine}.tar.xz; do tar -C "$site" -xJf "$archive"; done
}
is_current() { [[ $(cat "$site/sources" 2>/dev/null) == "$sources" ]]; }

capability=0
if [[ ! $rehearse ]]; then
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
  capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .)
fi
sources=$({
  python3 --version
  echo "$capability"
  find csrc cmake python tests/cuda CMakeLists.txt pyproject.toml -type f ! -name '*.so' ! -name '*.pyc' -print0 |
    sort -z | xargs -0 sha256sum
} | sha256sum)
export PYTHONPATH=$site:$work/python PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
is_current || { unpack 2>/dev/null && is_current; } || {
  find_wheels
  export -f build
  export rehearse work capability sources
  step build 200 bash -ec build
  is_current || exit 1
  pack &
}
if [[ $rehearse ]]; then
  simulator=$(echo "$site"/_cudasim.*)
  device=(--simulator "$simulator") testing=(--cuda-simulator "$simulator")
  mkdir -p "$work/build/tests/cuda" && ln -sfn "$site/nvidia" "$work/build/tests/cuda/nvidia"
  export LD_LIBRARY_PATH=$site:$site/likewise${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
else
  device=() testing=(--torch-device cuda)
  # For the driver: torch's cuBLAS, and the OpenBLAS of the CPU engine that it compares with.
  library=$(python3 -c 'import nvidia, pathlib; print(*(str(p) for root in nvidia.__path__ for p in pathlib.Path(root).glob("*/lib")), sep=":")' || true)
  export LD_LIBRARY_PATH=$library:$site/likewise${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
fi
left_out() { echo "$1: left out, there is no GPU"; }
jobs=$(($(nproc) < 8 ? $(nproc) : 8))

case $number in
1)
  "$site/cuda_driver" topics | steps "$jobs" driver 20 "$site/cuda_driver"
  step smoke 90 python3 -W ignore -m benchmarks.gpu.smoke "${device[@]}"
  ;;
2)
  step measure 285 python3 -W ignore -m benchmarks.gpu.measure "${device[@]}"
  cat "$logs/measure.log"
  ;;
3)
  options=(-rf -v -p no:cacheprovider -W default)
  if python3 -c "import pytest_timeout" 2>/dev/null; then
    options+=(--timeout 60)
  else
    echo "no pytest-timeout: a file that hangs ends after $of_file s, and what follows in it is lost"
  fi
  if [[ ! $rehearse ]]; then
    step checks 120 python3 -m benchmarks.gpu.checks &
    options+=(-k "not torch_in_torch_out")
  else
    left_out "CuPy, streams, graphs"
    step checks 60 python3 -W ignore -m benchmarks.gpu.checks --cpu
    # Tensors are on the CPU there; the engine's own library is not built.
    options+=(-k "not (torch_in_torch_out or tensors_of_every or engine_without_a_device)")
  fi
  marks=device
  if [[ $rehearse ]]; then marks='(device|simulator)'; fi
  grep -lE "mark\.$marks" $(ls -S tests/test_*.py) | xargs -n 1 basename -s .py |
    steps "$jobs" tests "$of_file" bash -c 'exec python3 -m pytest "tests/${!#}.py" "${@:1:$#-1}"' _ \
    "${testing[@]}" "${options[@]}"
  wait
  ;;
4)
  if [[ $rehearse ]]; then
    left_out "compute-sanitizer, Nsight Compute"
    exit
  fi
  for tool in memcheck racecheck synccheck initcheck; do
    step "$tool" 20 compute-sanitizer --tool "$tool" --error-exitcode 9 "$site/cuda_driver" grid
    if [[ -s $logs/failed ]]; then break; fi  # it does not run here
    "$site/cuda_driver" topics |
      steps "$jobs" "$tool" 60 compute-sanitizer --tool "$tool" --error-exitcode 9 "$site/cuda_driver"
  done
  for topic in lap flow jacobi_shared ridge; do
    step "ncu $topic" 60 ncu --set full --launch-count 4 -f -o "$logs/$topic" "$site/cuda_driver" "$topic"
  done
  ;;
esac
wait
