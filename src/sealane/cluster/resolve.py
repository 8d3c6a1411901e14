"""Index expressions to concrete indices: wildcards, exclusions, aliases and their filters, dates.
Pure.

Clusters are not known here: what may name one has split its expressions before. An expression that
still does is refused.

With an `access`, names that its action may not be done on are not there for wildcards, and an error
where they are named, whether or not there is such an index: who may not read it need not know.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from sealane.cluster.date_names import resolve_date_name
from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.cluster.stream_names import (
    allows_index,
    allows_name,
    names_judged,
    names_reached_by,
    no_data_streams,
)
from sealane.errors import ApiError, IllegalArgument, IndexClosed, IndexNotFound, InvalidIndexName
from sealane.model.access import Access
from sealane.model.patterns import matcher
from sealane.model.search import IndicesOptions
from sealane.model.security import IndexLimits

ALL: Final = "_all"
FAILURES: Final = "failures"
"""The selector of a data stream's failure store, which nothing of ours has."""
DEFAULT_OPTIONS: Final = IndicesOptions()
_EXCLUSION_HINT: Final = (
    " and if you intended to exclude this index, ensure that you use wildcards that include it "
    "before explicitly excluding it"
)


class ResolvedIndex(NamedTuple):
    """One concrete index that expressions lead to.

    `filters` are the queries (JSON) of the aliases it was reached by, any of which must match;
    None where it was also named without one. `via` are the names it was reached by, its own alone
    where that is one of them; `reached` are all of them, where somebody's rights decide. `limits`
    are what may be seen of it.
    """

    metadata: IndexMetadata
    filters: tuple[bytes, ...] | None = None
    via: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    limits: IndexLimits | None = None

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def uuid(self) -> str:
        return self.metadata.uuid

    @property
    def shards(self) -> int:
        return self.metadata.shards


def resolve(
    meta: ClusterMetadata,
    expressions: Sequence[str],
    options: IndicesOptions = DEFAULT_OPTIONS,
    now_ms: int = 0,
    *,
    forbid_closed: bool = True,
    ignore_aliases: bool = False,
    streams: bool = True,
    access: Access | None = None,
) -> list[ResolvedIndex]:
    """The concrete indices, each once, in the order they were reached; wildcards by name.

    No expressions, and `_all` alone, mean all. With `forbid_closed`, a closed index that was named
    is an error; without, closed ones that were named are in the answer. With `ignore_aliases`,
    aliases are no indices; without `streams`, data streams are not. Raises IndexNotFound,
    IndexClosed, InvalidIndexName, IllegalArgument, ParseError; SecurityError for names that
    `access` does not allow, unless those may be unavailable.
    """
    if len(expressions) == 1:
        # The search path: one plain name of an open index.
        index = meta.index(expressions[0])
        if index is not None and index.open:
            if access is None:
                return [ResolvedIndex(index, None, (index.name,))]
            if access.allows(index.name) and meta.stream_of(index) is None:
                via = (index.name,)
                return [ResolvedIndex(index, None, via, via, access.limits(via))]
    walk = _Walk(meta, expressions, options, now_ms, ignore_aliases, streams, access)
    if len(expressions) == 1 and expressions[0].startswith(f"{ALL}::"):
        expressions = (expressions[0].replace(ALL, "*", 1),)
    if is_all(expressions):
        walk.take_all()
    else:
        for expression in expressions:
            walk.take(expression)
    if walk.denied:
        assert access is not None
        raise access.denial(tuple(walk.denied))
    names = {name: at for at, name in enumerate(walk.names)}
    found = [_with_filters(meta, each, names) for each in walk.concrete(forbid_closed)]
    if access is not None:
        # An exclusion may have taken away the only name by which one was reached.
        limited = (_with_limits(meta, each, names, access) for each in found)
        found = [each for each in limited if each.reached]
    if not found and not options.allow_no_indices:
        raise _nothing_left(expressions)
    return found


def is_all(expressions: Sequence[str]) -> bool:
    """Whether expressions mean all indices before wildcards are looked at."""
    return not expressions or (len(expressions) == 1 and expressions[0] == ALL)


def names_wildcard(expressions: Iterable[str]) -> bool:
    """Whether an expression could mean indices that it does not name."""
    return any("*" in each or each == ALL for each in expressions)


