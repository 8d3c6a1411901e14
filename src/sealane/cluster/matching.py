"""Whether index expressions lead anywhere, for `_resolve/cluster`. Pure.

Unlike for a search, an alias or a data stream counts as it is, whatever the state of its indices, and a closed index
may be named but does not count.
"""

from collections.abc import Iterable, Sequence

from sealane.cluster.date_names import resolve_date_name
from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.cluster.resolve import (
    ALL,
    FAILURES,
    is_all,
    not_found,
    refuse_underscore,
    split_selector,
)
from sealane.cluster.stream_names import allows_index, allows_name
from sealane.model.access import Access
from sealane.model.patterns import matcher
from sealane.model.search import IndicesOptions

_NOTHING = ("*", "-*")
_EVERYTHING = "**"
"""How the reference calls the pattern of all names."""


def matches_any(
    meta: ClusterMetadata,
    expressions: Sequence[str],
    options: IndicesOptions,
    now_ms: int,
    access: Access | None = None,
) -> bool:
    """Whether an alias, a data stream or an open index is reached. No expressions mean all names.

    Raises IndexNotFound for a name that must exist and does not, InvalidIndexName, ParseError;
    SecurityError for one that `access` does not allow.
    """
    return _any_open(meta, matched_names(meta, expressions, options, now_ms, access))


def matched_names(
    meta: ClusterMetadata,
    expressions: Sequence[str],
    options: IndicesOptions,
    now_ms: int,
    access: Access | None = None,
) -> Iterable[str]:
    """The names of indices, aliases and data streams that expressions lead to, each once. Raises as `matches_any`."""
    if tuple(expressions) == _NOTHING:
        return ()
    walk = _Walk(meta, options, now_ms, access)
    if is_all(expressions) or tuple(expressions) == ("*",):
        expressions = (_EVERYTHING,)
    elif len(expressions) == 1 and expressions[0].startswith(f"{ALL}::"):
        if not (options.expand_open or options.expand_closed):
            return ()
        expressions = (expressions[0].replace(ALL, "*", 1),)
    for expression in expressions:
        walk.take(expression)
    if walk.denied:
        assert access is not None
        raise access.denial(tuple(walk.denied))
    return walk.names


def _any_open(meta: ClusterMetadata, names: Iterable[str]) -> bool:
    return any(
        meta.members(name) is not None or ((index := meta.index(name)) is not None and index.open)
        for name in names
    )


class _Walk:
    """Goes through the expressions in order and keeps the names that they lead to, aliases as such."""

    def __init__(
        self,
        meta: ClusterMetadata,
        options: IndicesOptions,
        now_ms: int,
        access: Access | None,
    ) -> None:
        self._access = access
        self.denied: dict[str, None] = {}
        self._meta = meta
        self._options = options
        self._now_ms = now_ms
        self._expands = options.expand_open or options.expand_closed
        self._after_wildcard = False
        self.names: dict[str, None] = {}

    def take(self, expression: str) -> None:
        refuse_underscore(expression)
        excludes = self._after_wildcard and expression.startswith("-")
        written, selector = split_selector(expression[1:] if excludes else expression)
        name = resolve_date_name(written, self._now_ms)
        if "*" in name and self._expands:
            self._after_wildcard = True
            matched = [*self._matching(name, selector)]
            if excludes:
                self._drop(matched)
            elif matched or self._options.allow_no_indices:
                self.names.update(dict.fromkeys(matched))
            else:
                raise not_found(name, selector)
        elif excludes:
            self._drop([name])
        else:
            self._take_name(name, selector)

    def _take_name(self, name: str, selector: str) -> None:
        if not name:
            raise not_found(name)
        if not allows_name(self._meta, name, self._access):
            if not self._options.ignore_unavailable:
                self.denied.setdefault(name)
            return
        exists = self._meta.index(name) is not None or self._meta.members(name) is not None
        if exists and selector != FAILURES:
            self.names.setdefault(name)
        elif not self._options.ignore_unavailable:
            raise not_found(name, selector if exists else None)

    def _matching(self, pattern: str, selector: str) -> Iterable[str]:
        fits = matcher(pattern)
        for index in self._meta:
            state = self._options.expand_open if index.open else self._options.expand_closed
            shown = selector != FAILURES and self._shows(index.hidden, pattern, index.name)
            if state and shown and fits(index.name) and self._allows_index(index):
                yield index.name
        for alias in self._meta.aliases():
            shown = self._shows(self._meta.alias_hidden(alias), pattern, alias)
            if shown and fits(alias) and self._allows(alias):
                yield alias
        for name, stream in self._meta.catalog.streams.items():
            shown = selector != FAILURES and self._shows(stream.hidden, pattern, name)
            if shown and fits(name) and self._allows(name):
                yield name

    def _allows_index(self, index: IndexMetadata) -> bool:
        return allows_index(self._meta, index, self._access)

    def _allows(self, name: str) -> bool:
        return self._access is None or self._access.allows(name)

    def _shows(self, hidden: bool, pattern: str, name: str) -> bool:
        if not hidden or self._options.expand_hidden:
            return True
        return pattern.startswith(".") and name.startswith(".")

    def _drop(self, names: Iterable[str]) -> None:
        for name in names:
            self.names.pop(name, None)
