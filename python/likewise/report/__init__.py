"""Self-contained HTML reports: one file with Plotly inside it; nothing comes from a network."""

from .page import Figure, Page, Table
from .panels import Panels
from .style import number, with_control

__all__ = ["Figure", "Page", "Panels", "Table", "number", "with_control"]
