"""Controlled experiments on a suite, and what may be concluded from them."""
