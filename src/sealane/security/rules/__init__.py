"""Who may do what: pure decisions over plain data."""

from sealane.security.rules.authorize import Decision, IndexLimits, authorize

__all__ = ["Decision", "IndexLimits", "authorize"]
