"""Slack as a chat: commands, mentions, buttons, modals, App Home and files, over Socket Mode or HTTP."""

from adapters.chat.slack.chat import SlackChat
from adapters.chat.slack.opening import Slack, SlackLogin, open_slack

__all__ = ["Slack", "SlackChat", "SlackLogin", "open_slack"]
