"""What runs on the rented machine. ``adapters/shell/bundle.py`` sends these files there over stdin, so they are
Python 3.8, standard library only, and import nothing of the house but each other. Our own side imports them too:
both ends of a transfer check names, digests and disks with the same lines."""
