"""What the tests read like: rentals, minutes and dollars."""
