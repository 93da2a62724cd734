"""What is public: the generated lists, imports in any order, and code as users write it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import likewise as lw

ROOT = Path(__file__).parents[1]


def loaded(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_lists_are_current():
    pytest.importorskip("sklearn")
    maker = loaded(ROOT / "tools" / "public_names.py")
    for path, text in maker.written().items():
        assert path.read_text() == text, "run python tools/public_names.py"


def test_every_public_name_exists():
    assert [name for name in lw.__all__ if not hasattr(lw, name)] == []
    assert set(lw.__all__) <= set(dir(lw))
    with pytest.raises(AttributeError, match="module 'likewise' has no attribute 'ckaa'"):
        _ = lw.ckaa


def test_user_code_runs():
    pytest.importorskip("sklearn")
    loaded(ROOT / "tests" / "typed" / "user_code.py").main()


# Some functions are named as the modules that they are in.
CALL_EVERY_FUNCTION = """
import inspect, pathlib, random, sys, types, warnings
import numpy as np
import likewise as lw

root = pathlib.Path(lw.__file__).parent
paths = sorted(path.relative_to(root.parent).with_suffix("") for path in root.rglob("*.py"))
names = [".".join(path.parts).removesuffix(".__init__") for path in paths]
names.remove("likewise.__main__")
random.Random(int(sys.argv[1])).shuffle(names)
missing = []
for name in names:
    try:
        __import__(name)
    except ImportError as error:
        missing.append(f"{name}: {error}")
x, y = np.random.default_rng(0).standard_normal((2, 60, 6))
given = dict.fromkeys(("x", "a", "p", "cost", "similarity", "features", "rdms"), x)
given |= dict.fromkeys(("y", "b", "q"), y) | {"repeats": np.stack([x, y]), "n": 20}
given |= {"items": [x, y], "items_a": [x, y], "items_b": [y], "labels": np.arange(60) % 3}
given |= {"layout": "ntd", "how": "mean", "n_clusters": 2, "k": 5, "name": "cka"}
chosen = {"match_units": {"similarity": x[:6]}, "reduce": {"x": x[None]}, "num_threads": {}}
warnings.simplefilter("ignore")
called = 0
for name in lw.__all__:
    function = getattr(lw, name)
    assert not isinstance(function, types.ModuleType), name
    if inspect.isfunction(function) and name != "register":
        wanted = [
            p.name for p in inspect.signature(function).parameters.values()
            if p.name in given and (p.default is p.empty or p.name == "k")
        ]
        if name == "optimal_transport":
            wanted = ["cost"]
        function(**{key: given[key] for key in wanted} | chosen.get(name, {}))
        called += 1
print(called, "called;", len(names) - len(missing), "imported;", *missing, sep="\\n")
"""


@pytest.mark.parametrize("seed", ["0", "1"])
def test_functions_are_functions_in_whatever_order_modules_are_imported(seed):
    command = [sys.executable, "-c", CALL_EVERY_FUNCTION, seed]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert int(said.split()[0]) > 40, said
    for line in said.splitlines()[2:]:
        assert not line.startswith("likewise.") or "needs" in line or "No module named" in line
