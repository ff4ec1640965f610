"""What a new workspace begins with."""

from __future__ import annotations

MESSAGE = "Begin the workspace\n"

# Lines below win over lines above. Line ends are never changed: digests count every byte.
ATTRIBUTES = b"""\
* -text
deployments/*/values/buffers/** filter=lfs diff=lfs merge=lfs -text
deployments/*/files/* filter=lfs diff=lfs merge=lfs -text
deployments/*/files/manifest.json !filter !diff !merge -text
deployments/*/values/graph.pkl -diff -merge -text
"""

# for `git log -p` in the bare repository itself, which does not read the attributes above
SHOWN_AS_BINARY = b"deployments/*/values/graph.pkl -diff\n"

# beside a graph.pkl that is itself a pointer
LARGE_GRAPH = b"graph.pkl filter=lfs diff=lfs merge=lfs -text\n"

README = b"""\
# Workspace

What is wanted of the Cellship service of this data folder: one folder per deployment.

    deployments/NAME/deployment.yaml    traffic and other settings that move without a new version
    deployments/NAME/settings.yaml      settings of the newest version
    deployments/NAME/source.py          its code; values/, files/ and the rest beside it
    deleted/NAME.yaml                   names that were deleted, and the highest number they used

A version is an annotated tag: `git show digits/v2` says who made it,
`git log -p deployments/digits` what changed.
Large files are git LFS pointers; their bytes lie in the store of the data folder.
"""

FILES = {".gitattributes": ATTRIBUTES, "README.md": README}
