"""What is believed of another cluster's answer: nothing that the asking cluster would pass on as its own.

An answer is merged with those of other clusters and shown to a client, its sources as the bytes they came as. So names
must be of the cluster that was asked, sources must be JSON, and lists as long as what was asked for. One that does not
fit is malformed as a whole: the cluster fails, and no other.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from sealane.errors import IllegalArgument
from sealane.model.dsl import Agg, SearchBody, TopHitsAgg
from sealane.reduce.partial import (
    AggPartial,
    Hit,
    InnerHits,
    Partial,
    ShardFailure,
    TopHitsPartial,
)
from sealane.remote.transport.messages import SEARCH
from sealane.remote.transport.messages_phases import (
    CAN_MATCH,
    FETCH,
    OPEN,
    QUERY,
    SCROLL,
    Phase,
    ShardOutcome,
)
from sealane.wire.families.sealane import check_error

_json: Final = msgspec.json.Decoder(msgspec.Raw)
"""Looks at all of the bytes, and makes nothing of them."""


def check_search(partial: Partial, body: SearchBody, alias: str) -> None:
    """Raises IllegalArgument for an answer to a search that the cluster of that alias cannot have given."""
    try:
        if partial.hits:
            _check_hits(partial.hits, alias, len(body.sort))
        if partial.failures:
            _check_failures(partial.failures, alias)
        if partial.profile is not None:
            _check_indices((each.index for each in partial.profile), alias)
        if partial.suggest is not None:
            _check_suggestions(partial, alias)
        if partial.aggs is not None and _brings_hits(body.aggs):
            _check_aggs(partial.aggs, alias)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(SEARCH, error) from error


def check_step(phase: Phase[Any, Any], request: Any, answer: Any, alias: str) -> None:
    """The same of one step of a search in phases."""
    try:
        if phase is QUERY or phase is OPEN:
            _check_outcomes(answer.outcomes, len(request.targets), phase.action)
        elif phase is CAN_MATCH:
            _check_count(answer.matches, len(request.targets), phase.action)
        elif phase is SCROLL:
            _check_outcomes(answer.outcomes, len(request.contexts), phase.action)
            _check_count(answer.targets, len(request.contexts), phase.action)
        elif phase is FETCH:
            _check_count(answer.outcomes, len(request.wanted), phase.action)
            for wanted, outcome in zip(request.wanted, answer.outcomes, strict=True):
                if outcome.error is not None:
                    check_error(outcome.error)
                else:
                    _check_count(outcome.hits, len(wanted.docs), phase.action)
                    _check_contents(outcome.hits, alias)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(phase.action, error) from error


def _check_outcomes(outcomes: Sequence[ShardOutcome], expected: int, action: str) -> None:
    _check_count(outcomes, expected, action)
    for each in outcomes:
        if each.error is not None:
            check_error(each.error)


def _check_count(found: Sequence[Any], expected: int, action: str) -> None:
    if len(found) != expected:
        raise _malformed(action, f"[{len(found)}] answers to [{expected}] questions")


def _check_hits(hits: Sequence[Hit], alias: str, sort_keys: int) -> None:
    _check_indices((hit.index for hit in hits), alias)
    _check_contents(hits, alias)
    if sort_keys and any(hit.sort is not None and len(hit.sort) < sort_keys for hit in hits):
        raise _malformed(SEARCH, f"a hit without its [{sort_keys}] sort values")


def _check_contents(hits: Iterable[Hit], alias: str) -> None:
    for hit in hits:
        source = hit.source
        if source is not None:
            _json.decode(source)
            if not source.isascii():
                source.decode()
        if hit.inner is not None:
            for inner in hit.inner.values():
                _check_inner(inner, alias)


def _check_inner(inner: InnerHits, alias: str) -> None:
    _check_indices((hit.index for hit in inner.hits), alias)
    _check_contents(inner.hits, alias)


def _check_indices(names: Iterable[str], alias: str) -> None:
    prefix = f"{alias}:"
    for name in names:
        if not name.startswith(prefix):
            raise _malformed(SEARCH, f"index [{name}] is not one of remote cluster [{alias}]")


def _check_failures(failures: Sequence[ShardFailure], alias: str) -> None:
    _check_indices((each.index for each in failures if each.index is not None), alias)
    for each in failures:
        check_error(each.error)


def _check_suggestions(partial: Partial, alias: str) -> None:
    for found in (partial.suggest or {}).values():
        for entry in found.entries:
            hits = [option.hit for option in entry.options if option.hit is not None]
            _check_indices((hit.index for hit in hits), alias)
            _check_contents(hits, alias)


def _brings_hits(aggs: Iterable[Agg]) -> bool:
    return any(isinstance(each, TopHitsAgg) or _brings_hits(each.subs) for each in aggs)


def _check_aggs(aggs: Mapping[str, AggPartial], alias: str) -> None:
    for each in aggs.values():
        if isinstance(each, TopHitsPartial):
            _check_inner(each.inner, alias)
            continue
        for bucket in getattr(each, "buckets", ()):
            if bucket.aggs:
                _check_aggs(bucket.aggs, alias)


def _malformed(action: str, problem: object) -> IllegalArgument:
    return IllegalArgument(f"malformed message for action [{action}]: {problem}")
