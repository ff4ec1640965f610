"""What `explain CODE` says about packages, local code and files."""

from __future__ import annotations

CODES: dict[str, tuple[str, str]] = {
    "capture.module-changed": (
        "A local module is not what its file says",
        "A local module ships as its file. Here a function or a constant of the loaded module "
        "differs from the file: the file was edited after the import, or the notebook changed "
        "the module from outside (`helpers.DEBUG = True`). A worker would then answer "
        "differently from this kernel. Reload the module or restart the kernel; a setting that "
        "the notebook changes belongs into the file, or into a parameter.",
    ),
    "capture.module-without-file": (
        "A module that has no file",
        "Local code ships as plain files. This module came from an archive or was removed from "
        "disk after its import. Put it beside the notebook as a file or a folder and import it "
        "again.",
    ),
    "capture.package-changed": (
        "Another version is loaded than is installed",
        "The package was upgraded after this kernel had imported it. What is installed is what "
        "ships, so a worker would run another version than the one you tried here. Restart the "
        "kernel and run the notebook again.",
    ),
    "capture.package-not-installed": (
        "The requirements file is not met",
        "A requirements file is obeyed to the letter: each of its lines must be met by what is "
        "installed in this kernel's environment, because that is what ships. Install the named "
        "version, or change the line.",
    ),
    "capture.packages-file": (
        "The requirements file is not understood",
        "`--packages` takes the words `closure` (what the code reaches, and what that "
        "requires), `all`, or the path of a requirements file with one requirement per line. "
        "Lines may include other files with `-r`; options that name indexes are ignored, since "
        "nothing is downloaded.",
    ),
    "capture.changed-meanwhile": (
        "The environment changes while it is read",
        "A file of a package went away, or could not be read, while the package was captured: an "
        "installer is at work in another terminal, or the disk has a problem. Ship again when it "
        "is done.",
    ),
    "capture.packages-collide": (
        "Two packages bring the same file",
        "All packages of an environment share one folder. Two of them hold a file of the same "
        "path with different content, so only one could be there. Often a local file has the "
        "name of an installed module: rename it. Else uninstall one of the two.",
    ),
    "capture.shadows-standard-library": (
        "A local file has the name of a module of Python",
        "Beside the notebook, a file such as `types.py` hides Python's own module. In a worker "
        "Python's own comes first, so the code would meet another module than here. Rename the "
        "file.",
    ),
    "capture.cellship-inside": (
        "Cellship does not ship itself",
        "The code uses modules of Cellship, which belong to the notebook and to the service. A "
        "worker does not have them. Take that use out of the shipped code.",
    ),
    "capture.local-code-too-large": (
        "A local package is too large",
        "A local package ships whole, with its data files, up to 500 MiB. Move data out of the "
        "package's folder; files that the code names by path ship on their own.",
    ),
    "capture.secret-file": (
        "A file of secrets",
        "Files that by their name hold secrets (`.env`, `id_rsa`, `*.pem`, what lies in `.git` "
        "or `.ssh`) never ship: a version is kept for good. Take the reading out of the shipped "
        "code, rename the file if it holds no secret, or ship without it by `--no-file`.",
    ),
    "capture.file-too-large": (
        "A large file",
        "Files that the code names ship by themselves up to 100 MiB. A larger one ships when it "
        "is asked for by `--file`, and is left out by `--no-file`.",
    ),
    "capture.files-too-large": (
        "Many large files",
        "The files that the code names ship by themselves up to 500 MiB together. Ask for the "
        "large ones by `--file`, or leave them out by `--no-file`.",
    ),
    "capture.too-many-files": (
        "A folder with many files",
        "A folder that the code names ships by itself up to 200 files. A larger one ships when "
        "it is asked for by `--file FOLDER`, and is left out by `--no-file FOLDER`.",
    ),
    "capture.file-outside": (
        "A file outside the notebook's folder",
        "A worker has a folder of its own and finds captured files below it, under the paths "
        "they have below the notebook's folder. A path that leads up and out of that folder "
        "means nothing there. Copy the file beside the notebook.",
    ),
    "capture.absolute-path": (
        "An absolute path",
        "An absolute path means a place on this machine, and a worker has its files somewhere "
        "else. Write the path relative to the notebook's folder: the file ships and is found "
        "under the same relative path. Files of the system (`/etc/hostname`, `/usr/…`, "
        "`/proc/…`) are left alone and read where the worker runs. If the code does not read "
        "the path at all, `--no-file PATH` says so.",
    ),
    "capture.file-not-found": (
        "No such file",
        "A path after `--file` is relative to the notebook's current folder (`%pwd`), and "
        "nothing is there.",
    ),
    "capture.file-unreadable": (
        "A file that cannot be read",
        "The code names a file that this kernel has no right to read. Change its mode, or ship "
        "without it by `--no-file`.",
    ),
}
