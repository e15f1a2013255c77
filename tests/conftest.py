"""What every test shares. Heavy things (databases, hosts) live beside the tests that need them."""
