"""The bench's part `security`: how its figures become rows, and what it sends."""

import pytest
from scripts.bench import checks, secured, wrk
from scripts.bench.rows import OURS, Row
from scripts.bench.secured import OFF, Cell, Found, Turn
from scripts.bench.workloads import Workload


def _found(rates: list[float], p50s: list[float], *, handshakes: int = 0) -> Found:
    """By way: off, then one with security; off does 1,000 a second at 1 ms."""
    found = Found(handshakes=handshakes)
    for connections in (16, 1):
        found.turns[Cell("match", "ccs", connections, OFF)] = [Turn(1000, 1.0, 0.5)] * len(rates)
        found.turns[Cell("match", "ccs", connections, "key")] = [
            Turn(rate, p50, 0.6) for rate, p50 in zip(rates, p50s, strict=True)
        ]
    return found


def _row(found: Found, section: str, what: str) -> Row:
    (row,) = (each for each in secured.rows(found) if section in each.section and each.what == what)
    return row


@pytest.mark.parametrize(("rates", "met"), [([700, 760, 600], True), ([700, 740, 600], False)])
def test_the_best_of_the_turns_is_judged_by_security_off(rates: list[float], met: bool) -> None:
    row = _row(_found(rates, [1.0] * 3), "queries/s", "match, key")
    assert row.is_met is met
    assert row.values == {OURS: f"{rates[1]:,} ({rates[1] / 1000:.0%})"}


@pytest.mark.parametrize(("p50s", "met"), [([1.5, 1.25, 3.0], True), ([1.5, 1.4, 3.0], False)])
def test_the_time_of_one_search_is_judged_by_how_much_more_it_is(
    p50s: list[float], met: bool
) -> None:
    row = _row(_found([1000] * 3, p50s), "p50", "match, key")
    assert row.is_met is met
    assert row.values == {OURS: f"{p50s[1]:.2f} ({p50s[1] - 1:+.2f})"}


@pytest.mark.parametrize(("handshakes", "met"), [(0, True), (1, False)])
def test_no_connection_may_be_opened_while_searches_run(handshakes: int, met: bool) -> None:
    found = _found([1000], [1.0], handshakes=handshakes)
    row = _row(found, "handshakes", "connections opened while searches were measured")
    assert row.is_met is met


def test_security_off_and_cpu_are_shown_without_a_verdict() -> None:
    found = _found([1000], [1.0])
    assert _row(found, "queries/s", "match, off").is_met is None
    row = _row(found, "CPU", "match, ccs, key")
    assert (row.is_met, row.values) == (None, {OURS: "0.60 (120%)"})


def test_checks_of_who_is_known_have_a_target_and_no_others() -> None:
    made = checks.rows({checks.CACHED[0]: 3.0, checks.CACHED[1]: 30.0, "another": 30.0})
    assert [row.is_met for row in made] == [True, False, None]


def test_each_check_is_one_that_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_PASS_S", 0.0)
    assert set(checks.CACHED) < set(checks.measure(0))


def test_requests_show_what_they_are_told_to() -> None:
    search = Workload("match", ("{}",))
    assert "Authorization" not in wrk.lua_script("/a/_search", search)
    script = wrk.lua_script("/a/_search", search, "Basic YTpi")
    assert (
        'headers = { ["Content-Type"] = "application/json", Authorization = "Basic YTpi" }'
        in script
    )
