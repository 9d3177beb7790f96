"""Repairs of what one test leaves behind for another: one file per way to put it right."""
