"""Which clusters a request names, by the rights of whoever asks. `expression` tells which there are, `remote` whether a
remote one may be asked; what is found among the names of one cluster is that cluster's business.
"""

from collections.abc import Callable, Iterator, Sequence

from sealane.errors import NoSuchRemoteCluster
from sealane.model.access import current_access
from sealane.model.search import IndicesOptions
from sealane.search.expression import LOCAL, ClusterTarget, group_by_cluster


def clusters_named(
    expressions: Sequence[str],
    aliases: Callable[[], Sequence[str]],
    options: IndicesOptions,
    *,
    selectors: bool = False,
) -> tuple[ClusterTarget, ...]:
    """As `group_by_cluster`. With security, a cluster that is not there is a denial with that as its cause, as is a
    local name that is not allowed, which then shows the names on other clusters too, before any is asked.

    Raises SecurityError, and as `group_by_cluster` does.
    """
    access = current_access()
    if access is None or not any(":" in each for each in expressions):
        return group_by_cluster(expressions, aliases, selectors=selectors)
    try:
        targets = group_by_cluster(expressions, aliases, selectors=selectors)
    except NoSuchRemoteCluster as missing:
        denial = access.denial(())
        denial.caused_by, denial.root_causes = missing, [missing]
        raise denial from None
    if not targets and not access.is_granted:
        raise access.denial(())
    if not options.ignore_unavailable:
        denied = [name for name in _plain_local(targets) if not access.allows(name)]
        if denied:
            raise access.denial((*denied, *_remote(targets)))
    return targets


def _plain_local(targets: Sequence[ClusterTarget]) -> Iterator[str]:
    """The names of local indices that need no more to be understood; the others are judged where they are. A backing
    index may be allowed by its data stream.
    """
    for target in targets:
        if target.alias == LOCAL:
            after_wildcard = False
            for name in target.expressions:
                if "*" in name:
                    after_wildcard = True
                elif not (name.startswith(("<", "_", ".ds-")) or "::" in name) and not (
                    after_wildcard and name.startswith("-")
                ):
                    yield name


def _remote(targets: Sequence[ClusterTarget]) -> Iterator[str]:
    for target in targets:
        if target.alias != LOCAL:
            yield from (f"{target.alias}:{name}" for name in target.expressions)
