"""One HTTP face per vendor over a simulated world: its paths, its words, its quirks, its billing."""
