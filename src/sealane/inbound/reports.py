"""What this node answers when it is asked about itself by a node of its own cluster."""

from typing import Any

from sealane.cluster.node_reports import (
    REPORT,
    NodeReport,
    ReportRequest,
    encode_report,
    read_request,
)
from sealane.inbound.actions import Action, Registrar, register_actions
from sealane.model.task import Context
from sealane.security.rules import Authorize


def register_report_handler(
    registrar: Registrar, *, report: NodeReport, authorize: Authorize
) -> None:
    """Sections may be added to the report later."""

    async def answer(request: ReportRequest, ctx: Context) -> bytes:
        return encode_report(await report.make(request.sections))

    action: Action[Any] = Action(
        name=REPORT, read=read_request, indices=lambda request: (), answer=answer
    )
    register_actions(registrar, [action], authorize)
