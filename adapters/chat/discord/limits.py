"""Discord's figures, in one place (chat-platforms.md, 4.2; discord.com/developers/docs/resources/message)."""

from __future__ import annotations

CONTENT = 2_000
EMBED_TITLE = 256
EMBED_DESCRIPTION = 4_096
EMBED_FIELDS = 25
FIELD_NAME = 256
FIELD_VALUE = 1_024
FOOTER = 2_048
EMBED_ALL = 6_000
"""Characters over all embeds of a message: titles, descriptions, fields and footers."""
ROWS = 5
ROW_BUTTONS = 5
BUTTON_LABEL = 80
CUSTOM_ID = 100
FILES = 10
FILE_BYTES = 10 * 1024 * 1024
"""What a server without boosts takes (discord.com/developers/docs/reference#uploading-files)."""
THREAD_NAME = 100
MODAL_TITLE = 45
MODAL_INPUTS = 5
INPUT_LABEL = 45
INPUT_PLACEHOLDER = 100
INPUT_VALUE = 4_000
CHOICES = 25
CHOICE = 100
COMMAND_NAME = 32
COMMAND_DESCRIPTION = 100
TOKEN_LIVES_S = 15 * 60
"""An interaction's token answers so long; after it only the bot's own messages can be written."""
NONCE = 25
