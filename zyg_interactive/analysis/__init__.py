"""Analyses of IR and of live values."""
