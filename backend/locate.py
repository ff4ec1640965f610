"""Finding the service: option, environment variables, configuration files, the default."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from cellship.snapshot.errors import NoBackend, Refused

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NOT_RUNNING = "The Cellship service is not running."


@dataclass(frozen=True)
class Connection:
    """Where the service answers. `data` is empty for a service that was named by its address."""

    address: str
    gateway: str
    token: str
    data: Path | None = None
    version: str = ""
    protocol: int = 0


def data_folder(option: Path | None = None) -> Path:
    """The data folder that this command works on (DESIGN.md 6 gives the order)."""
    if option is not None:
        return option
    if named := os.environ.get("CELLSHIP_DATA"):
        return Path(named)
    for file in configuration_files():
        if found := configured(file):
            return found
    return platform_default()


def connection(option: Path | None = None) -> Connection:
    """The running service. Raises NoBackend where there is none."""
    address = os.environ.get("CELLSHIP_URL")
    if option is None and address:
        return Connection(address.rstrip("/"), "", os.environ.get("CELLSHIP_TOKEN", ""))
    return connection_of(data_folder(option))


def connection_of(data: Path) -> Connection:
    """The service of one data folder, as `run/backend.json` names it."""
    try:
        facts = json.loads((data / "run" / "backend.json").read_text())
    except (FileNotFoundError, NotADirectoryError):
        raise NoBackend(NOT_RUNNING, code="backend.not-running", hint="cellship up") from None
    except PermissionError:
        raise NoBackend(
            f"{data}/run/backend.json belongs to somebody else.",
            code="backend.not-yours",
            hint="Name your own data folder: CELLSHIP_DATA=FOLDER cellship up",
        ) from None
    except ValueError:
        raise NoBackend(
            f"{data}/run/backend.json cannot be read.",
            code="backend.not-running",
            hint="cellship up",
        ) from None
    return Connection(
        facts["address"],
        facts["gateway"],
        facts["token"],
        data,
        facts["version"],
        facts["protocol"],
    )


def configuration_files() -> tuple[Path, Path]:
    user = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return Path(sys.prefix) / "etc" / "cellship" / "config.toml", user / "cellship" / "config.toml"


def configured(file: Path) -> Path | None:
    """The `data` entry of a configuration file; a relative one counts from the file's folder."""
    try:
        settings = tomllib.loads(file.read_text())
    except FileNotFoundError:
        return None
    except tomllib.TOMLDecodeError as error:
        raise Refused(
            f"{file} cannot be read: {error}", code="config.damaged", hint="Mend or remove it."
        ) from None
    named = settings.get("data")
    return file.parent / Path(named).expanduser() if named else None


def platform_default() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "cellship"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "cellship"
