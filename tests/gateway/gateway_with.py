"""`python gateway_with.py DATA LIMITS`: the gateway with other limits (JSON)."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import uvloop

from cellship.backend.gateway.__main__ import listener_of, run
from cellship.backend.gateway.limits import Limits

if __name__ == "__main__":
    data = Path(sys.argv[1])
    uvloop.run(run(data, listener_of(data), replace(Limits(), **json.loads(sys.argv[2]))))
