"""New indices of other clusters that are followed by a rule."""

from sealane.replication.auto_follow.service import AutoFollow

__all__ = ["AutoFollow"]
