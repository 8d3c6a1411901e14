"""Many callers at once, and what a check costs them."""

import asyncio
import random

import pytest

from sealane.security.stores.hashing import Hashing
from tests.conformance.security.conftest import ELASTIC, World, basic

AUTHENTICATE = "/_security/_authenticate"


@pytest.mark.slow
async def test_nobody_gets_the_answer_of_another(world: World) -> None:
    """X-112, T-36: 1000 requests of 40 users and 20 keys, some of them wrong, while passwords change."""
    callers: list[tuple[str, str | None]] = []
    for number in range(40):
        name = f"u{number}"
        callers.append((await world.make_user(name, "superuser"), name))
    for by, name in list(callers[:20]):
        key = await world.make_key(f"k{name}", by=by)
        callers.append((key["header"], name))
    callers += [(basic(f"u{number}", "wrong-1"), None) for number in range(3)]
    chosen = random.Random(7)
    found: list[tuple[int, str | None, str | None]] = []

    async def ask(by: str, name: str | None) -> None:
        answer = await world.ask("GET", AUTHENTICATE, by=by)
        found.append((answer.status, answer.body.get("username"), name))

    async with asyncio.TaskGroup() as group:
        for number in range(1_000):
            group.create_task(ask(*chosen.choice(callers)))
            if number % 100 == 0:
                change = {"password": "secret1", "roles": ["superuser"]}
                group.create_task(world.ask("PUT", f"/_security/user/u{number // 100}", change))
    assert len(found) == 1_000
    for status, username, name in found:
        if status == 200:
            assert username == name
        else:
            assert status in (401, 429)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that passwords were checked with."""
    made: list[str] = []
    verify = Hashing.verify

    async def counted(self: Hashing, secret: str, hashed: str) -> bool:
        made.append(hashed)
        return await verify(self, secret, hashed)

    monkeypatch.setattr(Hashing, "verify", counted)
    return made


async def test_unknown_users_cost_what_wrong_passwords_do(world: World, checks: list[str]) -> None:
    """X-110: one check of the same algorithm each, also for users who are disabled or have no password."""
    await world.make_user("u")
    await world.make_user("off")
    await world.ask("PUT", "/_security/user/off/_disable")
    costs = {}
    for name in ("u", "ghost", "off", "kibana_system", "elastic"):
        checks.clear()
        answer = await world.ask("GET", AUTHENTICATE, by=basic(name, "wrong-1"))
        assert answer.status == 401
        costs[name] = [hashed.split("$")[0] for hashed in checks]
    assert set(map(tuple, costs.values())) == {("{PBKDF2}1000",)}


async def test_who_is_known_costs_no_check(world: World, checks: list[str]) -> None:
    """X-90: the bootstrap password among them."""
    await world.ask("GET", AUTHENTICATE, by=ELASTIC)
    assert len(checks) == 1
    for _ in range(5):
        assert (await world.ask("GET", AUTHENTICATE, by=ELASTIC)).status == 200
    assert len(checks) == 1
    world.clock.ms += 20 * 60_000
    await world.ask("GET", AUTHENTICATE, by=ELASTIC)
    assert len(checks) == 2


async def test_a_node_looks_after_its_files_and_old_keys(world: World) -> None:
    """The loop sweeps as it starts, and ends when it is cancelled."""
    key = await world.make_key("k")
    await world.ask("DELETE", "/_security/api_key", {"ids": [key["id"]]})
    world.clock.ms += 8 * 86_400_000
    swept = asyncio.Event()
    world.security.records.on_change(lambda prefix, names: swept.set())
    async with asyncio.TaskGroup() as group:
        running = group.create_task(world.security.run())
        await swept.wait()
        running.cancel()
    assert world.security.statistics().api_keys == 0


async def test_a_password_is_made_up_where_there_is_none(unstarted: World) -> None:
    world = unstarted
    made = await world.security.start()
    assert made is not None
    assert len(made.reveal()) == 20
    assert made.reveal() not in repr(made)
    by = basic("elastic", made.reveal())
    assert (await world.ask("GET", AUTHENTICATE, by=by)).status == 200
    assert await world.security.start() is None
