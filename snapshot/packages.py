"""Which packages an entry needs, as trees.

modules that the code names -> distributions (by the file, not by the first word of the name)
                            -> what those require -> one tree each
modules that nobody installed -> local trees, and their imports are followed
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from cellship.snapshot.candidate import Tree
from cellship.snapshot.collisions import check_collisions
from cellship.snapshot.distributions import Distribution, Installed
from cellship.snapshot.editable import top_levels
from cellship.snapshot.fresh import check_local, check_packages
from cellship.snapshot.local_code import LocalCode
from cellship.snapshot.modules import find_module, is_standard_name
from cellship.snapshot.policy import wanted
from cellship.snapshot.pylock import Locked, write_pylock
from cellship.snapshot.reach import Reached, reach
from cellship.snapshot.record import metadata_files, package_files
from cellship.snapshot.trees import TreePlan, make_trees

OURS = "cellship"


@dataclass(frozen=True)
class Packages:
    """What ships beside the code."""

    trees: tuple[Tree, ...]
    pylock: str
    notes: tuple[str, ...]
    named: tuple[str, ...]  # "scikit-learn 1.9.1", those that the code names first


def resolve(
    roots: Mapping[str, str],
    *,
    policy: str,
    cwd: Path,
    cache: Path | None,
    replayed: Collection[str] = (),
) -> Packages:
    """The trees that the modules `roots` (module name -> why it is needed) come from.

    `policy` is "closure"; "closure+loaded", which adds what these packages have imported in this
    kernel without requiring it; "all"; or the path of a requirements file. `cwd` stands for "" on
    `sys.path`, and a relative policy path is below it. `replayed` names what the notebook set on
    local modules and source.py sets again: "helpers.DEBUG". Raises CaptureRefused.
    """
    installed = Installed.here()
    reached, closure, notes = _follow(dict(roots), policy, installed, cwd)
    chosen = {name: found for name in closure if (found := installed.get(name)) is not None}
    chosen.pop(OURS, None)
    check_packages(chosen.values())
    for modules in reached.modules.values():
        check_local(modules, replayed)
    plans, more = _plans(chosen, closure, reached)
    check_collisions(plans)
    trees = make_trees(plans, cache)
    return Packages(
        trees=trees,
        pylock=write_pylock([_locked(tree, chosen) for tree in trees]),
        notes=(*reached.notes, *notes, *more),
        named=_named(trees, roots),
    )


def installed(module: str, cwd: Path) -> bool:
    """Whether `module` can be imported here (nothing is imported to find out)."""
    found = find_module(module, cwd)
    return is_standard_name(module) if found is None else found.name == module


def _follow(
    roots: dict[str, str], policy: str, installed: Installed, cwd: Path
) -> tuple[Reached, dict[str, str], list[str]]:
    """What is reached and required, to the end: a required editable install is local code again."""
    while True:
        reached = reach(roots, installed, cwd)
        closure, notes = wanted(reached, policy, installed, cwd)
        more = _editable_roots(closure, reached, installed)
        if not more.keys() - roots.keys():
            return reached, closure, notes
        roots = {**more, **roots}


def _editable_roots(
    closure: Mapping[str, str], reached: Reached, installed: Installed
) -> dict[str, str]:
    """Modules of editable installs that are required, though no code names them."""
    placed = {distribution.name for distribution in reached.projects.values()}
    return {
        top: why
        for name, why in closure.items()
        if name != OURS and name not in placed
        if (distribution := installed.get(name)) is not None and distribution.project
        for top in top_levels(distribution)
    }


def _plans(
    chosen: Mapping[str, Distribution], why: Mapping[str, str], reached: Reached
) -> tuple[list[TreePlan], list[str]]:
    plans, notes = [], []
    for name, distribution in chosen.items():
        if distribution.project:
            continue
        found = package_files(distribution.info, distribution.recorded)
        notes += _notes(distribution, found.changed, found.gone)
        files = (*found.files, *reached.strays.get(name, ()))
        key = str(distribution.info)
        plans.append(
            TreePlan("package", distribution.shown, distribution.version, why[name], files, key)
        )
    return plans + [
        _local_plan(code, reason, reached) for code, reason in reached.local.items()
    ], notes


def _local_plan(code: LocalCode, why: str, reached: Reached) -> TreePlan:
    project = reached.projects.get(code)
    files = code.files() + (metadata_files(project.info) if project else ())
    version = project.version if project else ""
    return TreePlan("local", code.top, version, why, files, f"{code.base}/{code.top}")


def _notes(distribution: Distribution, changed: Sequence[str], gone: Sequence[str]) -> list[str]:
    notes = []
    if changed:
        notes.append(
            f"{distribution.shown} was changed after it was installed ({_few(changed)}); "
            "it ships as it is here"
        )
    if gone:
        notes.append(f"{distribution.shown} misses files that it was installed with ({_few(gone)})")
    return notes


def _few(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more}"


def _locked(tree: Tree, chosen: Mapping[str, Distribution]) -> Locked:
    distribution = chosen.get(canonicalize_name(tree.name)) if tree.kind == "package" else None
    return Locked(tree.name, tree.version, tree.digest, distribution)


def _named(trees: Sequence[Tree], roots: Mapping[str, str]) -> tuple[str, ...]:
    """Names and versions, those that the code names first."""
    named_by_code = set(roots.values())
    ordered = sorted(trees, key=lambda tree: tree.why not in named_by_code)
    return tuple(f"{tree.name} {tree.version}".rstrip() for tree in ordered)
