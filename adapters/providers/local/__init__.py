"""Local: computers of one's own. ``provider`` is the adapter; ``far`` is what runs on the host."""

from adapters.providers.local.hosts import Workstation, workstations
from adapters.providers.local.provider import PROFILE, LocalProvider, this_computer, workstation

__all__ = ["PROFILE", "LocalProvider", "Workstation", "this_computer", "workstation", "workstations"]
