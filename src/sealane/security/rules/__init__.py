"""Who may do what: pure decisions over plain data."""

from sealane.security.rules.authorize import Authorize, allow_all

__all__ = ["Authorize", "allow_all"]
