"""The bench's part `replication`: how its figures become rows, and that what it writes can be sent again."""

import json
from dataclasses import replace

import pytest
from scripts.bench import replication
from scripts.bench.follower_pair import bodies
from scripts.bench.replication import Copied, Cost, Found, Restart, Speed
from scripts.bench.rows import OURS, Row

_MET = Found(
    speed=Speed(while_writing=9_000, catching_up=20_000),
    cost=Cost(alone=20.0, followed=22.0, follower=18.0),
    lags_ms=[3.0] * 99 + [2_000.0],
    idle_percent=1.0,
    copied=Copied(documents=1_000_000, seconds=50.0, megabytes=200.0),
    restarts=[Restart(1_000_000, "killed", answers=0.8, goes_on=1.1)],
)


def _missed(found: Found) -> list[str]:
    return [row.what for row in replication.rows(found) if row.is_met is False]


def test_all_targets_can_be_met() -> None:
    rows: list[Row] = list(replication.rows(_MET))
    assert [row.is_met for row in rows].count(True) == 7
    assert _missed(_MET) == []


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (replace(_MET, speed=Speed(7_999, 20_000)), "while one client writes"),
        (replace(_MET, speed=Speed(9_000, 7_999)), "catching up"),
        (replace(_MET, cost=Cost(20.0, 23.1, 18.0)), "with one"),
        (replace(_MET, lags_ms=[3.0] * 90 + [1_001.0] * 10), "p99"),
        (replace(_MET, idle_percent=5.5), "idle"),
        (replace(_MET, copied=Copied(1_000_000, 181.0, 200.0)), "copy"),
        (replace(_MET, restarts=[Restart(10, "killed", 1.0, 2.1)]), "goes on"),
    ],
)
def test_what_misses_its_target_is_told(found: Found, what: str) -> None:
    (missed,) = _missed(found)
    assert what in missed


def test_what_a_follower_adds_is_told_beside_the_cost() -> None:
    (row,) = (row for row in replication.rows(_MET) if row.what == "with one")
    assert row.values == {OURS: "22.0 (+10%)"}


def test_a_bulk_names_no_ids() -> None:
    for body in bodies(3):
        lines = [json.loads(line) for line in body.splitlines()]
        assert lines[::2] == [{"index": {}}] * 3
        assert all(set(source) == {"at", "service", "took", "message"} for source in lines[1::2])
