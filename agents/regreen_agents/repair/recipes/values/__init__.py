"""Repairs of what chance, order, clock, zone and locale decide: one file per way."""
