"""Paragraphs for `cellship explain CODE`: the service, its data folder and its API."""

from __future__ import annotations

CODES: dict[str, tuple[str, str]] = {
    "data.missing": (
        "The data folder does not exist",
        "The named folder holds no data.json, so nothing was ever kept there. `cellship up` "
        "makes one. If you expected deployments, look at which folder is meant: `cellship "
        "doctor` names it and says where the name came from.",
    ),
    "data.damaged": (
        "data.json cannot be read",
        "The file that names a data folder's ports and format is not JSON any more. Restore "
        "it from a backup. To begin anew, move the folder away (do not delete it yet) and "
        "run `cellship up`.",
    ),
    "data.newer": (
        "The data folder is newer than this Cellship",
        "A newer release wrote this folder. An older one could misread it, so it does not "
        "open it. Update Cellship in this environment, or use the environment that wrote "
        "it.",
    ),
    "data.network": (
        "The data folder is on a network file system",
        "Locks, renames and memory maps do not work reliably over NFS, CIFS, sshfs and the "
        "like. Put the data folder on a local disk and name it in CELLSHIP_DATA or in "
        "config.toml.",
    ),
    "config.damaged": (
        "A configuration file cannot be read",
        'config.toml is not valid TOML. It needs one line: data = "FOLDER".',
    ),
    "backend.not-running": (
        "The service is not running",
        "No service answers for this data folder. `cellship up` starts it; a `%%deploy` "
        "starts it too. Versions and logs are kept while it is down.",
    ),
    "backend.not-yours": (
        "The data folder belongs to somebody else",
        "run/backend.json holds the owner's token and only the owner can read it. Use your "
        "own folder.",
    ),
    "backend.not-installed": (
        "The service's packages are missing",
        "The service runs from an environment that has cellship[server]. Install it there "
        "and start it with that environment's `cellship up`; notebooks in other "
        "environments find it by the data folder.",
    ),
    "backend.no-answer": (
        "The service does not answer",
        "Its processes may be starting or stuck. run/supervisor.log and run/control.log in "
        "the data folder say what happened last; `cellship doctor` checks each part; "
        "`cellship down` and `cellship up` start it anew. Endpoints go on answering while "
        "only the control plane is away.",
    ),
    "backend.ended": (
        "The service ended at once",
        "It could not start. The last line of run/supervisor.log in the data folder says why.",
    ),
    "backend.windows": (
        "The service does not run on Windows",
        "It needs Unix sockets and process groups. Run it in WSL 2; the client works on Windows.",
    ),
    "backend.port-taken": (
        "A port of the data folder is taken",
        "Ports are chosen once so that addresses never change. Another program listens on "
        "one of them now. End that program, or choose another port in data.json and tell "
        "your callers.",
    ),
    "snapshot.damaged": (
        "A snapshot is not what it says it is",
        "Its files do not have the digests that were announced, or a manifest names "
        "something impossible. Nothing of it was kept. Ship the cell again; if it happens "
        "again, the disk deserves a check.",
    ),
    "snapshot.not-admitted": (
        "A version needs a snapshot that was admitted",
        "Every snapshot is loaded and checked in a worker before it becomes a version. This "
        "one was not, or another one was. Ship the cell again.",
    ),
    "api.token": (
        "The API needs a token",
        "The owner's token is in run/backend.json of the data folder (readable by its owner "
        "only). From elsewhere, CELLSHIP_URL and CELLSHIP_TOKEN name the service and the "
        "token.",
    ),
    "api.foreign-host": (
        "The Host name is not one of the service's own",
        "Pages of other sites can reach 127.0.0.1 through a name of theirs. The service "
        "answers only to the names it was configured with.",
    ),
    "api.foreign-origin": (
        "A page of another site asked",
        "Cross-site requests are refused, so that a page you visit cannot use your service.",
    ),
    "api.bad-request": (
        "The request was not understood",
        "A field is missing, unknown, or of the wrong kind. The details name each place.",
    ),
    "api.no-such-route": (
        "There is no such address",
        "The path or the method is not one of the API's.",
    ),
    "api.part-away": (
        "A part of the service does not answer",
        "The supervisor starts the gateway and the control plane again when they end. Try "
        "once more; if it stays, `cellship doctor` says which part is away.",
    ),
    "api.defect": (
        "The service made a mistake",
        "This is a defect of Cellship. The request id leads to the traceback in run/control.log.",
    ),
}
