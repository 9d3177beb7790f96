"""Files that run inside the target's interpreter: Python 3.8+, pytest 7+, no dependency.

Nothing here is imported by regreen itself; `pytest_runner` starts `launch.py` by its path.
"""
