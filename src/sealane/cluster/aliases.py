"""Changes of aliases, decided on the metadata alone. Pure: nothing is stored here."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from sealane.cluster.metadata import Alias, ClusterMetadata, IndexMetadata
from sealane.cluster.names import InvalidAliasName, check_alias_name
from sealane.cluster.resolve import resolve
from sealane.cluster.self_replicated import check_aliases_are_own
from sealane.errors import (
    AliasesNotFound,
    ApiError,
    IllegalArgument,
    IllegalState,
    RefusedUnderLimits,
    SecurityError,
)
from sealane.model.access import Access
from sealane.model.patterns import matches
from sealane.model.search import IndicesOptions

MANAGE_ALIASES: Final = "indices:admin/aliases"
FilterCheck = Callable[[bytes], object]
"""Raises ApiError when the JSON is no query."""

_OPTIONS: Final = IndicesOptions(allow_no_indices=False, expand_closed=True, expand_hidden=True)
_BODY_KEYS: Final = frozenset(
    {"filter", "routing", "index_routing", "search_routing", "is_write_index", "is_hidden"}
)


class AliasChange(Protocol):
    """One action of `_aliases`. `kind` is `add`, `remove` or `remove_index`."""

    @property
    def kind(self) -> str: ...
    @property
    def indices(self) -> tuple[str, ...]: ...
    @property
    def aliases(self) -> tuple[str, ...]: ...
    @property
    def filter(self) -> Mapping[str, Any] | None: ...
    @property
    def index_routing(self) -> str | None: ...
    @property
    def search_routing(self) -> str | None: ...
    @property
    def is_write_index(self) -> bool | None: ...
    @property
    def is_hidden(self) -> bool | None: ...
    @property
    def must_exist(self) -> bool | None: ...


def changed_by(
    meta: ClusterMetadata,
    actions: Sequence[AliasChange],
    check_filter: FilterCheck,
    access: Access | None = None,
) -> tuple[list[IndexMetadata], list[IndexMetadata]]:
    """The indices that `actions` change, with new aliases, and those they remove.

    Removals come first, as in the reference, so that an alias moves in one request whatever the
    order. Raises IllegalArgument, IndexNotFound, AliasesNotFound, InvalidAliasName, IllegalState;
    SecurityError where `access` allows an index or an alias not.
    """
    if not actions:
        raise IllegalArgument("No action specified")
    aliases = {index.uuid: dict(index.aliases) for index in meta}
    targets = [_targets(meta, action, access) for action in actions]
    if access is not None:
        _check_aliases(actions, access)
        _check_added(actions, targets, access)
    check_aliases_are_own(index for indices in targets for index in indices)
    removed = {
        index.uuid: index
        for action, indices in zip(actions, targets, strict=True)
        if action.kind == "remove_index"
        for index in indices
    }
    for action, indices in zip(actions, targets, strict=True):
        if action.kind == "remove":
            _remove(action, indices, aliases, access)
    taken = meta.not_for_aliases() - {index.name for index in removed.values()}
    for action, indices in zip(actions, targets, strict=True):
        if action.kind != "add":
            continue
        for name in action.aliases:
            alias = new_alias(name, action, taken, check_filter)
            for index in indices:
                aliases[index.uuid][name] = alias
    changed = [
        index.changed(aliases=aliases[index.uuid], aliases_version=index.aliases_version + 1)
        for index in meta
        if index.uuid not in removed and aliases[index.uuid] != index.aliases
    ]
    check_consistent(meta.with_indices(changed, removed, meta.version), changed)
    return changed, list(removed.values())


def aliases_of_body(
    body: Mapping[str, Any], index: str, taken: set[str], check_filter: FilterCheck
) -> dict[str, Alias]:
    """The `aliases` of a new index. Raises IllegalArgument, InvalidAliasName."""
    found: dict[str, Alias] = {}
    for name, given in body.items():
        members: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        for key in members:
            if key not in _BODY_KEYS:
                raise IllegalArgument(f"Unknown field [{key}] in alias [{name}]")
        if name == index:
            raise IllegalArgument(f"alias name [{name}] self-conflicts with index name")
        found[name] = new_alias(name, _Body(members), taken, check_filter)
    return found


def new_alias(
    name: str, action: "AliasChange | _Body", taken: set[str], check_filter: FilterCheck
) -> Alias:
    """The alias that `action` describes. `taken` are the names of indices."""
    if name in taken:
        raise InvalidAliasName(
            name, "an index or data stream exists with the same name as the alias"
        )
    check_alias_name(name)
    if action.index_routing is not None and "," in action.index_routing:
        raise IllegalArgument(f"alias [{name}] has several index routing values associated with it")
    query: bytes | None = None
    if action.filter:
        query = msgspec.json.encode(action.filter)
        try:
            check_filter(query)
        except ApiError as error:
            raise IllegalArgument(
                f"failed to parse filter for alias [{name}]", caused_by=error
            ) from error
    return Alias(
        filter=None if query is None else query.decode(),
        index_routing=action.index_routing,
        search_routing=action.search_routing,
        is_write_index=action.is_write_index,
        is_hidden=action.is_hidden,
    )


def check_consistent(meta: ClusterMetadata, changed: Sequence[IndexMetadata]) -> None:
    """What must hold for an alias over all its indices. Raises IllegalState."""
    for name in dict.fromkeys(name for index in changed for name in index.aliases):
        members = meta.alias(name) or []
        writers = [each.name for each in members if each.aliases[name].is_write_index]
        if len(writers) > 1:
            raise IllegalState(
                f"alias [{name}] has more than one write index [{','.join(writers)}]"
            )
        hidden = [each.name for each in members if each.aliases[name].is_hidden]
        if hidden and len(hidden) < len(members):
            shown = [each.name for each in members if not each.aliases[name].is_hidden]
            raise IllegalState(
                f"alias [{name}] has is_hidden set to true on indices [{','.join(hidden)}] "
                f"but does not have is_hidden set to true on indices [{','.join(shown)}]; "
                "alias must have the same is_hidden setting on all indices"
            )


class _Body:
    """An alias as a new index's body describes it, seen as an action."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        routing = members.get("routing")
        self.filter: Mapping[str, Any] | None = members.get("filter")
        self.index_routing = _text(members.get("index_routing", routing))
        self.search_routing = _text(members.get("search_routing", routing))
        self.is_write_index: bool | None = members.get("is_write_index")
        self.is_hidden: bool | None = members.get("is_hidden")


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _targets(
    meta: ClusterMetadata, action: AliasChange, access: Access | None
) -> list[IndexMetadata]:
    """Raises IllegalArgument where a backing index of a data stream would get an alias."""
    found = resolve(
        meta,
        action.indices,
        _OPTIONS,
        forbid_closed=False,
        ignore_aliases=True,
        streams=False,
        access=access,
    )
    if action.kind == "add":
        for each in found:
            stream = meta.stream_of(each.metadata)
            if stream is not None:
                raise IllegalArgument(
                    f"The provided expressions [{','.join(action.indices)}] match a backing index belonging to data "
                    f"stream [{stream.name}]. Data stream backing indices don't support aliases."
                )
    return [each.metadata for each in found]


