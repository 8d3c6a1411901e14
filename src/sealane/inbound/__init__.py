"""Another node's request comes in: which actions are answered, who may ask them, and what answers
them.
"""

from sealane.inbound.actions import Action, Authorize, Registrar, register_actions
from sealane.inbound.handlers import LocalCluster, register_handlers

__all__ = [
    "Action",
    "Authorize",
    "LocalCluster",
    "Registrar",
    "register_actions",
    "register_handlers",
]
