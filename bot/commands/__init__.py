"""What people type: one grammar for all chats, from a line to a typed command or a caret under the fault."""
