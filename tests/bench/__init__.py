"""Measurements with a baseline beside them; ``make bench``."""