class _Walk:
    """Goes through the expressions in order.

    `members` are the concrete indices, with whether closed ones are an error there. `names` are
    the names that lead to them as they were written or matched, aliases kept: they decide about
    filters. `denied` are names that were written and are not allowed.
    """

    def __init__(
        self,
        meta: ClusterMetadata,
        expressions: Sequence[str],
        options: IndicesOptions,
        now_ms: int,
        ignore_aliases: bool,
        streams: bool,
        access: Access | None,
    ) -> None:
        self._access = access
        self._streams = streams
        self.denied: dict[str, None] = {}
        self._meta = meta
        self._expressions = expressions
        self._options = options
        self._now_ms = now_ms
        self._ignore_aliases = ignore_aliases
        self._expands = options.expand_open or options.expand_closed
        self._after_wildcard = False
        self._members: dict[str, IndexMetadata | str] = {}
        self.names: dict[str, None] = {}

    def take_all(self) -> None:
        if self._expands:
            self._take_wildcard("*", excludes=False, required=False)

    def take(self, expression: str) -> None:
        refuse_underscore(expression)
        excludes = self._after_wildcard and expression.startswith("-")
        written, selector = split_selector(expression[1:] if excludes else expression)
        name = resolve_date_name(written, self._now_ms)
        if is_remote(name):
            # Whether or not names may be missing: the reference then drops them without a word.
            raise not_across_clusters(self._expressions)
        if "*" in name and self._expands:
            self._after_wildcard = True
            if selector != FAILURES:
                self._take_wildcard(
                    name, excludes=excludes, required=not self._options.allow_no_indices
                )
            elif not (excludes or self._options.allow_no_indices):
                raise not_found(name, selector)
        elif excludes and selector == FAILURES:
            pass  # there are none to leave out
        elif excludes:
            self._members.pop(name, None)
            self.names.pop(name, None)
        else:
            self._take_name(name, selector)

    def concrete(self, forbid_closed: bool) -> Iterable[IndexMetadata]:
        """The indices, with aliases and data streams that were named replaced by theirs. Raises IndexClosed."""
        seen: dict[str, IndexMetadata] = {}
        for member in self._members.values():
            indices = [member] if isinstance(member, IndexMetadata) else self._meta.members(member)
            for index in indices or ():
                if not index.open and forbid_closed:
                    if self._options.ignore_unavailable:
                        continue
                    raise IndexClosed(index.name, index.uuid)
                seen[index.uuid] = index
        return seen.values()

    def _take_name(self, name: str, selector: str) -> None:
        if not allows_name(self._meta, name, self._access):
            if not self._options.ignore_unavailable:
                self.denied.setdefault(name)
            return
        index = self._meta.index(name)
        if selector == FAILURES and (index is not None or self._meta.alias(name) is not None):
            if self._options.ignore_unavailable:
                return
            raise not_found(name, selector)
        if index is not None:
            self._add(name, index)
            return
        if self._meta.stream(name) is not None:
            if selector == FAILURES and self._streams:
                return  # it could have a failure store, and has nothing in it
            if self._streams:
                self._add(name, name)
            elif not self._options.ignore_unavailable:
                raise no_data_streams(name)
            return
        is_alias = self._meta.alias(name) is not None
        if self._options.ignore_unavailable and (not is_alias or self._ignore_aliases):
            return
        if not is_alias:
            raise not_found(name)
        if self._ignore_aliases:
            raise IllegalArgument(
                f"The provided expression [{name}] matches an alias, specify the corresponding "
                "concrete indices instead."
            )
        self._add(name, name)

    def _take_wildcard(self, pattern: str, *, excludes: bool, required: bool) -> None:
        fits = matcher(pattern)
        indices: dict[str, IndexMetadata] = {}
        names: list[str] = []
        for index in self._meta:
            shown = fits(index.name) and self._shows(index.hidden, pattern, index.name)
            if shown and allows_index(self._meta, index, self._access):
                names.append(index.name)
                if self._state_fits(index):
                    indices[index.name] = index
        if not self._ignore_aliases:
            for alias in self._meta.aliases():
                shown = fits(alias) and self._shows(self._meta.alias_hidden(alias), pattern, alias)
                if shown and self._allows(alias):
                    names.append(alias)
                    for index in self._meta.alias(alias) or ():
                        if self._state_fits(index):
                            indices[index.name] = index
        if self._streams:
            for name, stream in self._meta.catalog.streams.items():
                shown = fits(name) and self._shows(stream.hidden, pattern, name)
                if shown and self._allows(name):
                    names.append(name)
                    for index in self._meta.backing(stream):
                        if self._state_fits(index):
                            indices[index.name] = index
        if excludes:
            for name in [*indices, *names]:
                self._members.pop(name, None)
                self.names.pop(name, None)
            return
        if required and not indices:
            raise not_found(pattern)
        self._members.update(sorted(indices.items()))
        self.names.update(dict.fromkeys(names))

    def _add(self, name: str, member: IndexMetadata | str) -> None:
        self._members.setdefault(name, member)
        self.names.setdefault(name)

    def _allows(self, name: str) -> bool:
        return self._access is None or self._access.allows(name)

    def _shows(self, hidden: bool, pattern: str, name: str) -> bool:
        """Names with a dot before them are shown to patterns with one, hidden or not."""
        if not hidden or self._options.expand_hidden:
            return True
        return pattern.startswith(".") and name.startswith(".")

    def _state_fits(self, index: IndexMetadata) -> bool:
        return self._options.expand_open if index.open else self._options.expand_closed


