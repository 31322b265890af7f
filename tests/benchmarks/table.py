"""Turns the results of `make bench` into the tables of the page *Training many networks*.

python tests/benchmarks/table.py results.json > book/_benchmarks.md
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import torch

BASELINE = "one after another"


def tables(results: dict) -> str:
    """Markdown: the machine; speed-ups over training one after another; what the targets ask."""
    times: dict[str, dict[str, float]] = defaultdict(dict)
    strategies = {}
    once = {}
    gains = {row["group"]: row["extra_info"]["gain"] for row in results["benchmarks"] if "gain" in row["extra_info"]}
    two_threads = next(filter(None, (row["extra_info"].get("two threads") for row in results["benchmarks"])))
    for row in results["benchmarks"]:
        about = row["extra_info"]
        if row["name"] in ("two processes", "two threads"):
            continue
        seconds = row["stats"]["min"]
        if "once" in about:
            once[row["group"]] = about["once"]
            seconds = (seconds - about["once"]) / (about["steps"] - 1)
        times[row["group"]][row["name"]] = seconds
        if "strategy" in about:
            strategies[row["group"]] = about["strategy"].split()[0]  # without the reason: the page is narrow
    methods = list(dict.fromkeys(name for row in times.values() for name in row if name != "matrix products alone"))
    machine = results["machine_info"]
    lines = [
        f"Measured on {machine['cpu'].get('brand_raw', machine['processor'])}, one thread, CPU time, "
        f"Python {machine['python_version']}, torch {torch.__version__}, {results['datetime'][:10]}.",
        "",
        f"Sixteen networks: milliseconds a step {BASELINE}, and how many times faster the others are. Before its first "
        f"and after its last step `train` builds, checks and scores the networks, which is left out here: "
        f"{1e3 * min(once.values()):.0f} to {1e3 * max(once.values()):.0f} ms.",
        "",
        "| | ms | " + " | ".join(name for name in methods if name != BASELINE) + " | engine takes |",
        "|---" * (len(methods) + 2) + "|",
    ]
    for family, row in times.items():
        base = row[BASELINE]
        cells = [f"{base / row[name]:.1f}x" if name in row else "" for name in methods if name != BASELINE]
        lines.append(f"| {family} | {1e3 * base:.1f} | {' | '.join(cells)} | {strategies[family]} |")
    lines += [
        "",
        *(f"Two processes of one thread each, {family}: {gain:.1f}x (wall time)." for family, gain in gains.items()),
    ]
    middle = times["MLP 40-100-100"]
    slowest = min(row[BASELINE] / row["train()"] for row in times.values())
    overhead = middle["train()"] / middle["vmap, backward"] - 1
    share = middle["matrix products alone"] / middle["train()"]
    lines += [
        "",
        "| target | asked | reached |",
        "|---|---|---|",
        f"| 16 MLPs 40-100-100, batch 100, Adam, over one after another, one thread | 2.5x | "
        f"{middle[BASELINE] / middle['train()']:.1f}x |",
        f"| the same on two threads (wall time) | 4x | {two_threads:.1f}x |",
        f"| the slowest family over one after another | 0.95x | {slowest:.2f}x |",
        f"| what a step of `train` takes beyond forward, backward and optimiser | 5 % | {100 * overhead:.0f} % |",
        f"| share of the time that plain matrix products of the same shapes take | 60 % | {100 * share:.0f} % |",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(tables(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
