"""What `gateway-b` is compared with: FastAPI with a typed body, called directly."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Row(BaseModel):
    row: list[float]


@app.post("/total")
async def total(body: Row) -> float:
    return sum(body.row)
