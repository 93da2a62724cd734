"""What works on torch models: measures as differentiable operators, guidance, collapse.

``procrustes``, ``shape_distance``, ``cka``, ``hsic``, ``nuclear_norm`` and ``rsa`` with a smooth
comparison take tensors that require grad, in ``torch.func`` transforms and ``torch.compile`` too.
Importing this module registers their operators; the functions do so themselves when they meet such
a tensor.
"""

from likewise.torch import autograd as autograd
from likewise.torch.collapse import CollapseMonitor
from likewise.torch.guidance import Guidance, GuidanceStep, even_layer_map

__all__ = ["CollapseMonitor", "Guidance", "GuidanceStep", "even_layer_map"]
