"""Measurements, each a script: ``./run bench NAME`` or ``python -m benchmarks.NAME``. ``data``: preparing pictures."""
