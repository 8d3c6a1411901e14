"""The composition root: which parts make a node, how they are joined, and in which order they start and stop."""

from sealane.node.config import load_settings, registry
from sealane.node.node import Node
from sealane.node.start_error import StartError

__all__ = ["Node", "StartError", "load_settings", "registry"]
