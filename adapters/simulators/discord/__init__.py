"""A strict Discord on loopback: REST, gateway, and people who type, click and read."""
