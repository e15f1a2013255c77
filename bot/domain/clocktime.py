"""Durations and moments as people read them. Moments are aware UTC; local time exists only in a reply."""

from __future__ import annotations

from datetime import datetime, timedelta


def short(length: timedelta) -> str:
    """``2 h 05 min``, ``12 min``, ``45 s``, ``3 d 4 h``; never negative, cut to what a person needs."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 60:
        return (
            f"{minutes} min" if minutes >= 10 or not seconds % 60 else f"{minutes} min {seconds % 60:02d} s"
        )
    if hours < 48:
        return f"{hours} h" if not minutes % 60 else f"{hours} h {minutes % 60:02d} min"
    return f"{days} d" if not hours % 24 else f"{days} d {hours % 24} h"


def utc(moment: datetime) -> str:
    """``14:05 UTC``; callers that know the reader's zone use it instead."""
    return moment.strftime("%H:%M UTC")
