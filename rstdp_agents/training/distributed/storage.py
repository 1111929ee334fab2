"""Run folders on storage that all machines reach: a shared file system, or any URI that fsspec knows."""

from __future__ import annotations

from pathlib import Path

import fsspec

from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.files import PARTIAL
from rstdp_agents.base.growing import Extent, extent_of
from rstdp_agents.training.runs.evaluations import BEST
from rstdp_agents.training.runs.folder import OWN, SETTINGS


class Storage:
    """A run folder by URI, such as ``s3://bucket/run`` or a path; raises UsageError where fsspec lacks what the URI needs.

    Only what a run folder holds is stored, fetched and deleted, by its names (`folder.OWN`): all else there is left alone.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        try:
            self.fs, self.root = fsspec.core.url_to_fs(uri)
        except (ImportError, ValueError) as error:
            raise UsageError(f"`--storage {uri}` cannot be used here: {error}") from error
        self._stored: dict[str, Extent] = {}

    def upload(self, folder: Path) -> None:
        """Make the stored run what ``folder`` holds of one, the best checkpoint last; no stored file is ever half of one."""
        mine = {name: folder / name for name in _names_in(folder)}
        for name in sorted(mine, key=_turn):
            content = extent_of(mine[name], mine[name].stat().st_size)
            if self._stored.get(name) != content:
                self._put(mine[name], f"{self.root}/{name}")
                self._stored[name] = content
        for name in self._names() - mine.keys():
            self.fs.rm_file(f"{self.root}/{name}")

    def download(self, folder: Path) -> None:
        """Bring what is stored of a run into ``folder``. Raises UsageError where that would be written elsewhere."""
        for name in self._names():
            target = folder / name
            if folder.resolve() not in target.resolve().parents:
                raise UsageError(f"{target} leads out of {folder}: nothing was fetched from {self.uri} to it")
            target.parent.mkdir(parents=True, exist_ok=True)
            self.fs.get_file(f"{self.root}/{name}", str(target))
            self._stored[name] = extent_of(target, target.stat().st_size)

    def _put(self, source: Path, target: str) -> None:
        self.fs.makedirs(target.rpartition("/")[0], exist_ok=True)
        if self.fs.lexists(target + PARTIAL):  # of an upload that was cut off, or a link to somewhere
            self.fs.rm_file(target + PARTIAL)
        self.fs.put_file(str(source), target + PARTIAL)
        self.fs.mv(target + PARTIAL, target)

    def _names(self) -> set[str]:
        self.fs.invalidate_cache()
        places = ("", "best/", "checkpoints/")
        found = {place + path.rpartition("/")[2] for place in places for path in self._list(f"{self.root}/{place}")}
        return {name for name in found if OWN.fullmatch(name)}

    def _list(self, place: str) -> list[str]:
        try:
            return self.fs.ls(place.rstrip("/"), detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []


def _names_in(folder: Path) -> set[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name for name in found if OWN.fullmatch(name)}


def _turn(name: str) -> tuple[int, str]:
    """When a file is stored: what says that this is a run first, checkpoints after what they speak of."""
    kind = 0 if name == SETTINGS else 3 if name == BEST else 2 if name.endswith(".safetensors") else 1
    return kind, name
