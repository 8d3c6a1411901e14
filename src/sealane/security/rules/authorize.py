"""The one question every route and every inbound action asks before it runs.

What comes back is what names become indices by: see `model.access`. Who decides on a node with security is
`security.stores`' business, by the rules of this package.
"""

from collections.abc import Callable, Sequence

from sealane.model.access import Access
from sealane.model.security import Subject

Authorize = Callable[[Subject, str, Sequence[str]], Access | None]
"""The rights of a subject, seen through an action (`indices:data/read/search`); None where nobody is limited. The
expressions that the request names are told for the audit log and for error texts: what they lead to is judged later.

Raises SecurityError where the action is denied as a whole: one on the cluster that is not granted, one on indices that
is granted on none.
"""


def allow_all(subject: Subject, action: str, indices: Sequence[str]) -> Access | None:
    """For a node without security: every subject may do everything."""
    return None
