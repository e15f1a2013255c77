"""One handler per command: a typed command and who asked, to a Reply. Grouped by what they touch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from bot.commands import spoken
from bot.commands.handlers import (
    approve,
    budget,
    change,
    costs,
    enter,
    market,
    notify,
    orphans,
    rent,
    show,
    snooze,
)
from bot.commands.house import House
from bot.domain.talk import Reply, Request

Handler = Callable[[House, Request, Any], Awaitable[Reply]]

HANDLERS: Mapping[type, Handler] = MappingProxyType(
    {
        spoken.Up: rent.up,
        spoken.Train: rent.train,
        spoken.Status: show.status,
        spoken.Down: change.down,
        spoken.Extend: change.extend,
        spoken.Confirm: change.confirm,
        spoken.Cancel: change.cancel,
        spoken.Offers: market.offers,
        spoken.Estimate: market.estimate,
        spoken.Advise: market.advise,
        spoken.Providers: market.providers,
        spoken.Logs: enter.logs,
        spoken.Pull: enter.pull,
        spoken.Ssh: enter.ssh,
        spoken.Stop: change.stop,
        spoken.History: show.history,
        spoken.Snooze: snooze.snooze,
        spoken.Orphans: orphans.orphans,
        spoken.Approve: approve.approve,
        spoken.Decline: approve.decline,
        spoken.Budget: budget.budget,
        spoken.Costs: costs.costs,
        spoken.Notify: notify.notify,
        spoken.Help: show.help_,
        spoken.Later: show.later,
    }
)
