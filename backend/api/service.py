"""The service behind a request."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from cellship.backend.control.service import Service


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Served = Annotated[Service, Depends(service_of)]
