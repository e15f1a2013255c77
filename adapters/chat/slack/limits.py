"""Slack's figures, all in one place (chat-platforms.md, 4.1; the documented ones: api.slack.com/reference).

What is shorter than a limit on purpose says why. Characters are counted as ``text.weight`` counts them, which is never
less than Slack does.
"""

from __future__ import annotations

MESSAGE_BLOCKS = 50
MESSAGE_TEXT = 4_000
"""Advised for ``text``; Slack cuts it at 40,000."""
MESSAGE_CHARACTERS = 13_000
"""All blocks of a message together, then ``msg_blocks_too_long``: hearsay (bolt-js, issue 2509)."""

SECTION_TEXT = 3_000
SECTION_FIELDS = 10
FIELD_TEXT = 2_000
HEADER_TEXT = 150
CONTEXT_ELEMENTS = 10
CONTEXT_TEXT = 2_000
"""Of one element. Not in the documentation; Slack's own libraries hold text objects of a context to it."""
ACTIONS_ELEMENTS = 25

BUTTON_TEXT = 75
BUTTON_VALUE = 2_000
ID = 255
"""``action_id``, ``block_id`` and ``callback_id``."""

OPTIONS = 100
OPTION_TEXT = 75
OPTION_VALUE = 150
"""Options and dialogs as slack-sdk checks them."""

CONFIRM_TITLE = 100
CONFIRM_TEXT = 300
CONFIRM_BUTTON = 30

VIEW_BLOCKS = 100
"""Of a modal and of App Home."""
VIEW_TITLE = 24
"""And of its two buttons."""
PRIVATE_METADATA = 3_000

INPUT_LABEL = 2_000
INPUT_HINT = 2_000
INPUT_VALUE = 3_000
PLACEHOLDER = 150
