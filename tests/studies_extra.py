"""All that the extra `studies` installs: ``pytest.importorskip("studies_extra")`` asks for it."""

import plotly
import scipy
import sklearn
import threadpoolctl
import torch
import typer

__all__ = ["plotly", "scipy", "sklearn", "threadpoolctl", "torch", "typer"]
