"""What the API is asked. Names, digests and sizes are checked here, before anything uses them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from cellship.backend.workspace.names import check_name

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, AfterValidator(check_name)]
Text = Annotated[str, StringConstraints(max_length=4000)]
Word = Annotated[str, StringConstraints(max_length=100)]
MANY = 100_000


class Strict(BaseModel):
    """Unknown fields are an error: nothing that is asked is ignored."""

    model_config = ConfigDict(extra="forbid")


class BlobSize(Strict):
    digest: Digest
    size: Annotated[int, Field(ge=0)]


class LeaseRequest(Strict):
    name: Name
    digest: Digest
    settings: dict[str, Any]
    blobs: Annotated[list[BlobSize], Field(max_length=MANY)] = []
    trees: Annotated[list[Digest], Field(max_length=MANY)] = []
    # chosen by the caller, so that asking again after a lost answer opens no second one
    lease: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] | None = None


class AdmitRequest(Strict):
    name: Name
    digest: Digest
    settings: dict[str, Any]
    example_run: bool = True
    tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class VersionRequest(Strict):
    name: Name
    digest: Digest
    settings: dict[str, Any]
    candidate: bool = False
    replicas: Annotated[int, Field(ge=0, le=1)] | None = None
    message: Text = ""
    author: Word = ""
    how: Word = ""
    notebook: Text = ""
    cell: int | None = None
    bytes_moved: Annotated[int, Field(ge=0)] = 0


class Because(Strict):
    because: Text = ""
    author: Word = ""


class RollbackRequest(Because):
    to: Word | None = None


class PromoteRequest(Strict):
    version: Word
    author: Word = ""


class TrafficRequest(Strict):
    traffic: dict[Word, Annotated[int, Field(ge=0, le=100)]]
    author: Word = ""


class ReplicasRequest(Strict):
    replicas: Annotated[int, Field(ge=0, le=1)]
    author: Word = ""


class ResumeRequest(Strict):
    author: Word = ""


class ExecRequest(Strict):
    expression: Annotated[str, StringConstraints(min_length=1, max_length=100_000)]
    version: Word | None = None
    author: Word = ""
