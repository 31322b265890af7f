"""Files are found or fetched whole, or not at all: loaders against a loopback server that misbehaves."""

import contextlib
import gzip
import hashlib
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from ib_utils.data import images, load_mnist
from ib_utils.data.download import data_file
from ib_utils.data.images import read_idx


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    return header + array.tobytes()


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


class Server:
    """Serves `files`; a file in `cut` breaks off half way. `peek` is called when half of a file is out."""

    def __init__(self):
        self.files, self.cut, self.requests, self.peek = {}, set(), [], lambda: None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append(self.path)
                name = self.path.rpartition("/")[2]
                if name not in outer.files:
                    return self.send_error(404)
                content = outer.files[name]
                half = len(content) // 2
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[:half])
                self.wfile.flush()
                outer.peek()
                return None if name in outer.cut else self.wfile.write(content[half:])

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.mirror = f"http://127.0.0.1:{self.http.server_port}/mnist/"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def server():
    running = Server()
    yield running
    running.http.shutdown()
    running.http.server_close()


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache, and no `$IB_DATA_DIR`."""
    monkeypatch.delenv("IB_DATA_DIR", raising=False)
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / "cache" / project)
    return tmp_path / "cache" / "inductive-biases" / "mnist"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


GOOD = gzip.compress(idx(np.arange(4000, dtype=np.uint8)))


def fetch(*mirrors):
    return data_file("file.gz", md5=md5(GOOD), mirrors=mirrors, folder="mnist")


def test_a_good_file_is_fetched_once(server, cache):
    server.files["file.gz"] = GOOD
    assert fetch(server.mirror).read_bytes() == GOOD
    assert fetch(server.mirror) == cache / "file.gz"
    assert server.requests == ["/mnist/file.gz"]


def test_half_a_file_never_bears_the_final_name(server, cache):
    server.files["file.gz"] = GOOD
    seen = []
    server.peek = lambda: seen.append((cache / "file.gz").exists())
    fetch(server.mirror)
    assert seen == [False]


def test_a_transfer_that_breaks_off_leaves_nothing(server, cache):
    server.files["file.gz"] = GOOD
    server.cut.add("file.gz")
    with pytest.raises(OSError, match="could not fetch file"):
        fetch(server.mirror)
    assert names(cache) == []


@pytest.mark.parametrize("delivered", [GOOD[:-20], GOOD[:50] + b"?" + GOOD[51:], b"<html>Moved</html>", b""])
def test_a_file_with_another_checksum_is_deleted_and_named(server, cache, delivered):
    server.files["file.gz"] = delivered
    with pytest.raises(OSError, match="could not fetch file") as error:
        fetch(server.mirror)
    assert f"{server.mirror}file.gz does not have md5 {md5(GOOD)} (deleted)" in str(error.value)
    assert "\n" not in str(error.value)
    assert names(cache) == []


def test_a_damaged_file_in_the_cache_is_fetched_again(server, cache):
    server.files["file.gz"] = GOOD
    fetch(server.mirror).write_bytes(GOOD[:30])
    assert fetch(server.mirror).read_bytes() == GOOD


def test_the_next_mirror_is_asked_when_one_is_down_lacks_the_file_or_is_wrong(server, cache):
    wrong, lacking, good = server, Server(), Server()
    wrong.files["file.gz"], good.files["file.gz"] = b"wrong", GOOD
    nobody = "http://127.0.0.1:1/"  # port 1 is not served
    assert fetch(nobody, lacking.mirror, wrong.mirror, good.mirror).read_bytes() == GOOD
    assert len(lacking.requests) == len(wrong.requests) == len(good.requests) == 1
    for extra in (lacking, good):
        extra.http.shutdown()
        extra.http.server_close()


def test_without_any_server_the_error_says_what_to_do(cache):
    with pytest.raises(OSError, match=r"http://127.0.0.1:1/file.gz failed .* put the file under \$IB_DATA_DIR"):
        fetch("http://127.0.0.1:1/")


def test_nothing_is_printed(server, cache, capfd):
    server.files["file.gz"] = GOOD
    fetch(server.mirror)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("folder", [".", "mnist"])
def test_a_file_of_the_users_own_needs_no_server(cache, tmp_path, monkeypatch, folder):
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "file.gz").write_bytes(GOOD)
    monkeypatch.setenv("IB_DATA_DIR", str(tmp_path))
    assert fetch() == tmp_path / folder / "file.gz"


def test_a_file_of_the_users_own_is_verified_and_left_alone(cache, tmp_path, monkeypatch):
    (tmp_path / "file.gz").write_bytes(b"mine")
    monkeypatch.setenv("IB_DATA_DIR", str(tmp_path))
    with pytest.raises(ValueError, match=f"file.gz has md5 {md5(b'mine')}, expected {md5(GOOD)}"):
        fetch()
    assert (tmp_path / "file.gz").read_bytes() == b"mine"


def test_a_misspelt_data_folder_is_named(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("IB_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(NotADirectoryError, match=r"IB_DATA_DIR='.*nowhere' is not a folder"):
        fetch()


@given(array=npst.arrays(np.uint8, npst.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=6)))
def test_reading_undoes_writing(array, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "array.gz"
    path.write_bytes(gzip.compress(idx(array)))
    assert np.array_equal(read_idx(path, n_axes=array.ndim), array)


WHOLE = idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(WHOLE)[:-9], "no intact gzip file"),
        (gzip.compress(WHOLE)[:20] + b"????" + gzip.compress(WHOLE)[24:], "no intact gzip file"),
        (WHOLE, "no intact gzip file"),
        (b"", "begins with , an idx file"),
        (gzip.compress(WHOLE[:-1]), r"has 23 bytes after its header, shape \(2, 3, 4\) needs 24"),
        (gzip.compress(WHOLE + b"?"), "has 25 bytes"),
        (gzip.compress(WHOLE[:10]), "has 10 bytes, its header alone takes 16"),
        (gzip.compress(idx(np.zeros(5, np.uint8))), "begins with 00000801, .* on 3 axes with 00000803"),
        (gzip.compress(b"<html></html>"), "begins with 3c68746d"),
    ],
)
def test_a_file_that_is_not_the_array_is_refused_in_one_line(content, message, tmp_path):
    path = tmp_path / "array.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read_idx(path, n_axes=3)
    assert "\n" not in str(error.value)
    assert "array.gz" in str(error.value)


@given(data=st.data())
def test_no_damaged_byte_passes_unnoticed(data, tmp_path_factory):
    content = bytearray(gzip.compress(WHOLE, mtime=0))
    place = data.draw(st.integers(10, len(content) - 1))  # behind gzip's header, which has no checksum
    content[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.gz"
    path.write_bytes(bytes(content))
    path.with_suffix(".whole").write_bytes(gzip.compress(WHOLE))
    with contextlib.suppress(ValueError):
        # what is not refused has not changed: a few bits of a deflate stream say nothing
        assert np.array_equal(read_idx(path, n_axes=3), read_idx(path.with_suffix(".whole"), n_axes=3))


@pytest.fixture
def tiny_mnist(server, cache, monkeypatch):
    """Forty training and twenty test images under MNIST's names, with checksums to match."""
    rng = np.random.default_rng(0)
    for prefix, n in (("train", 40), ("t10k", 20)):
        pixels = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        labels = rng.permutation(np.arange(n, dtype=np.uint8) % 10)
        server.files[f"{prefix}-images-idx3-ubyte.gz"] = gzip.compress(idx(pixels))
        server.files[f"{prefix}-labels-idx1-ubyte.gz"] = gzip.compress(idx(labels))
    monkeypatch.setattr(images, "MNIST_MD5", {name: md5(content) for name, content in server.files.items()})
    monkeypatch.setattr(images, "MNIST_MIRRORS", (server.mirror,))
    return server


