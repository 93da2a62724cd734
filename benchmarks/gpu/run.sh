#!/usr/bin/env bash
# Everything that a machine with a GPU can say of the CUDA engine, in one command of some minutes:
# builds it for that card, checks the kernels with and without compute-sanitizer, runs the device
# tests on real arrays, compares answers with the CPU's, and measures. Needs CUDA 13, Python with
# torch, pybind11, scikit-build-core and pytest, and no network.
#
#   benchmarks/gpu/run.sh OUT [WHEELS]    writes OUT/gpu.json and logs; WHEELS: a folder that has
#                                         the scipy-openblas32 wheel, where it is not installed
set -Eeuo pipefail
cd "$(dirname "$0")/../.."
out=$(mkdir -p "$1" && realpath "$1")
wheels=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=()

step() {  # NAME SECONDS COMMAND...: goes on after a failure, and tells of it at the end
  local name=$1 limit=$2 start=$SECONDS
  shift 2
  if timeout "$limit" "$@" >"$out/$name.log" 2>&1; then
    echo "$name: good, $((SECONDS - start)) s"
  else
    echo "$name: FAILED (see $name.log), $((SECONDS - start)) s"
    tail -5 "$out/$name.log"
    failed+=("$name")
  fi
}

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)

python -m venv --system-site-packages "$work/env"
export PATH=$work/env/bin:$PATH
[[ -z $wheels ]] || pip install -q --no-index --find-links "$wheels" scipy-openblas32
build_driver() {
  printf '%s\n' csrc/[!b]*/cuda/*.cu csrc/[!b]*/cuda/*.cpp tests/cuda/driver/*.cpp |
    xargs -P "$(nproc)" -I{} sh -c 'nvcc -std=c++20 -O2 -lineinfo "-arch=sm_$2" -Icsrc \
      -Itests/cuda/driver -c "$1" -o "$3/$(echo "$1" | tr / .).o"' _ {} "$capability" "$work"
  nvcc "-arch=sm_$capability" "$work"/*.o -ldl -o "$work/driver"
}
build_driver >"$out/driver-build.log" 2>&1 &
driver_build=$!
step build 400 pip install . -v --no-build-isolation --no-deps \
  -C "cmake.define.CMAKE_CUDA_ARCHITECTURES=$capability-real" -C cmake.define.LIKEWISE_CUDA=ON
wait "$driver_build" || failed+=(driver-build)

# torch's cuBLAS, for the driver that has no torch.
library=$(python -c 'import nvidia, pathlib; print(*(str(p) for root in nvidia.__path__ for p in pathlib.Path(root).glob("*/lib")), sep=":")' || true)
export LD_LIBRARY_PATH=$library${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
step driver 60 "$work/driver"
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck synccheck initcheck; do
    step "$tool" 90 compute-sanitizer --tool "$tool" --error-exitcode 9 "$work/driver"
  done
fi
files=(tests/test_{accumulator,assignment_match,cca,ceiling,grid,inference,kernels,lasso,linalg}.py
  tests/test_{measures,neighbours,network,procrustes,reduce,regression,rsa,transport}.py)
if python -c "import hypothesis" 2>/dev/null; then files+=(tests/test_assignment.py); fi
step tests 180 python -m pytest -q -p no:cacheprovider --torch-device cuda \
  -k "not torch_in_torch_out" "${files[@]}"
step measure 240 python -m benchmarks.gpu.measure --json "$out/gpu.json"
cat "$out/measure.log"
if ((${#failed[@]})); then
  echo "FAILED: ${failed[*]}"
  exit 1
fi
