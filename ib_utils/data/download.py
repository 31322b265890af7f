"""Files of real data sets: found under `$IB_DATA_DIR` or fetched once into a cache, and always verified."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def data_file(name: str, *, md5: str, mirrors: Sequence[str], folder: str) -> Path:
    """Path of a verified file, fetched if need be.

    Looks in `$IB_DATA_DIR` and in its subfolder `folder`, then in the cache (`pooch.os_cache`), then asks the
    mirrors in turn. A download is written under a temporary name, deleted if its checksum is wrong, and
    renamed when it is right: a file under its final name is whole.

    Args:
        name: file name, the same on all mirrors.
        md5: checksum that the publisher or the mirrors' users give.
        mirrors: addresses ending in "/", tried in order.
        folder: subfolder of the data set, under `$IB_DATA_DIR` and in the cache.

    Raises:
        ValueError: if the file under `$IB_DATA_DIR` has another checksum (it is left alone).
        OSError: if `$IB_DATA_DIR` is no folder, or no mirror delivered the right file.
    """
    import pooch

    local = os.environ.get("IB_DATA_DIR")
    if local:
        root = Path(local).expanduser()
        if not root.is_dir():
            raise NotADirectoryError(f"IB_DATA_DIR={local!r} is not a folder")
        for path in (root / name, root / folder / name):
            if path.is_file():
                found = pooch.file_hash(str(path), alg="md5")
                if found != md5:
                    raise ValueError(f"{path} has md5 {found}, expected {md5}: replace or remove it")
                return path

    pooch.get_logger().setLevel("WARNING")  # its chatter on stderr would end up in stored notebooks
    failures = []
    for mirror in mirrors:
        try:
            return Path(
                pooch.retrieve(
                    mirror + name,
                    known_hash=f"md5:{md5}",
                    fname=name,
                    path=pooch.os_cache("inductive-biases") / folder,
                    downloader=pooch.HTTPDownloader(progressbar=True, timeout=30),
                )
            )
        except OSError as error:  # refused, cut off, not found: requests' errors are OSErrors
            failures.append(f"{mirror + name} failed ({type(error).__name__})")
        except ValueError:  # pooch's word for a wrong checksum; it has deleted the file
            failures.append(f"{mirror + name} does not have md5 {md5} (deleted)")
    raise OSError(f"could not fetch {name}: {'; '.join(failures)}. Try again, or put the file under $IB_DATA_DIR")
