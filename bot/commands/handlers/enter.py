"""Looking into a machine that runs: its log, its files so far, the way in. Nothing here changes the rental."""

from __future__ import annotations

import shlex
from datetime import timedelta

from bot.commands.handlers import find
from bot.commands.house import House
from bot.commands.spoken import Logs, Pull, Ssh
from bot.domain.errors import Refused
from bot.domain.market import Access
from bot.domain.policy import Deed
from bot.domain.recipe import fill
from bot.domain.rental import Rental
from bot.domain.talk import Kind, Reply, Request, Table
from bot.ports import UnitState
from bot.recipes import BrokenRecipe, asked_for

_BYTES_A_LINE = 400


def _runs(rental: Rental) -> bool:
    return rental.attempt is not None and rental.attempt.access is not None


async def logs(house: House, request: Request, command: Logs) -> Reply:
    """The end of the trainer's log, from the machine or, when it is gone, from the results."""
    rental = await find.meant(house, request, command.rental, Deed.ENTER, "show logs of", _runs)
    attempt = rental.attempt
    if attempt is None or attempt.unit is None or attempt.access is None:
        return _kept_log(house, rental, command.lines)
    look = await house.shell.look(attempt.access, attempt.unit, offset=0)
    start = max(0, look.size - command.lines * _BYTES_A_LINE)
    if start or look.offset < look.size:
        look = await house.shell.look(attempt.access, attempt.unit, offset=start)
    if look.state is UnitState.ABSENT:
        raise Refused(f"{rental.id} has no log on its machine.")
    return _log(rental, look.log, command.lines)


def _kept_log(house: House, rental: Rental, lines: int) -> Reply:
    path = house.results / rental.id / "train.log"
    if not path.is_file():
        raise Refused(
            f"{rental.id} has no log: no training has begun.",
            help=f"history {rental.id} tells what happened.",
        )
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - lines * _BYTES_A_LINE))
        return _log(rental, file.read(), lines)


def _log(rental: Rental, raw: bytes, lines: int) -> Reply:
    text = raw.decode("utf-8", "replace").replace("\r", "\n")
    last = [line for line in text.splitlines() if line.strip()][-lines:]
    return Reply(
        Kind.ANSWER,
        f"{rental.id}: the last {len(last)} lines",
        code="\n".join(last),
        rental=rental.id,
        private=True,
        data={"rental": rental.id, "lines": last},
    )


async def pull(house: House, request: Request, command: Pull) -> Reply:
    """What there is so far, digests verified; where the results lie when it is over."""
    rental = await find.meant(house, request, command.rental, Deed.ENTER, "pull", _runs)
    attempt, job = rental.attempt, rental.job
    dest = house.results / rental.id
    if rental.pulled_at is not None or attempt is None:
        if not rental.results:
            raise Refused(f"{rental.id} has no results.", help=f"history {rental.id} tells what happened.")
        rows = tuple((one.name, str(one.bytes), one.sha256) for one in rental.results)
        return _pulled(rental, f"{rental.id}: the results are in {dest}", rows)
    if job is None or attempt.access is None or attempt.unit is None:
        raise Refused(f"{rental.id} has nothing to pull yet.")
    try:
        outputs = asked_for(job, house.recipes).recipe.outputs
    except BrokenRecipe as error:
        raise Refused(f"{str(error)[:1].upper()}{str(error)[1:]}.", help="Put it back first.") from None
    assert outputs is not None
    patterns = [fill(one, {"name": rental.output_name}) for one in outputs.salvage or outputs.patterns]
    found = await house.shell.fetch(attempt.access, patterns, outputs.folder, dest)
    if not found:
        raise Refused(f"{rental.id} has written nothing yet.", help="Try again after its first checkpoint.")
    rows = tuple((one.name, str(one.bytes), one.sha256) for one in found)
    return _pulled(rental, f"{rental.id}: {len(found)} files so far, in {dest}", rows)


def _pulled(rental: Rental, sentence: str, rows: tuple[tuple[str, ...], ...]) -> Reply:
    files = [{"name": name, "bytes": int(size), "sha256": digest} for name, size, digest in rows]
    table = Table(("file", "bytes", "sha256"), rows)
    return Reply(
        Kind.ANSWER, sentence, tables=(table,), rental=rental.id, data={"rental": rental.id, "files": files}
    )


async def ssh(house: House, request: Request, command: Ssh) -> Reply:
    """The command that opens the machine; the key lies in a 0600 file that is removed with the machine."""
    rental = await find.meant(house, request, command.rental, Deed.ENTER, "enter", _runs)
    attempt = rental.attempt
    if attempt is not None and attempt.ready_at is not None and attempt.access is None:
        raise Refused(
            f"{rental.id} was adopted, and nobody here has a key to its machine.",
            help="Its provider's own console may let you in.",
        )
    if attempt is None or attempt.access is None or attempt.ready_at is None:
        raise Refused(f"{rental.id} has no machine that is ready.", help="'status' shows how far it is.")
    line = await _way_in(house, attempt.access)
    left = (rental.hard_end - house.clock.now()) if rental.hard_end else timedelta(0)
    minutes = max(0, int(left.total_seconds() // 60))
    return Reply(
        Kind.ANSWER,
        f"{rental.id}: its folder is {attempt.access.workdir}; {minutes} min left",
        code=line,
        rental=rental.id,
        private=True,
        data={"rental": rental.id, "command": line},
    )


async def _way_in(house: House, access: Access) -> str:
    if access.kind != "ssh":
        return f"cd {shlex.quote(access.workdir)}"
    words = ["ssh", "-p", str(access.port)]
    if access.key_ref:
        key = await house.store.vault.export(access.key_ref)
        hosts = key.with_name(f"{key.name}.known_hosts")
        place = f"[{access.host}]:{access.port}" if access.port != 22 else access.host
        hosts.write_text("".join(f"{place} {one}\n" for one in access.host_keys), encoding="utf-8")
        words += ["-i", str(key), "-o", "IdentitiesOnly=yes", "-o", f"UserKnownHostsFile={hosts}"]
    words.append(f"{access.user}@{access.host}" if access.user else access.host)
    return shlex.join(words)
