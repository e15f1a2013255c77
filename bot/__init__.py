"""Lastcall: rents GPUs from a chat and always closes the tab. `ports/` is the first folder to read."""
