# What .ci/quick and .ci/run share: sourced from the root of the repository, sets `work` (a folder
# that goes at the end, unless CI_WORK names one) and `tools`, a virtual environment in it.
set -Eeuo pipefail
repository=$PWD
if [[ -n ${CI_WORK:-} ]]; then
  work=$CI_WORK
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
tools=$work/tools/bin
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_QUIET=2 PYTHONDONTWRITEBYTECODE=1
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}

section=
section_start=0
timings=

finish_section() {
  if [[ -n $section ]]; then
    local seconds=$((SECONDS - section_start))
    echo "--- $section: $seconds s"
    timings+="${timings:+, }${section%%:*} $seconds"
  fi
}

start_section() {
  finish_section
  section=$1
  section_start=$SECONDS
  printf '\n=== %s\n' "$section"
}

trap 'echo "CI FAILED in section: $section"' ERR

find_python() {
  local candidate
  for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "no Python >= 3.11 found" >&2
  return 1
}
python=$(find_python)
