"""Discord as a chat: slash commands, mentions, buttons, modals, threads and files, over the gateway."""
