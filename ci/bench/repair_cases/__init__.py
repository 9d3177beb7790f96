"""Sick projects for the repair benchmarks: what is wrong, how it shows, what must stay true.

The situations are texts (``*.txt``, see `situations.py` for their form), written from what real
suites suffer from and not from what regreen can repair.
"""
