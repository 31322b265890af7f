"""The records of many runs as one table."""

import json
import os
import uuid
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .book import InputError

if TYPE_CHECKING:
    import pandas as pd

RUN = ("chapter", "preset", "device", "date", "seconds", "peak_mib", "commit", "cells", "modules")
CLAIM = (
    "paper", "primary", "kind", "quantity", "scale", "control", "of", "shown_as", "estimate", "n",
    "spread", "method", "confidence", "margin", "p_value", "verdict", "robust", "reason", "registration",
)  # fmt: skip
NUMBERS = ["estimate", "low", "high", "edge_low", "edge_high", "published", "spread", "margin", "p_value", "confidence"]


def collect(output_dir: str | Path = "runs") -> "pd.DataFrame":
    """One tidy table of all finished runs in a folder: a row a claim and run.

    A parameter `n` is the column `parameters.n`; one that is a list is its JSON text. `low` and `high` are the ends
    of the interval, `edge_low` and `edge_high` where they have to lie, null where open; `published` is the paper's
    value; what else has parts is JSON text. Rows are ordered by chapter and parameters. A record that cannot be read,
    or lacks something, is named in a warning and left out.

    Args:
        output_dir: where `run` and `sweep` keep their runs.

    Raises:
        InputError: there is no such folder.
    """
    import pandas as pd

    folder = Path(output_dir)
    if not folder.is_dir():
        raise InputError(f"there is no folder {str(output_dir)!r}")
    table = pd.DataFrame(list(_rows(folder)))
    if not len(table):
        return table
    table[NUMBERS] = table[NUMBERS].astype(float)  # where all are null, too
    names = [name for name in table.columns if name.startswith("parameters.")]
    for name in names:
        # Chapters may differ in what they call by one name; a column of Parquet has one type.
        if "mixed" in pd.api.types.infer_dtype(table[name], skipna=True):
            table[name] = table[name].map(_text, na_action="ignore")
    return table.sort_values(["chapter", *names], kind="stable", ignore_index=True)


def save_table(table: "pd.DataFrame", path: str | Path) -> None:
    """Writes a table as Parquet, under its final name only when it is complete."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        table.to_parquet(unfinished, index=False)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*/*/record.json")):
        try:
            record = json.loads(path.read_bytes())
            run = {name: record[name] for name in RUN} | {"run": path.parent.name}
            run |= {f"version.{name}": version for name, version in record["versions"].items()}
            run |= {f"parameters.{name}": _plain(value) for name, value in record["parameters"].items()}
            rows = [run | _row(claim) for claim in record["claims"]]
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            problem = f"it lacks {error}" if isinstance(error, KeyError) else str(error) or type(error).__name__
            warnings.warn(f"{path} cannot be read and does not count: {problem}", stacklevel=3)
            continue
        yield from rows


def _row(claim: Mapping[str, Any]) -> dict[str, Any]:
    low, high = claim["interval"]
    edge_low, edge_high = claim["edges"]
    published = claim["published"] or {}
    return {
        "claim": claim["id"],
        **{name: claim.get(name) for name in CLAIM},
        "low": low,
        "high": high,
        "edge_low": edge_low,
        "edge_high": edge_high,
        "published": published.get("value"),
        "redraws": _text(claim["redraws"]),
        "parts": _text(claim["parts"]),
    }


def _plain(value: Any) -> Any:
    return _text(value) if isinstance(value, list) else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
