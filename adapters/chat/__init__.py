"""The places where people are."""
