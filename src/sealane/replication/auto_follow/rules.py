"""What a rule does about the indices of its remote cluster, decided on plain data. Pure: nothing is followed here.

Rules of one remote look at each other: an index that two of them name is followed by neither, so that which comes first
never decides what it is called.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sealane.errors import ApiError, IllegalArgument, IllegalState
from sealane.model.followers import AutoFollowPattern, FollowRequest
from sealane.model.patterns import matches
from sealane.model.replication import Following, IndexSummary, LeaderCluster

PLACEHOLDER: Final = "{{leader_index}}"
NAME_MAX_BYTES: Final = 255
ABSENT_MAX: Final = 10_000
"""Of the indices that a rule has dealt with and its leader shows no more, the last ones that are remembered."""
_BACKING: Final = re.compile(r"\.ds-(.+)-(\d{4}\.\d{2}\.\d{2})(-\d+)")


@dataclass(frozen=True, slots=True)
class Follow:
    """To be followed. The rule has dealt with the index once that has begun."""

    pattern: AutoFollowPattern
    index: IndexSummary
    request: FollowRequest


@dataclass(frozen=True, slots=True)
class Handled:
    """Nothing to do, now or later; `error` says why where somebody should know."""

    pattern: AutoFollowPattern
    index: IndexSummary
    error: ApiError | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Not followed as things stand: looked at again the next time."""

    pattern: AutoFollowPattern
    index: IndexSummary
    error: ApiError


Decision = Follow | Handled | Refused
FollowingOf = Callable[[str], Following | None]
"""Whom the local index of that name follows, None where there is none or it follows nobody."""


def check_pattern_name(name: str) -> str | None:
    """What is wrong with a rule's name, None where nothing is."""
    if "," in name:
        return "[name] name must not contain a ','"
    if name.startswith("_"):
        return "[name] name must not start with '_'"
    size = len(name.encode("utf-8", "surrogatepass"))
    if size > NAME_MAX_BYTES:
        return f"[name] name is too long ({size} > {NAME_MAX_BYTES})"
    return None


def is_match(pattern: AutoFollowPattern, index: IndexSummary) -> bool:
    """Whether a rule names an index, by its own name or by that of its data stream. Exclusions win."""
    names = (index.name,) if index.data_stream is None else (index.name, index.data_stream)
    if _any_matches(pattern.leader_index_exclusion_patterns, names):
        return False
    return _any_matches(pattern.leader_index_patterns, names)


def is_candidate(index: IndexSummary) -> bool:
    """Whether an index can be followed at this moment, by any rule."""
    return index.open and index.is_ready and not index.is_system


def decide(
    patterns: Sequence[AutoFollowPattern],
    among: Sequence[AutoFollowPattern],
    cluster: LeaderCluster,
    *,
    local_uuid: str,
    following: FollowingOf,
) -> Iterator[Decision]:
    """What `patterns`, the active ones, do about each index of their remote. `among` are all rules on it, paused ones
    too.
    """
    for pattern in patterns:
        done = frozenset(pattern.followed)
        for index in cluster.indices:
            if index.uuid not in done and is_candidate(index) and is_match(pattern, index):
                yield _decide_one(pattern, among, index, local_uuid, following)


def _decide_one(
    pattern: AutoFollowPattern,
    among: Sequence[AutoFollowPattern],
    index: IndexSummary,
    local_uuid: str,
    following: FollowingOf,
) -> Decision:
    others = [each.name for each in among if each.name != pattern.name and is_match(each, index)]
    if others:
        return Refused(pattern, index, _conflict(pattern, index, others))
    if not index.soft_deletes:
        return Handled(pattern, index, _no_soft_deletes(pattern, index))
    if local_uuid in index.origins:
        return Handled(pattern, index, _loop(pattern, index))
    try:
        request = request_for(pattern, index)
    except IllegalArgument as error:
        return Refused(pattern, index, error)
    known = following(request.index)
    if known is not None and known.leader_uuid == index.uuid:
        return Handled(pattern, index)
    return Follow(pattern, index, request)


