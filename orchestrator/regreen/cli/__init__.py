"""The command line: one module per command group, one module that prints."""
