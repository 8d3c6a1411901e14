"""Another node's request comes in: which actions are answered, who may ask them, and what answers
them.
"""

from sealane.inbound.about import AboutLocal, register_about_handlers
from sealane.inbound.actions import Action, Registrar, register_actions
from sealane.inbound.foreign import register_foreign_handlers
from sealane.inbound.handlers import LocalCluster, register_handlers, register_phase_handlers
from sealane.inbound.reports import register_report_handler
from sealane.inbound.tasks import register_task_handlers

__all__ = [
    "AboutLocal",
    "Action",
    "LocalCluster",
    "Registrar",
    "register_about_handlers",
    "register_actions",
    "register_foreign_handlers",
    "register_handlers",
    "register_phase_handlers",
    "register_report_handler",
    "register_task_handlers",
]
