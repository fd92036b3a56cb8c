"""Archives whose bytes depend on nothing but what is put in: tar, gzip, xz and ar.

Invariant: names are sorted, times are the one that is handed in, owners are numbers.
"""

import gzip
import io
import lzma
import tarfile
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True)
class File:
    """A file in an archive: its bytes, mode, and the number of its owner."""

    data: bytes
    mode: int = 0o644
    owner: int = 0


@dataclass(frozen=True)
class Directory:
    """A directory whose mode or owner matters; others are made as they are needed."""

    mode: int = 0o755
    owner: int = 0


def tar(entries, time, prefix=""):
    """The bytes of a tar archive of `entries` (path: File or Directory), each below `prefix`."""
    every = dict(entries)
    for path in entries:
        for parent in PurePosixPath(path).parents:
            if str(parent) != ".":
                every.setdefault(str(parent), Directory())
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(every):
            _add(archive, prefix + path, every[path], time)
    return buffer.getvalue()


def _add(archive, name, entry, time):
    info = tarfile.TarInfo(name)
    info.mode, info.mtime = entry.mode, time
    info.uid = info.gid = entry.owner
    if isinstance(entry, Directory):
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    else:
        info.size = len(entry.data)
        archive.addfile(info, io.BytesIO(entry.data))


def gz(data):
    """`data` compressed as gzip, without a name or a time."""
    return gzip.compress(data, compresslevel=9, mtime=0)


def xz(data):
    """`data` compressed as xz."""
    return lzma.compress(data, preset=6)


def ar(members, time):
    """The bytes of an ar archive of `members` (name, bytes), in their order: what a .deb is."""
    out = [b"!<arch>\n"]
    for name, data in members:
        head = f"{name:<16}{time:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n"
        out += [head.encode(), data, b"\n" * (len(data) % 2)]
    return b"".join(out)
