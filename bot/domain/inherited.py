"""What programs that the bot starts may see of its environment: the rest holds the keys of vendors and chats."""

from __future__ import annotations

from collections.abc import Mapping

KEPT = (
    "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "PIP_CERT", "PIP_INDEX_URL", "PIP_FIND_LINKS",
)  # fmt: skip
"""These alone, by name: a list of what is secret would never be whole. ``PATH`` is said by whoever starts a program."""


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """For a program that is run here as the bot itself is: what is kept, and where programs are found."""
    return {name: environment[name] for name in ("PATH", "LANG", "LC_ALL", *KEPT) if name in environment}
