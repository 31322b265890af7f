"""Images: handwritten digits of 8x8 pixels (no network needed) and MNIST from its publisher's files."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ib_utils.data.dataset import Dataset, split
from ib_utils.data.download import data_file

MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# The checksums that torchvision verifies, too.
MNIST_MD5 = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}


def load_digits() -> Dataset:
    """The 1,797 handwritten digits that come with scikit-learn: 8x8 pixels in [0, 1], no network needed.

    Each pixel counts the ink in a 4x4 block of a bitmap (0 to 16, divided by 16). Four fifths are for
    training; `resplit` draws other splits.

    Source:
        E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning
        Repository, doi:10.24432/C50P49. scikit-learn has the test part of it.

    Example:
        >>> load_digits()
        UCI digits: 1,437 training and 360 test examples of shape (1, 8, 8), 10 classes
          source:  Alpaydin & Kaynak (1998), doi:10.24432/C50P49, test part, as in scikit-learn
          licence: CC BY 4.0
          note:    training and test images share their 13 writers
    """
    from sklearn.datasets import load_digits as load

    bunch = load()
    x = torch.from_numpy(bunch.images).float().div(16).unsqueeze(1)  # (1797, 1, 8, 8)
    y = torch.from_numpy(bunch.target).long()
    return Dataset(
        **split(x, y, n_train=len(y) * 4 // 5, n_classes=10, seed=0),
        n_classes=10,
        name="UCI digits",
        source="Alpaydin & Kaynak (1998), doi:10.24432/C50P49, test part, as in scikit-learn",
        licence="CC BY 4.0",
        note="training and test images share their 13 writers",
    )


def load_mnist(part: Literal["train", "t10k"] = "train") -> Dataset:
    """MNIST from its publisher's four files: 28x28 pixels in [0, 1].

    The files are looked for under `$IB_DATA_DIR` (and its subfolder `mnist`), else fetched once into a cache.

    Args:
        part: "train" for the 60,000 training and 10,000 test images; "t10k" for the 10,000 test images alone,
            four fifths of them for training, always the same, where the training file is out of reach.

    Raises:
        ValueError: if `part` is another word, or a file is not what it should be.
        OSError: if a file can be neither found nor fetched.

    Source:
        Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of handwritten digits.
    """
    if part not in ("train", "t10k"):
        raise ValueError(f"part={part!r} must be 'train' or 't10k'")
    x, y = _mnist_pair("t10k")
    if part == "train":
        x_train, y_train = _mnist_pair("train")
        tensors = {"x_train": x_train, "y_train": y_train, "x_test": x, "y_test": y}
        note = ""
    else:
        tensors = split(x, y, n_train=len(y) * 4 // 5, n_classes=10, seed=0)
        note = f"drawn from the {len(y):,} test images alone (t10k), not the usual training set"
    return Dataset(
        **tensors,
        n_classes=10,
        name="MNIST" if part == "train" else "MNIST t10k",
        source="LeCun, Cortes & Burges, the publisher's idx files",
        licence="CC BY-SA 3.0",
        note=note,
    )


def _mnist_pair(prefix: str) -> tuple[Tensor, Tensor]:
    arrays = []
    for name, n_axes in ((f"{prefix}-images-idx3-ubyte.gz", 3), (f"{prefix}-labels-idx1-ubyte.gz", 1)):
        path = data_file(name, md5=MNIST_MD5[name], mirrors=MNIST_MIRRORS, folder="mnist")
        arrays.append(torch.from_numpy(read_idx(path, n_axes=n_axes)))
    images, labels = arrays
    return images.float().div_(255).unsqueeze(1), labels.long()  # (n, 1, 28, 28), (n,)


def read_idx(path: str | Path, *, n_axes: int) -> np.ndarray:
    """Read an array of unsigned bytes from a gzipped idx file.

    The format: two zero bytes, the type (8 for unsigned bytes), the number of axes, each axis' length as a
    big-endian 32-bit integer, then the bytes in C order.

    Args:
        path: the file.
        n_axes: number of axes that the array must have.

    Raises:
        ValueError: if the file is cut off, corrupted, or another file.
    """
    try:
        data = gzip.decompress(Path(path).read_bytes())
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is no intact gzip file: {error}") from error
    magic, header = bytes([0, 0, 8, n_axes]), 4 + 4 * n_axes
    if data[:4] != magic:
        raise ValueError(
            f"{path} begins with {data[:4].hex()}, an idx file of bytes on {n_axes} axes with {magic.hex()}"
        )
    if len(data) < header:
        raise ValueError(f"{path} has {len(data)} bytes, its header alone takes {header}")
    shape = tuple(int(n) for n in np.frombuffer(data, dtype=">u4", count=n_axes, offset=4))
    if len(data) - header != math.prod(shape):
        raise ValueError(
            f"{path} has {len(data) - header} bytes after its header, shape {shape} needs {math.prod(shape)}"
        )
    return np.frombuffer(data, dtype=np.uint8, offset=header).reshape(shape).copy()
