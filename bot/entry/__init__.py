"""What can be started: ``serve``, ``chat``, ``demo`` and ``env``, a file each."""
