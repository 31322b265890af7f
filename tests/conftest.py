"""Settings for all tests: one thread, no windows, no progress bars, real data where a checkout has them."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("TQDM_DISABLE", "1")

DATA = Path(__file__).parents[2] / "shared" / "data"
if DATA.is_dir():
    os.environ.setdefault("IB_DATA_DIR", str(DATA))

import torch  # noqa: E402  (after the number of threads is set)

torch.set_num_threads(1)

from hypothesis import settings  # noqa: E402

settings.register_profile("book", deadline=None)  # a busy machine is no failure
settings.load_profile("book")
