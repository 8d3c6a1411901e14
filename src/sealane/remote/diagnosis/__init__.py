"""Why is a remote cluster not connected? A test that goes the way of a connection step by step, and
the table from an error to its cause and the next step.
"""

from sealane.remote.diagnosis.advice import Advice, Circumstances, Role, advice
from sealane.remote.diagnosis.causes import Cause
from sealane.remote.diagnosis.report import Report, TargetReport
from sealane.remote.diagnosis.run import Plan, Tools, diagnose
from sealane.remote.diagnosis.service import ConnectionTests
from sealane.remote.diagnosis.steps import StepRecord
from sealane.remote.diagnosis.targets import Target

__all__ = [
    "Advice",
    "Cause",
    "Circumstances",
    "ConnectionTests",
    "Plan",
    "Report",
    "Role",
    "StepRecord",
    "Target",
    "TargetReport",
    "Tools",
    "advice",
    "diagnose",
]