def request_for(pattern: AutoFollowPattern, index: IndexSummary) -> FollowRequest:
    """How an index that a rule names is followed. Raises IllegalArgument where no name can be made for it."""
    name, stream = follower_names(pattern.follow_index_pattern, index)
    return FollowRequest(
        index=name,
        remote_cluster=pattern.remote_cluster,
        leader_index=index.name,
        data_stream_name=stream,
        settings=pattern.settings,
        parameters=pattern.parameters,
    )


def follower_names(template: str | None, index: IndexSummary) -> tuple[str, str | None]:
    """What the follower of an index is called, and the data stream that it is put into.

    In the name of a backing index the template is applied to its stream's part: `{{leader_index}}_copy` makes
    `.ds-logs_copy-2022.02.02-000001` of `.ds-logs-2022.02.02-000001`.
    """
    if index.data_stream is None:
        return (index.name if template is None else template.replace(PLACEHOLDER, index.name)), None
    if template is None or template == PLACEHOLDER:
        return index.name, index.data_stream
    stream = template.replace(PLACEHOLDER, index.data_stream)
    if not index.name.startswith(".ds-"):
        # An index that was put into the stream later has a name of its own.
        return template.replace(PLACEHOLDER, index.name), stream
    found = _BACKING.fullmatch(index.name)
    if found is None:
        raise IllegalArgument(
            f"unable to determine follower index name from leader index name [{index.name}] and follow index "
            f"pattern: [{template}], index appears to be a regular data stream backing index, but could not be parsed"
        )
    return f".ds-{template.replace(PLACEHOLDER, found[1])}-{found[2]}{found[3]}", stream


def already_there(
    pattern: AutoFollowPattern, before: AutoFollowPattern | None, cluster: LeaderCluster
) -> tuple[str, ...]:
    """The uuids that a rule has dealt with when it is put: only what comes later is followed.

    A rule that is put again keeps what it had, and adds what only its new patterns name.
    """
    if before is None:
        if pattern.include_existing:
            return ()
        return tuple(index.uuid for index in cluster.indices if is_match(pattern, index))
    kept = dict.fromkeys(before.followed)
    added = frozenset(pattern.leader_index_patterns) - frozenset(before.leader_index_patterns)
    if added and not pattern.include_existing:
        fresh = AutoFollowPattern(
            name=pattern.name,
            remote_cluster=pattern.remote_cluster,
            leader_index_patterns=tuple(added),
            leader_index_exclusion_patterns=pattern.leader_index_exclusion_patterns,
        )
        kept.update((each.uuid, None) for each in cluster.indices if is_match(fresh, each))
    return tuple(kept)


def remembered(followed: Sequence[str], cluster: LeaderCluster) -> tuple[str, ...]:
    """Without the uuids of indices that the leader shows no more, as far as there are too many of them.

    Not showing one may mean that it is deleted, or that whoever has put the rule has lost the right to it for a while:
    what was left alone before must not be followed as new after that.
    """
    present = {index.uuid for index in cluster.indices}
    absent = [uuid for uuid in followed if uuid not in present]
    forgotten = frozenset(absent[: max(0, len(absent) - ABSENT_MAX)])
    return tuple(uuid for uuid in followed if uuid not in forgotten)


def _any_matches(patterns: Collection[str], names: Sequence[str]) -> bool:
    return any(matches(pattern, name) for pattern in patterns for name in names)


def _conflict(pattern: AutoFollowPattern, index: IndexSummary, others: Sequence[str]) -> ApiError:
    listed = ", ".join(sorted(others))
    return IllegalState(
        f"index to follow [{index.name}] for pattern [{pattern.name}] matches with other patterns [[{listed}]]"
    )


def _no_soft_deletes(pattern: AutoFollowPattern, index: IndexSummary) -> ApiError:
    return IllegalState(
        f"index [{index.name}] cannot be followed, because soft deletes are not enabled"
    )


def _loop(pattern: AutoFollowPattern, index: IndexSummary) -> ApiError:
    return IllegalState(
        f"index [{index.name}] cannot be followed by pattern [{pattern.name}], because its operations come from "
        "this cluster; exclude it with [leader_index_exclusion_patterns]"
    )
