"""The line to a vendor whose dialect a face speaks, for ``tests/contracts``."""

from __future__ import annotations

from adapters.simulators.faces.face import Face, Wire
from adapters.simulators.faces.transport import FaceTransport


class FaceLine:
    """``cut``: nothing gets through. ``deaf``: what changes something is done, and neither its answer nor a later look
    at it comes through; prices and keys can still be asked for, as a launch needs them first."""

    def __init__(self, face: Face, transport: FaceTransport) -> None:
        self._face, self._transport = face, transport
        self._deaf = False

    @property
    def cut(self) -> bool:
        return self._transport.cut

    @cut.setter
    def cut(self, on: bool) -> None:
        self._transport.cut = on

    @property
    def deaf(self) -> bool:
        return self._deaf

    @deaf.setter
    def deaf(self, on: bool) -> None:
        self._deaf = on
        self._face.clear()
        for kind in ("launch", "destroy", "inspect", "machines") if on else ():
            self._face.plan(kind, Wire.TIMEOUT_AFTER, -1)