def _check_aliases(actions: Sequence[AliasChange], access: Access) -> None:
    """Raises SecurityError for aliases that are named and not allowed."""
    named = dict.fromkeys(
        name for action in actions for name in action.aliases if "*" not in name and name != "_all"
    )
    check_allowed(access, (), tuple(named))


def _check_added(
    actions: Sequence[AliasChange], targets: Sequence[Sequence[IndexMetadata]], access: Access
) -> None:
    """Nobody gains by a new name: what may be seen, or done, is decided by names. Raises SecurityError."""
    added = [
        (index.name, alias)
        for action, indices in zip(actions, targets, strict=True)
        if action.kind == "add"
        for index in indices
        for alias in action.aliases
    ]
    for index in dict.fromkeys(index for index, _ in added):
        if access.limits((index,)) is not None:
            raise RefusedUnderLimits(
                "Alias requests are not allowed for users who have field or document level security enabled on one "
                "of the indices"
            )
    if any(access.exceeds(alias, index) for index, alias in added):
        raise SecurityError(
            "Adding an alias is not allowed when the alias has more permissions than any of the indices"
        )


def check_allowed(access: Access, indices: Sequence[str], aliases: Sequence[str]) -> None:
    """Raises SecurityError unless all of the indices and their aliases are allowed. The reference names only the
    indices.
    """
    denied = tuple(name for name in indices if not access.allows(name))
    if denied or not all(access.allows(name) for name in aliases):
        raise access.denial(denied)


def _remove(
    action: AliasChange,
    indices: Sequence[IndexMetadata],
    aliases: Mapping[str, dict[str, Alias]],
    access: Access | None,
) -> None:
    patterns = ["*" if name == "_all" else name for name in action.aliases]
    gone = [
        (index.uuid, name)
        for index in indices
        for name in aliases[index.uuid]
        if any(matches(pattern, name) for pattern in patterns)
        and (access is None or access.allows(name))
    ]
    # `must_exist: true` alone asks for each name; otherwise one that is there will do.
    missing = [
        name
        for name, pattern in zip(action.aliases, patterns, strict=True)
        if not any(matches(pattern, alias) for _, alias in gone)
    ]
    if missing and (not gone or action.must_exist):
        listed = ",".join(action.aliases if not gone else missing)
        raise AliasesNotFound(
            f"aliases [{listed}] missing",
            metadata={"resource.type": "aliases", "resource.id": listed},
        )
    for uuid, name in gone:
        aliases[uuid].pop(name, None)
