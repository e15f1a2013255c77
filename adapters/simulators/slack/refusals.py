"""How Slack says no: by its own error names, with HTTP 200, except where a limit of calls was met."""

from __future__ import annotations

from adapters.simulators.slack.things import Json


class Refusal(Exception):
    """``{"ok": false, "error": ...}``; ``extra`` are further fields of the answer (``errors``, ``needed``)."""

    def __init__(self, error: str, **extra: object) -> None:
        super().__init__(error)
        self.error = error
        self.extra = extra

    def body(self) -> Json:
        """The answer as it is sent."""
        return {"ok": False, "error": self.error, **self.extra}


class Limited(Refusal):
    """HTTP 429 with ``Retry-After`` in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("ratelimited")
        self.retry_after = retry_after


def invalid_blocks(where: str, what: str) -> Refusal:
    """A message that breaks a rule of Block Kit; the sentence is for the person who reads the test."""
    said = f"{what} [json-pointer:{where}]"
    return Refusal("invalid_blocks", errors=[said], response_metadata={"messages": [f"[ERROR] {said}"]})
