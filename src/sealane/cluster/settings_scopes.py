"""The three scopes of a cluster's settings, one over the other: which value is in force, and where it comes from."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sealane.errors import ApiError
from sealane.settings import Settings

ARCHIVED: Final = "archived."
"""Begins the keys of stored settings that are not known or not valid any more; they are never in force."""
_NAMED_KEY: Final = re.compile(r"""[\["]([a-z][\w.-]*\.[\w.-]+)["\]]""")


@dataclass(frozen=True, slots=True)
class Scopes:
    """Transient over persistent over the node's file."""

    file: Settings
    persistent: Settings
    transient: Settings

    def in_force(self) -> Settings:
        return (
            self.file.merged(self.persistent)
            .merged(self.transient)
            .filtered(lambda key: not key.startswith(ARCHIVED))
        )

    def origin(self, key: str) -> str | None:
        """Which scope a key in force comes from: `transient`, `persistent`, `file`, or None."""
        for name, scope in (
            ("transient", self.transient),
            ("persistent", self.persistent),
            ("file", self.file),
        ):
            if key in scope:
                return name
        return None

    def explain(self, error: ApiError, changed: Collection[str]) -> None:
        """Adds to a broken rule which of the keys that it names are set in a scope that is not among
        the `changed` ones: whoever reads it sees only what was sent.
        """
        for problem in (error, *error.suppressed):
            for key in dict.fromkeys(_NAMED_KEY.findall(problem.reason)):
                scope = self.origin(key)
                if scope is not None and scope not in changed:
                    where = "the node's file" if scope == "file" else f"the {scope} settings"
                    problem.reason += f" [{key}] is set in {where}."