def _with_filters(
    meta: ClusterMetadata, index: IndexMetadata, names: Mapping[str, int]
) -> ResolvedIndex:
    stream = meta.stream_of(index)
    if index.name in names or (stream is not None and stream.name in names):
        return ResolvedIndex(index, None, (index.name,))
    via = _leading(index.aliases, names)
    filters: list[bytes] = []
    for name in via:
        query = index.aliases[name].filter_bytes()
        if query is None:
            return ResolvedIndex(index, None, via)
        if query not in filters:
            filters.append(query)
    return ResolvedIndex(index, tuple(filters) or None, via)


def _with_limits(
    meta: ClusterMetadata, found: ResolvedIndex, names: Mapping[str, int], access: Access
) -> ResolvedIndex:
    index = found.metadata
    leading = _leading((*names_judged(meta, index), *index.aliases), names)
    reached = names_reached_by(meta, index, leading)
    return ResolvedIndex(index, found.filters, found.via, reached, access.limits(reached))


def _leading(candidates: Iterable[str], names: Mapping[str, int]) -> tuple[str, ...]:
    """Those of `names`, which are given with their places, that are candidates; in their order."""
    found = [each for each in candidates if each in names]
    if len(found) > 1:
        found.sort(key=names.__getitem__)
    return tuple(found)


def refuse_underscore(name: str) -> None:
    if name.startswith("_"):
        raise InvalidIndexName(name, "must not start with '_'.")


def is_remote(name: str) -> bool:
    """Whether a cluster is named before the index. `::` is no such thing, nor is a colon in front."""
    at = name.find(":")
    return at > 0 and name[at + 1 : at + 2] != ":" and not name.startswith("<")


def not_across_clusters(expressions: Sequence[str]) -> IllegalArgument:
    remote = ", ".join(each for each in expressions if is_remote(each))
    return IllegalArgument(
        "Cross-cluster calls are not supported in this context but remote indices were requested: "
        f"[{remote}]"
    )


def split_selector(expression: str) -> tuple[str, str]:
    """The name, and the selector behind `::`; `data` where there is none. Raises InvalidIndexName."""
    name, separator, selector = expression.rpartition("::")
    if not separator:
        return expression, "data"
    if selector not in ("data", FAILURES):
        raise InvalidIndexName(
            expression,
            f"invalid usage of :: separator, [{selector}] is not a recognized selector",
        )
    return name, selector


def not_found(name: str, selector: str | None = None) -> IndexNotFound:
    """The error for a name; the selector is told where it is what there is nothing for."""
    error = IndexNotFound(f"{name}::{FAILURES}" if selector == FAILURES else name)
    if name.startswith("-"):
        error.reason += _EXCLUSION_HINT
    return error


def _nothing_left(expressions: Sequence[str]) -> ApiError:
    if len(expressions) <= 1:
        return not_found(expressions[0] if expressions else ALL)
    error = IndexNotFound("null")
    error.metadata = {"resource.type": "index_expression", "resource.id": list(expressions)}
    return error
