"""The figures side by side, each with the target it has to reach."""

from collections.abc import Callable
from dataclasses import dataclass

from scripts.bench.measure import Measured, Scope
from scripts.bench.wrk import Load

OURS = "Sealane"

_START_TARGET_S = 1.0
_IDLE_TARGET_MB, _LOADED_TARGET_MB = 120.0, 250.0
_BULK_TARGET = 1.5
_RATE_TARGETS: dict[Scope, float] = {"ccs": 1.5, "local": 0.8}
_P50_SHARE, _P50_FLOOR_MS = 0.5, 0.8
_CCS_OVER_LOCAL_TARGET = 2.0


@dataclass(frozen=True, slots=True)
class Row:
    """`values` are by label, `ratio` is ours to the better peer, `is_met` None where it cannot
    be said."""

    section: str
    what: str
    values: dict[str, str]
    ratio: str = ""
    target: str = ""
    is_met: bool | None = None


def rows(measured: list[Measured]) -> list[Row]:
    """Every figure of a run, in the order of the report."""
    ours = next((one for one in measured if one.label == OURS), None)
    peers = [one for one in measured if one.label != OURS]
    made = _single_figures(measured, ours, peers)
    searches = list(dict.fromkeys(name for name, _, _ in measured[0].loads))
    scopes: tuple[Scope, ...] = ("ccs", "local")
    for scope in scopes:
        for name in searches:
            made.append(_rate_row(name, scope, measured, ours, peers))
    for scope in scopes:
        for name in searches:
            made.append(_latency_row(name, scope, measured, ours, peers))
    for name in searches:
        made.append(_ccs_over_local_row(name, measured, ours))
    for name in searches:
        for scope in scopes:
            made.append(_p99_row(name, scope, measured))
    return made


def _single_figures(
    measured: list[Measured], ours: Measured | None, peers: list[Measured]
) -> list[Row]:
    def below(
        what: str, target: float, unit: str, digits: int, figure: Callable[[Measured], float]
    ) -> Row:
        return Row(
            "size and start",
            f"{what}, {unit}",
            {one.label: f"{figure(one):,.{digits}f}" for one in measured},
            ratio=_ratio(figure(ours), [figure(peer) for peer in peers], min) if ours else "",
            target=f"< {target:g} {unit}",
            is_met=None if ours is None else figure(ours) < target,
        )

    bulk_rates = [peer.bulk_documents_per_second for peer in peers]
    return [
        below("start to first answer", _START_TARGET_S, "s", 2, lambda one: one.start_seconds),
        below("memory, idle", _IDLE_TARGET_MB, "MB", 0, lambda one: one.idle_megabytes),
        below("memory, loaded", _LOADED_TARGET_MB, "MB", 0, lambda one: one.loaded_megabytes),
        Row(
            "bulk",
            "documents/s, one client, 1,000 a request",
            {one.label: f"{one.bulk_documents_per_second:,.0f}" for one in measured},
            ratio=_ratio(ours.bulk_documents_per_second, bulk_rates, max) if ours else "",
            target=f">= {_BULK_TARGET} x",
            is_met=(
                ours.bulk_documents_per_second >= _BULK_TARGET * max(bulk_rates)
                if ours and peers
                else None
            ),
        ),
    ]


def _rate_row(
    name: str,
    scope: Scope,
    measured: list[Measured],
    ours: Measured | None,
    peers: list[Measured],
) -> Row:
    def rate(one: Measured) -> float:
        return one.loads[name, scope, 16].per_second

    target = _RATE_TARGETS[scope]
    rates = [rate(peer) for peer in peers]
    return Row(
        f"{scope} queries/s, 16 connections",
        name,
        {one.label: f"{rate(one):,.0f}" for one in measured},
        ratio=_ratio(rate(ours), rates, max) if ours else "",
        target=f">= {target} x",
        is_met=rate(ours) >= target * max(rates) if ours and peers else None,
    )


def _latency_row(
    name: str,
    scope: Scope,
    measured: list[Measured],
    ours: Measured | None,
    peers: list[Measured],
) -> Row:
    def p50(one: Measured) -> float:
        return one.loads[name, scope, 1].p50_ms

    best = [p50(peer) for peer in peers]
    values = {one.label: f"{p50(one):.2f}" for one in measured}
    section = f"{scope} p50, one connection, ms"
    ratio = _ratio(p50(ours), best, min) if ours else ""
    if scope == "local" or not ours or not peers:
        return Row(section, name, values, ratio)
    limit = max(_P50_SHARE * min(best), _P50_FLOOR_MS)
    return Row(section, name, values, ratio, f"<= {limit:.2f}", p50(ours) <= limit)


def _ccs_over_local_row(name: str, measured: list[Measured], ours: Measured | None) -> Row:
    def factor(one: Measured) -> float:
        return one.loads[name, "ccs", 1].p50_ms / one.loads[name, "local", 1].p50_ms

    return Row(
        "ccs p50 over local p50",
        name,
        {one.label: f"{factor(one):.1f} x" for one in measured},
        target=f"<= {_CCS_OVER_LOCAL_TARGET} x",
        is_met=None if ours is None else factor(ours) <= _CCS_OVER_LOCAL_TARGET,
    )


def _p99_row(name: str, scope: Scope, measured: list[Measured]) -> Row:
    def p99s(one: Measured) -> str:
        loads: list[Load] = [one.loads[name, scope, connections] for connections in (1, 16)]
        return " / ".join(f"{load.p99_ms:.1f}" for load in loads)

    return Row(
        "p99, 1 / 16 connections, ms",
        f"{name}, {scope}",
        {one.label: p99s(one) for one in measured},
    )


def _ratio(ours: float, peers: list[float], better: Callable[[list[float]], float]) -> str:
    return f"{ours / better(peers):.2f} x" if peers else ""
