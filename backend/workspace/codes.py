"""What the codes of this room mean, for `%cellship explain CODE`: code -> (title, text)."""

from __future__ import annotations

CODES: dict[str, tuple[str, str]] = {
    "workspace.name": (
        "A name that cannot be one",
        "The name of a deployment is a folder, a git ref, a DNS label and an image name at "
        "once: it has 1 to 63 characters from a-z, 0-9 and -, and neither begins nor ends with "
        "-. The message names the nearest one that is possible.",
    ),
    "workspace.no-deployment": (
        "No such deployment",
        "Nothing is deployed under this name. %cellship deployments lists what is. Names are "
        "told apart letter by letter; the message names the nearest one.",
    ),
    "workspace.no-version": (
        "No such version",
        "The deployment exists, the version does not. Numbers count up per name and are never "
        "used twice, so that a version that was deleted leaves a gap. %cellship versions NAME "
        "lists them. previous and latest name a version only if one qualifies: previous is "
        "where a rollback would go, latest the newest that is no candidate, not marked bad, and"
        " started.",
    ),
    "workspace.version-word": (
        "A word that means no version",
        "A version is understood as 7, v7, NAME@7, live (the largest share of the traffic), "
        "previous (where a rollback would go) or latest. It is always printed as NAME@7.",
    ),
    "workspace.nothing-older": (
        "Nowhere to roll back to",
        "A rollback goes to the newest older version that served and was not itself rolled away"
        " from; repeated, further back, never forward. There is none here. A version named in "
        "full, as in %cellship rollback NAME@3, or %cellship promote NAME@3, goes to any "
        "version that started; %cellship pause NAME stops the endpoint.",
    ),
    "workspace.did-not-start": (
        "A version that did not start",
        "The first start of this version failed, so that it cannot answer. %cellship logs "
        "NAME@V shows why. Shipping the cell again makes a new version, which is started anew.",
    ),
    "workspace.still-starting": (
        "A version that is still starting",
        "Traffic moves only to versions whose first start succeeded. This one has not ended its"
        " first start yet; nothing was moved, and the command can be repeated.",
    ),
    "workspace.marked-bad": (
        "A version that is marked bad",
        "Somebody rolled away from this version; the mark says who, when and why. %cellship "
        "promote takes the mark off and sends all traffic there. Until then the version gets no"
        " share, and shipping a cell that is equal to it moves nothing.",
    ),
    "workspace.not-waiting": (
        "Not a waiting candidate",
        "Only a candidate that never had traffic can be deleted by itself. What served stays on"
        " record, so that a rollback can return to it. %cellship delete NAME ends the "
        "deployment with all of its versions.",
    ),
    "workspace.shares": (
        "Shares that do not add up",
        "Traffic is split by whole shares of 100, as in %cellship traffic NAME 6=90 7=10. "
        "Versions that are not named get none.",
    ),
    "workspace.setting": (
        "A setting that no version has",
        "A version has the settings entry, methods, cpu, memory, gpu, env, secrets, network, "
        "concurrency and timeout. Others belong to the deployment (traffic, replicas, access), "
        "or do not exist. A setting that has no effect is refused rather than ignored.",
    ),
    "workspace.bad-file": (
        "A deployment.yaml that cannot be understood",
        "The file in the workspace's repository has a key or a value that this Cellship does "
        "not know: a slip of the pen, or a file of a newer Cellship. What was readable last "
        "goes on answering; no command changes the deployment until the file is corrected.",
    ),
    "workspace.bad-snapshot": (
        "A snapshot that cannot be kept",
        "The files that arrived are not those of a snapshot: a link, a name with special "
        "characters, or a large file whose bytes are not in the store. Nothing was committed. "
        "Shipping the cell again makes the snapshot anew.",
    ),
    "workspace.pointer": (
        "A pointer that names no bytes",
        "Large files are kept in git as pointers of git LFS: SHA-256 and size. This one is not "
        "well formed; nothing was committed.",
    ),
    "workspace.secret-found": (
        "A secret in what would be committed",
        "Every text of a version is searched for known formats of secrets (keys of clouds and "
        "services, tokens, private keys) before anything is written, since git keeps what it "
        "once had. The message names file, line and kind, never the secret. Nothing of the "
        "version was kept. Take the secret out of the code, value or file, and make it invalid "
        "if it was shown elsewhere.",
    ),
    "workspace.bytes-gone": (
        "Bytes that the store no longer has",
        "Git knows this version, but a large file that belongs to it is missing from the store "
        "of the data folder, or has another length than it had. The version cannot be started "
        "here; others are not affected. A backup of the data folder holds the bytes, or ship it"
        " again.",
    ),
    "workspace.busy": (
        "The workspace is being written",
        "Another program, such as git gc, holds the lock of the repository. Nothing was "
        "changed; repeat the command when it is done.",
    ),
    "workspace.disk-full": (
        "No room for a commit",
        "The disk that holds the data folder is full. A commit is written whole or not at all; "
        "nothing was changed, and what answers goes on. %cellship status says how much is free.",
    ),
}
