"""The visits of a practitioner or a room, at a secret address that calendar applications subscribe to."""

from fastapi import APIRouter, Request, Response

from clinic.services import Services

# Who has an address was given it by `stipple calendar`: it is no part of the documented API.
router = APIRouter(include_in_schema=False)


@router.api_route("/calendar/{secret}.ics", methods=["GET", "HEAD"])
def feed(secret: str, request: Request) -> Response:
    """The feed; nothing but its tag for those who know it already, and 404 for a secret that opens none."""
    services: Services = request.app.state.services
    opened = services.feeds.read(secret)
    if opened is None:
        return Response(status_code=404)
    content, version = opened
    tag = f'"{version}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if tag in known:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="text/calendar", headers=headers)
