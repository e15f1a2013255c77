"""The outside world: each adapter keeps a port's promises and translates, nothing more."""
