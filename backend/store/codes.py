"""What `explain CODE` says about the refusals of the store and of environments."""

from __future__ import annotations

CODES: dict[str, tuple[str, str]] = {
    "store.wrong-digest": (
        "The bytes are not what their name says",
        "Everything that ships is named by a digest of its content, and the service checks each "
        "digest once, when bytes arrive. A difference means that a file changed while it was "
        "captured (a package upgraded in the middle, a data file that is being written) or that "
        "a copy was cut short. Nothing was kept. Ship again; if it happens again, look for a "
        "process that writes to the files named by %deploy.",
    ),
    "store.not-plain": (
        "Only plain files are taken",
        "What arrives must be plain files in plain folders. Symbolic links, hard links to files "
        "elsewhere, sockets, pipes and devices are refused: what they stand for could change "
        "after it was checked. Cellship's own client never sends them; a program that writes "
        "into a lease must copy the bytes.",
    ),
    "store.wrong-byte-code": (
        "Byte code that does not belong to its source",
        "Packages travel with compiled byte code so that workers start faster. The service "
        "takes it only where it was made from exactly the source beside it. Ship again; the "
        "byte code is made anew.",
    ),
    "store.disk-full": (
        "The disk is full",
        "Below 5 % free space the service takes no new versions and goes on serving those it "
        "has. A deploy that does not fit is refused before anything is copied; one that meets a "
        "full disk half-way leaves nothing behind. Make room on the disk of the data folder, "
        "then ship again.",
    ),
    "store.bad-name": (
        "Not a digest",
        "Bytes are asked for by their BLAKE3 digest: 64 hexadecimal digits in lower case.",
    ),
    "store.no-bytes": (
        "The store does not hold these bytes",
        "A version names bytes by digest, and the store of this data folder does not have them: "
        "the folder was restored in part, or files were deleted by hand. Ship the cell again "
        "from a notebook that still has it, or restore a backup of the data folder.",
    ),
    "store.no-lease": (
        "The lease ended",
        "A lease keeps bytes while they are on their way in. It ends with the deploy, when it "
        "is dropped, or a day after it was last used. Ship again.",
    ),
    "environment.trees-collide": (
        "Two packages bring the same file",
        "All packages of an environment share one folder. Two of them hold a file of the same "
        "path with different content, so only one could be there. Uninstall one of the two, or "
        "rename the local file, and ship again.",
    ),
    "environment.interpreter-gone": (
        "The version's Python is gone",
        "The interpreter of this version could not be copied (the system's own Python, conda, a "
        "framework build), so the version stands on the one that the notebook ran with. That "
        "one was removed or replaced. Install it again at the same place, or ship the cell "
        "again from a kernel whose Python is there. What runs already goes on.",
    ),
    "environment.not-self-contained": (
        "The copied Python does not stand alone",
        "An environment is run once before it is used, and must use files of its own only. This "
        "build of Python still reads the place that it was copied from, so it would break when "
        "that place changes. A Python from uv, pyenv or python.org's source can be copied.",
    ),
}
