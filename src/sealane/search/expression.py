"""Index expressions: which clusters a request names, and what is asked of each.

`[-][alias:][-]index`, comma-separated. The first colon separates; what follows it goes to that cluster untouched. The
names behind it are resolved there, never here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sealane.errors import IllegalArgument, InvalidIndexName, NoSuchRemoteCluster
from sealane.model.index_names import split_alias

LOCAL = ""
"""The alias of the local cluster, as keys and tie-breaks use it; answers show `(local)`."""
SHOWN_LOCAL = "(local)"


@dataclass(frozen=True, slots=True)
class ClusterTarget:
    """One cluster and the expressions for it, without their alias. None at all means all its indices."""

    alias: str
    expressions: tuple[str, ...]


def names_of(targets: Sequence[ClusterTarget]) -> tuple[str, ...]:
    """The expressions as one writes them, each with its alias."""
    return tuple(
        f"{each.alias}:{name}" if each.alias else name
        for each in targets
        for name in each.expressions
    )


def group_by_cluster(
    expressions: Sequence[str], aliases: Callable[[], Sequence[str]], *, selectors: bool = False
) -> tuple[ClusterTarget, ...]:
    """The clusters to ask, local first, the others in the order in which they are first named.

    `aliases` is asked only when an expression has an alias. No expression at all means the local cluster. The result is
    empty when every expression was an alias pattern that matches nothing: then nothing is searched, least of all
    local indices that nobody named. With `selectors`, the parts behind `::` may cross to another cluster.

    Raises NoSuchRemoteCluster, InvalidIndexName, IllegalArgument (an alias part that is empty, a cluster excluded that
    is not included or not as a whole, nothing left).
    """
    if not expressions:
        return (ClusterTarget(LOCAL, ()),)
    if not any(":" in expression for expression in expressions):
        return (ClusterTarget(LOCAL, tuple(expressions)),)
    groups: dict[str, list[str]] = {}
    excluded: dict[str, None] = {}
    known: Sequence[str] | None = None
    for expression in expressions:
        split = split_alias(expression)
        if split is None:
            groups.setdefault(LOCAL, []).append(expression)
            continue
        pattern, index = split
        known = aliases() if known is None else known
        excludes = pattern.startswith("-")
        matched = _matching(pattern[1:] if excludes else pattern, known)
        if excludes:
            if index != "*":
                raise IllegalArgument(
                    "To exclude a cluster you must specify the '*' wildcard for the index expression, "
                    f"but found: [{index}]"
                )
            excluded.update(dict.fromkeys(matched))
            continue
        if not selectors:
            _refuse_selector(index)
        for alias in matched:
            groups.setdefault(alias, []).append(index)
    _exclude(groups, excluded, expressions)
    ordered = sorted(groups, key=lambda alias: alias != LOCAL)
    return tuple(ClusterTarget(alias, tuple(groups[alias])) for alias in ordered)


def _matching(pattern: str, known: Sequence[str]) -> list[str]:
    if "*" in pattern:
        # `*` is the only wildcard of an alias pattern; the others of fnmatch can't occur in an alias.
        literal = pattern.replace("[", "[[]").replace("?", "[?]")
        return [alias for alias in known if fnmatchcase(alias, literal)]
    if pattern not in known:
        raise NoSuchRemoteCluster(pattern)
    return [pattern]


def _refuse_selector(index: str) -> None:
    if "::" in index:
        raise InvalidIndexName(index, "Selectors are not yet supported on remote cluster patterns")


def _exclude(
    groups: dict[str, list[str]], excluded: dict[str, None], expressions: Sequence[str]
) -> None:
    if not excluded:
        return
    absent = [alias for alias in excluded if alias not in groups]
    if absent:
        included = ", ".join(alias or SHOWN_LOCAL for alias in groups)
        one = len(absent) == 1
        raise IllegalArgument(
            f"Attempt to exclude cluster{'' if one else 's'} [{', '.join(absent)}] failed as "
            f"{'it is' if one else 'they are'} not included in the list of clusters to be included: "
            f"[{included}]. Input: [{','.join(expressions)}]"
        )
    for alias in excluded:
        del groups[alias]
    if not groups:
        raise IllegalArgument(
            "The '-' exclusions in the index expression list excludes all indexes. Nothing to search. "
            f"Input: [{','.join(expressions)}]"
        )
