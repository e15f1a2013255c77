"""Ways into a machine: over SSH, or as processes of this computer, with the same promises."""

from adapters.shell.connect import Limits
from adapters.shell.process import ProcessShell
from adapters.shell.shells import Shells
from adapters.shell.ssh import SshShell

__all__ = ["Limits", "ProcessShell", "Shells", "SshShell"]
