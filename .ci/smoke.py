"""What a wheel must do where nothing but NumPy is installed."""

import shutil
import subprocess
import sys

import numpy as np

import likewise as lw

assert not any(shutil.which(name) for name in ("gcc", "g++", "cc", "c++", "cmake"))
config = lw.build_config()
print(config)

rng = np.random.default_rng(0)
x = rng.standard_normal((200, 30))
q = np.linalg.qr(rng.standard_normal((30, 30)))[0]
order = rng.permutation(30)
assert lw.procrustes(x, 3 * x @ q + 1) < 1e-12
assert abs(lw.cka(x, x @ q, estimator="unbiased") - 1) < 1e-12
assert np.array_equal(lw.permutation_match(x[:, order], x).assignment, order)
assert lw.pairwise({"a": x, "b": x @ q}, "cka")["a", "b"] > 0.999

command = subprocess.run(
    [sys.executable, "-m", "likewise", "demo"], capture_output=True, text=True, check=False
)
assert command.returncode == 2, command
assert "pip install" in command.stderr + command.stdout, command
print("the wheel works without compiler and extras")
