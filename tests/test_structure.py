"""The house: which module may import which, and that both engines are one."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest
import simulated

import likewise

PACKAGE = Path(likewise.__file__).parent
# From the ground up; a module imports from its own floor and from those below.
FLOORS = (
    ("errors", "_files", "_public"),
    ("_border",),
    ("measure",),
    ("topics",),
    ("grid", "inference", "maps"),
    ("calibration", "recommend"),
    ("activations", "scale", "report"),
    ("torch", "studies"),
    ("cli", "__main__"),
)
FLOOR = {name: k for k, names in enumerate(FLOORS) for name in names}
ENGINES = {"likewise._cpu", "likewise._cuda"}
# Besides __repr__, which shows no numbers that it would have to wait for.
ASKING = {
    "likewise.maps.cross_validation": "splits host copies",
    "likewise.maps.estimators": "gives predictions back where samples were",
    "likewise.maps.networks": "names the two places that differ",
    "likewise.scale._sums": "keeps sums where the first batch was",
}
# What one engine has and the other lacks, each with its reason.
ONLY_CPU = {
    "simd": "of this processor",
    "blas": "of this processor",
    "no_cuda": "why this build has no other engine",
    "procrustes_at_once": "tiny calls on devices are launches",
    "kernel_at_once": "tiny calls on devices are launches",
    "assignment_at_once": "tiny calls on devices are launches",
    "first_nonfinite": "devices look by Run.look",
    "EngineConvergenceError": "devices report by Run.finish",
    "procrustes_reordered": "devices compare copies",
    "match_reordered": "devices compare copies",
    "soft_match_reordered": "devices compare copies",
    "mutual_information": "computed on the CPU",
    "information_of_counts": "computed on the CPU",
    "add_joint_counts": "computed on the CPU",
    "UNKNOWN_PAIR": "computed on the CPU",
    "unit_columns": "devices prepare units inside",
    "compared_rdms": "computed on the CPU",
    "ridge_predictivity_of_moments": "computed on the CPU",
}
ONLY_CUDA = {
    "DeviceArray": "NumPy has arrays",
    "Run": "a number of threads",
    "Offload": "items of host memory",
    "DeviceError": "of a device",
    "OutOfMemoryError": "of a device",
    "why_not": "of a device",
    "copy": "NumPy copies",
    "fill_zeros": "NumPy has zeros",
    "count_infinite": "NumPy counts",
    "download": "of a device",
    "upload": "of a device",
    "gather_rows": "NumPy indexes",
    "position_means": "NumPy means",
    "set_library_directories": "of a device",
    "status_facts": "of Run.finish",
    "most_assigned": "of a kernel",
    "most_transported": "of a kernel",
}


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield path, ".".join(("likewise", *(p for p in parts if p != "__init__")))


KNOWN = {name for _, name in modules()}


def imports(path, name):
    """Modules that are imported at the top or inside functions, not for the checker of types."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if inside in KNOWN or inside in ENGINES else node.module


def floor_of(module):
    first = module.split(".")[1] if "." in module else ""
    return FLOOR.get(first, FLOOR["topics"])


def test_only_the_border_imports_an_engine_or_asks_where_arrays_are():
    asking = re.compile(r"\b_cpu\b|\b_cuda\b|engine is |if.* is_device_array|\.place\b")
    for path, name in modules():
        if name.startswith("likewise._border"):
            continue
        assert not ENGINES & set(imports(path, name)), name
        code = "\n".join(line.partition("#")[0] for line in path.read_text().splitlines())
        if name not in ASKING:
            shown = re.sub(r"    def __repr__(?:.|\n)*?(?=\n    def |\n\n\n|\Z)", "", code)
            assert not asking.search(shown), (name, asking.search(shown))


def test_no_arrow_goes_up():
    for path, name in modules():
        if name == "likewise":
            continue  # the door
        for target in set(imports(path, name)) & KNOWN - {"likewise"}:
            assert floor_of(target) <= floor_of(name), f"{name} imports {target}"


def test_no_circle():
    arrows = {
        name: {target for target in imports(path, name) if target in KNOWN - {"likewise", name}}
        for path, name in modules()
        if name != "likewise"
    }
    done, path = set(), []

    def visit(name):
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name in done:
            return
        path.append(name)
        for target in sorted(arrows[name]):
            visit(target)
        path.pop()
        done.add(name)

    for name in sorted(arrows):
        visit(name)


def stub(name):
    """Functions with their arguments, and other names, of a stub and what it takes over."""
    tree = ast.parse((PACKAGE / f"{name}.pyi").read_text())
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = [argument.arg for argument in node.args.args]
        elif isinstance(node, ast.ClassDef):
            found[node.name] = None
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = None
    return found


def test_what_the_engines_do_not_share_is_named():
    assert set(stub("_cpu")) == set(ONLY_CPU)
    assert set(stub("_cuda")) == set(ONLY_CUDA)


def arguments_of(function):
    """As pybind11 writes them into the first line of the docstring, arg0, ... without a name."""
    signature = function.__doc__.splitlines()[0].replace("::", ".")
    return [a.arg for a in ast.parse(f"def {signature}: ...").body[0].args.args]


@pytest.mark.device
@pytest.mark.parametrize("name", ["_cpu", "_cuda"])
def test_an_engine_has_what_its_stub_says(name):
    if name == "_cuda" and simulated.module is None:
        pytest.skip("needs --cuda-simulator")
    engine = simulated.module if name == "_cuda" else importlib.import_module(f"likewise.{name}")
    expected = stub("_engine") | stub(name)
    source = Path(__file__).parent / "cuda/sim/module.cpp"
    simulator = set(re.findall(r'(?:def\(\s*|\(m, )"(\w+)"', source.read_text()))
    public = {n for n in vars(engine) if not n.startswith("_")} - (simulator - set(expected))
    assert public == set(expected)
    for function, arguments in expected.items():
        if arguments is not None and function not in simulator:
            compiled = arguments_of(getattr(engine, function))
            assert len(compiled) == len(arguments), function
            for ours, theirs in zip(arguments, compiled, strict=True):
                assert ours == theirs or theirs.startswith("arg"), function
