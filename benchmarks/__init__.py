"""Benchmarks: our time and each peer's, side by side in one run. See NOTES.md."""
