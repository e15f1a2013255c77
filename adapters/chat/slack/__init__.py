"""Slack as a chat: commands, mentions, buttons, modals, App Home and files, over Socket Mode or HTTP."""

from adapters.chat.slack.chat import SlackChat
from adapters.chat.slack.opening import Slack, SlackLogin

__all__ = ["Slack", "SlackChat", "SlackLogin"]
