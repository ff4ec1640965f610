"""The data folder: where each thing lies, made once, refused where it cannot work."""

from __future__ import annotations

import json
import os
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cellship.snapshot.errors import Refused

FORMAT = 1
NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "gpfs"}
    | {"beegfs", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.glusterfs"}
)


@dataclass(frozen=True)
class DataFolder:
    """Paths of a data folder, and the ports that were chosen for it once."""

    root: Path
    gateway_port: int
    api_port: int

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def backend_file(self) -> Path:
        return self.run / "backend.json"

    @property
    def problem_file(self) -> Path:
        """Why the control plane could not start; gone once it has."""
        return self.run / "problem.json"

    @property
    def routes(self) -> Path:
        return self.run / "routes.json"

    @property
    def exits(self) -> Path:
        return self.run / "exits.jsonl"

    @property
    def workspace(self) -> Path:
        return self.root / "workspace.git"

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def leases(self) -> Path:
        return self.root / "leases"

    @property
    def environments(self) -> Path:
        return self.root / "environments"

    @property
    def snapshots(self) -> Path:
        return self.root / "snapshots"

    @property
    def worker(self) -> Path:
        return self.root / "worker"

    @property
    def replicas(self) -> Path:
        return self.root / "replicas"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def database(self) -> Path:
        return self.root / "state.db"


def open_data_folder(root: Path) -> DataFolder:
    """The folder as it is. Raises Refused if it is missing, newer, or on a network."""
    try:
        found = json.loads((root / "data.json").read_text())
        format_, ports = int(found["format"]), (int(found["gateway_port"]), int(found["api_port"]))
    except FileNotFoundError:
        raise Refused(
            f"{root} is not a Cellship data folder.",
            code="data.missing",
            hint="cellship up makes it.",
        ) from None
    except (ValueError, TypeError, KeyError):
        raise Refused(
            f"{root}/data.json cannot be read.",
            code="data.damaged",
            hint="Restore the folder from a backup, or move it away and run cellship up.",
        ) from None
    if format_ > FORMAT:
        raise Refused(
            f"{root} was written by a newer Cellship (format {format_}, this one knows {FORMAT}).",
            code="data.newer",
            hint='Update: pip install -U "cellship[server]"',
        )
    refuse_network(root)
    return DataFolder(root, *ports)


def make_data_folder(root: Path) -> DataFolder:
    """The folder, made if it is not there yet; safe when two start at once."""
    root = Path(os.path.abspath(root))
    if not (root / "data.json").exists():
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        refuse_network(root)
        first, second = free_ports()
        facts = {
            "format": FORMAT,
            "id": str(uuid.uuid4()),
            "gateway_port": first,
            "api_port": second,
        }
        publish_new(root / "data.json", json.dumps(facts, indent=1) + "\n")
    data = open_data_folder(root)
    for folder in (
        data.run,
        data.logs,
        data.replicas,
        data.snapshots,
        data.environments,
        data.leases,
    ):
        folder.mkdir(mode=0o700, exist_ok=True)
    return data


def free_ports() -> tuple[int, int]:
    """Two ports of the loopback address that nobody listens on now."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def publish_new(path: Path, text: str) -> None:
    """Write a file that appears whole and only once: the first of two writers wins."""
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    aside.write_text(text)
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()


def refuse_network(root: Path) -> None:
    """Locks, renames and memory maps are not reliable on a network file system."""
    kind = file_system(root)
    if kind in NETWORK_FILE_SYSTEMS:
        raise Refused(
            f"{root} is on a network file system ({kind}), "
            "where locks and memory maps are not reliable.",
            code="data.network",
            hint="Name a folder on a local disk: CELLSHIP_DATA=/local/folder cellship up",
        )


def file_system(path: Path, table: Path = Path("/proc/self/mounts")) -> str:
    """Type of the file system that holds `path`, "" where the system does not tell."""
    if not table.exists():
        return ""
    real = os.path.realpath(path)
    best = max(
        (mount for mount in mounts(table) if inside(real, mount[0])),
        key=lambda mount: len(mount[0]),
        default=("", ""),
    )
    return best[1]


def mounts(table: Path) -> Iterator[tuple[str, str]]:
    for line in table.read_text().splitlines():
        _, point, kind, *_ = line.split(" ")
        yield point.replace("\\040", " "), kind


def inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
