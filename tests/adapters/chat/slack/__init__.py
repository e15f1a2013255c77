"""Slack: how replies look, and the whole story of a rental there."""
