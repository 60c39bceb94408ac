"""A visitor's own calendar file, behind a link that nobody can guess and that opens this one visit alone."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from bot.engine import Engine
from bot.web.chat import engine
from clinic.errors import NotFound
from clinic.visits import AHEAD

router = APIRouter(prefix="/visits", include_in_schema=False)


@router.get("/{signed}.ics")
async def file(request: Request, signed: str, engine: Annotated[Engine, Depends(engine)]) -> Response:
    """The file of a visit as it is now; a cancelled one takes itself out of the calendar."""
    services = engine.services
    try:
        visit = services.booking.get(request.app.state.visits.read(signed) or "")
    except NotFound:
        raise HTTPException(404) from None
    if visit.status not in (*AHEAD, "cancelled"):
        raise HTTPException(404)
    name = {"Content-Disposition": f'attachment; filename="{visit.reference}.ics"'}
    return Response(services.files.visitor(visit), media_type="text/calendar", headers=name)