def test_mnist_is_the_publishers_pixels_divided_by_255(tiny_mnist):
    data = load_mnist("train")
    assert (data.n_train, data.n_test, data.input_shape) == (40, 20, (1, 28, 28))
    assert data.x_train.dtype == torch.float32
    for prefix, x, y in (("train", data.x_train, data.y_train), ("t10k", data.x_test, data.y_test)):
        raw = gzip.decompress(tiny_mnist.files[f"{prefix}-images-idx3-ubyte.gz"])[16:]
        assert x.mul(255).round().byte().numpy().tobytes() == raw
        assert bytes(y.tolist()) == gzip.decompress(tiny_mnist.files[f"{prefix}-labels-idx1-ubyte.gz"])[8:]


def test_the_t10k_part_never_asks_for_the_training_file(tiny_mnist):
    data = load_mnist("t10k")
    assert (data.n_train, data.n_test) == (16, 4)
    assert "20 test images alone (t10k)" in repr(data)
    assert not any("train-" in path for path in tiny_mnist.requests)


def test_images_and_labels_of_different_number_are_refused(tiny_mnist, monkeypatch):
    name = "t10k-labels-idx1-ubyte.gz"
    tiny_mnist.files[name] = gzip.compress(idx(np.zeros(19, np.uint8)))
    monkeypatch.setitem(images.MNIST_MD5, name, md5(tiny_mnist.files[name]))
    with pytest.raises(ValueError, match="20 inputs, but 19 labels"):
        load_mnist("t10k")


def test_an_unknown_part_is_refused():
    with pytest.raises(ValueError, match="part='test' must be 'train' or 't10k'"):
        load_mnist("test")


def real(name: str) -> bool:
    root = Path(os.environ.get("IB_DATA_DIR", "/nonexistent"))
    return any((root / folder / name).is_file() for folder in (".", "mnist"))


@pytest.mark.skipif(not real("t10k-images-idx3-ubyte.gz"), reason="IB_DATA_DIR does not have MNIST's test files")
def test_the_real_t10k_is_split_8000_to_2000_with_every_class_in_proportion():
    data = load_mnist("t10k")
    assert (data.n_train, data.n_test, data.input_shape) == (8000, 2000, (1, 28, 28))
    counts = torch.cat([data.y_train, data.y_test]).bincount()
    # The publisher's counts of the ten digits.
    assert counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert (data.y_test.bincount() - counts / 5).abs().max() < 1
    assert (data.x_train.min(), data.x_train.max()) == (0, 1)
