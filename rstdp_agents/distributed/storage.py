"""Run folders on storage that all machines reach: a shared file system, or any URI that fsspec knows."""

from __future__ import annotations

from pathlib import Path

import fsspec

from rstdp_agents.errors import UsageError
from rstdp_agents.runs.files import PARTIAL


class Storage:
    """A folder by URI, such as ``s3://bucket/run`` or a path; raises UsageError where fsspec lacks what the URI needs."""

    def __init__(self, uri: str) -> None:
        try:
            self.fs, self.root = fsspec.core.url_to_fs(uri)
        except (ImportError, ValueError) as error:
            raise UsageError(f"`--storage {uri}` cannot be used here: {error}") from error

    def upload(self, folder: Path) -> None:
        """Make the stored folder what ``folder`` is, checkpoints last; no stored file is ever half of one."""
        mine = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
        for name in sorted(mine, key=lambda name: name.endswith(".safetensors")):
            if mine[name].stat().st_size == self._size(name) and name.endswith(".safetensors"):
                continue  # checkpoints do not change
            target = f"{self.root}/{name}"
            self.fs.makedirs(target.rpartition("/")[0], exist_ok=True)
            self.fs.put_file(str(mine[name]), target + PARTIAL)
            self.fs.mv(target + PARTIAL, target)
        for name in self._names() - mine.keys():
            self.fs.rm_file(f"{self.root}/{name}")

    def download(self, folder: Path) -> None:
        """Bring what is stored into ``folder``."""
        for name in self._names():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            self.fs.get_file(f"{self.root}/{name}", str(folder / name))

    def _names(self) -> set[str]:
        found = self.fs.find(self.root) if self.fs.exists(self.root) else []
        return {path[len(self.root) :].lstrip("/") for path in found if not path.endswith(PARTIAL)}

    def _size(self, name: str) -> int:
        path = f"{self.root}/{name}"
        return self.fs.size(path) if self.fs.exists(path) else -1
