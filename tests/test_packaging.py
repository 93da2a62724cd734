"""What is installed, what it imports and what it says about itself."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import re
import shutil
import sys
from pathlib import Path

import pytest
from processes import output

import likewise as lw

PACKAGE = Path(lw.__file__).parent


def installed_metadata() -> importlib.metadata.PackageMetadata:
    distribution = importlib.metadata.distribution("likewise")
    if Path(str(distribution.locate_file("likewise"))).resolve() != PACKAGE.resolve():
        pytest.skip("this package was not imported from where it is installed")
    return distribution.metadata


def test_import_brings_numpy_and_nothing_heavier():
    heavy = "torch scipy sklearn pandas matplotlib plotly typer rich safetensors jax cupy"
    loaded = output(
        "-c", f"import likewise, sys; print([m for m in {heavy.split()} if m in sys.modules])"
    )
    assert loaded.strip() == "[]"


def test_what_needs_more_says_so_and_the_rest_works():
    said = output(
        "-c",
        "import sys; sys.modules['sklearn'] = sys.modules['sklearn.base'] = None\n"
        "import likewise as lw\n"
        "assert {'maps', 'scale'} <= set(dir(lw)) and lw.scale.Accumulator('cka')\n"
        "try:\n    lw.maps\nexcept ImportError as error:\n    print(error)\n"
        "try:\n    lw.mapps\nexcept AttributeError as error:\n    print(error)",
    )
    assert said.splitlines() == [
        "likewise.maps needs scikit-learn 1.6 or newer: pip install likewise[maps]",
        "module 'likewise' has no attribute 'mapps'",
    ]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="NumPy refuses them there")
def test_sub_interpreters_are_refused():
    code = (
        "import _xxsubinterpreters as interpreters\n"
        "try:\n"
        "    interpreters.run_string(interpreters.create(), 'import likewise; likewise.cka')\n"
        "except interpreters.RunFailedError as error:\n    print(error)"
    )
    said = output("-c", code, timeout=60)
    assert "ImportError" in said
    assert "likewise cannot be imported in a sub-interpreter" in said


def test_the_package_carries_its_blas_and_the_licence():
    licence = (PACKAGE / "LICENSE-OpenBLAS.txt").read_text()
    assert "OpenBLAS" in licence
    assert "LAPACK" in licence
    assert "GCC" in licence
    assert (PACKAGE / "py.typed").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_package_finds_its_blas_wherever_it_is_moved(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "likewise")
    code = """
import sys
sys.path.insert(0, {!r})
import likewise._cpu
print({{line.split()[-1] for line in open("/proc/self/maps") if "libscipy_openblas.so" in line}})
"""
    loaded = output("-c", code.format(str(tmp_path)), cwd=tmp_path)
    assert ast.literal_eval(loaded) == {str(tmp_path / "likewise" / "libscipy_openblas.so")}


def test_numpy_is_the_only_requirement():
    requirements = installed_metadata().get_all("Requires-Dist") or []
    core = [r for r in requirements if "extra ==" not in r]
    assert [re.match(r"\w+", r)[0] for r in core] == ["numpy"]


def test_metadata_is_complete():
    metadata = installed_metadata()
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    extras = {"cli", "report", "demo", "test", "bench"}
    assert extras <= set(metadata.get_all("Provides-Extra") or [])
    assert metadata["Version"] == lw.build_config()["version"]


def test_build_config_describes_this_build():
    config = lw.build_config()
    assert config["simd"] in ("baseline", "avx2", "avx512")
    assert config["blas"].startswith("OpenBLAS")
    assert config["threads"] >= 1
    assert config["cuda"] is (importlib.util.find_spec("likewise._cuda") is not None)


@pytest.mark.parametrize(
    "name",
    ["", "cuda", "maps", "scale", "studies", "torch", "torch.metrics", "truncation", "typing"],
)
def test_modules_list_their_public_names_and_nothing_else(name):
    for needed in {"torch": ["torch"], "torch.metrics": ["torch", "torchmetrics"]}.get(name, []):
        pytest.importorskip(needed)
    if name == "maps":
        pytest.importorskip("sklearn")
    module = importlib.import_module(f"likewise.{name}".rstrip("."))
    listed = dir(module)
    assert set(module.__all__) <= set(listed)
    modules = {"cuda", "maps", "scale", "studies", "torch", "truncation", "typing", "__version__"}
    assert set(listed) - set(module.__all__) <= (modules if not name else set(lw.studies.NAMES))
    for public in module.__all__:
        assert getattr(module, public) is getattr(module, public)
        assert public in vars(module)  # looked up once


def test_the_version_is_that_of_the_package():
    assert lw.__version__ == importlib.metadata.version("likewise")


def test_torch_models_without_torch_say_what_to_install():
    said = output(
        "-c",
        "import sys; sys.modules['torch'] = None\n"
        "import likewise as lw\n"
        "try:\n    lw.torch\nexcept ImportError as error:\n    print(error)",
    )
    assert said.strip() == 'likewise.torch needs PyTorch: pip install "likewise[torch]"'
