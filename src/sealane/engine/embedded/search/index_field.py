"""Queries on `_index`, which has one value in a shard: the name of the shard's index.

Every kind of query asks alike. A name or pattern without an alias means indices of the cluster that was asked; with
one, alias and index are matched apart, each with `*` as its only wildcard.
"""

from sealane.engine.embedded.search.scope import EVERYTHING, NOTHING, Compiled, Scope
from sealane.model.index_names import split_alias
from sealane.model.patterns import matches


def on_index(text: str, scope: Scope, *, ignore_case: bool = False) -> Compiled:
    """All documents or none. Raises IllegalArgument for a name whose alias is empty.

    Names of indices are lowercase, and so is `text` made where case does not matter; aliases may not be.
    """
    text = text.lower() if ignore_case else text
    alias, _, name = scope.index_name.rpartition(":")
    split = split_alias(text)
    if split is None:
        found = not alias and matches(text, name)
    else:
        found = bool(alias) and matches(split[0], alias) and matches(split[1], name)
    return EVERYTHING if found else NOTHING
