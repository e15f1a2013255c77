"""Lastcall: rents GPUs from a chat and always closes the tab. `ports.py` is the first file to read."""
