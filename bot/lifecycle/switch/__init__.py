"""The dead-man's switch: a program that stays on the machine (``far``), and what the bot tells it (``payload``)."""
