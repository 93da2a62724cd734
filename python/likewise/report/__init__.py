"""Self-contained HTML reports: one file with Plotly inside it; nothing comes from a network."""

from likewise.report.findings import Finding
from likewise.report.page import Cell, Figure, Page, Table
from likewise.report.panels import Panel
from likewise.report.style import control_text, number

__all__ = ["Cell", "Figure", "Finding", "Page", "Panel", "Table", "control_text", "number"]
