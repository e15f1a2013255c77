"""Places that rent machines, each behind the port ``bot.ports.Provider``."""
