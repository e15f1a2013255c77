"""What runs on the machine, by whatever Python 3.8 or newer is there: standard library only."""
