"""`ib`, the command line: each verb is a function of `ib_utils.runner`; this module parses, prints and exits.

Exit status: 0 all went well, 1 a chapter failed or was not stored, 2 bad input (one line on stderr),
130 interrupted.
"""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

try:
    import typer
except ModuleNotFoundError:  # the package alone has no command line
    raise SystemExit("ib needs more than the package alone: pip install 'ib-utils[run]'") from None

from ib_utils import __version__

# Everything else is imported by the verb that needs it: `ib --help` answers at once.

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=("Runs the chapters of the book *Inductive Biases: an executable atlas*."),
)

Store = Annotated[bool, typer.Option("--store", help="Also replace the notebooks in notebooks/.")]
Force = Annotated[bool, typer.Option("--force", help="Run again what has not changed.")]
Timeout = Annotated[float | None, typer.Option(help="Seconds that one cell may take.")]
Chapter = Annotated[str, typer.Argument(help="Name of the chapter.")]
Preset = Annotated[str | None, typer.Option(help="A set of values in notebooks/presets.")]
Parameters = Annotated[
    list[str] | None, typer.Option("-p", "--parameter", help="name=value, the value in YAML; repeatable.")
]
Out = Annotated[Path, typer.Option(help="Folder that keeps the runs.")]
Scheduler = Annotated[str | None, typer.Option(help="A Dask cluster, tcp://host:8786; this machine without one.")]
Jobs = Annotated[int | None, typer.Option(help="How many at a time here; as cores and memory allow without it.")]
Resources = Annotated[
    list[str] | None, typer.Option("--resource", help="What a run takes of its Dask worker, GPU=1; repeatable.")
]


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)] = False,
) -> None:
    if version:
        print(f"ib {__version__}")
        raise typer.Exit


@app.command("list")
def list_chapters() -> None:
    """List the chapters and pages that execute: state of the stored outputs, how long they took, verdicts."""
    from rich.table import Table

    from ib_utils import runner

    table = Table(box=None, pad_edge=False)
    for column in ("chapter", "title", "stored", "state", "seconds", "verdicts"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for chapter in [*runner.chapters(), *runner.pages()]:
        found = runner.overview(chapter)
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(found.verdicts.items()))
        seconds = "" if found.seconds is None else f"{found.seconds:.0f}"
        table.add_row(chapter, found.title, found.date or "", found.stale or "current", seconds, verdicts)
    _show(table)


@app.command("claims")
def list_claims(
    as_json: Annotated[bool, typer.Option("--json", help="The stored records, for machines.")] = False,
) -> None:
    """List the claims of the stored notebooks: kind, scale, verdict, estimate."""
    import json

    from rich.table import Table

    from ib_utils import claims, runner
    from ib_utils.claims import words

    records = [record for name in runner.chapters() for record in claims.from_notebook(runner.notebook_path(name))]
    if as_json:
        print(json.dumps(records, ensure_ascii=False, indent=1))
        return
    table = Table(box=None, pad_edge=False)
    for column in ("chapter", "claim", "", "kind", "scale", "verdict", "estimate"):
        table.add_column(column)
    for r in records:
        verdict = (r["verdict"] or "not judged") + (f", {r['robust']}" if r["robust"] else "")
        primary = "primary" if r["primary"] else ""
        table.add_row(r["chapter"], r["id"], primary, r["kind"], r["scale"] or "", verdict, words.estimate(r))
    _show(table)
    counted = [r for r in records if r["primary"] and r["kind"] != "identity" and r["preset"] != "custom"]
    judged = [r["verdict"] for r in counted if r["verdict"]]
    print(
        f"\nPrimary claims: {len(judged)} judged, {judged.count('holds')} hold, of which "
        f"{len(claims.survivors(records))} survive Benjamini-Hochberg at 5 %. False holds expected among all claims: "
        f"at most {claims.expected_false_holds(records):.1f}."
    )


@app.command("papers")
def list_papers(
    chapter: Annotated[str | None, typer.Option(help="Only this chapter's.")] = None,
    status: Annotated[str | None, typer.Option(help="Only with this status, such as tested or planned.")] = None,
) -> None:
    """List the papers of the atlas and what has become of them."""
    from rich.table import Table

    from ib_utils import atlas, claims, runner
    from ib_utils.runner.book import suggest

    for what, got, known in (("chapter", chapter, atlas.chapters()), ("status", status, atlas.STATUSES)):
        if got is not None and got not in known:
            raise runner.InputError(f"no {what} {got!r}; {suggest(got, known)}")
    tested = {r["paper"] for name in runner.chapters() for r in claims.from_notebook(runner.notebook_path(name))}
    table = Table("paper", "title", "chapter", "status", box=None, pad_edge=False)
    for paper in atlas.papers().values():
        found = atlas.status(paper, tested)
        if chapter in (None, paper.chapter) and status in (None, found):
            table.add_row(paper.citation or paper.id, paper.title, paper.chapter or "", found)
    _show(table)


@app.command()
def new(chapter: Annotated[str, typer.Argument(help="Name of the chapter, words-with-hyphens.")]) -> None:
    """Start a chapter: a notebook and a registry of claims to be filled."""
    from ib_utils import runner

    for path in runner.new(chapter):
        print(f"wrote {path.relative_to(runner.root())}")
    print(f"next: enter it in ib_utils/atlas/chapters.yml and _toc.yml; pytest tests/notebooks -k {chapter}")


@app.command()
def execute(
    chapter: Annotated[list[str] | None, typer.Argument(help="Chapters; all without any.")] = None,
    store: Store = False,
    jobs: Annotated[int, typer.Option(help="How many at a time.")] = 2,
    force: Force = False,
    timeout: Timeout = 1200,
) -> None:
    """Run chapters at their defaults, into _build/executed and with --store into notebooks/."""
    from ib_utils import runner
    from ib_utils.runner.progress import Progress

    with Progress() as progress:
        results = runner.execute(chapter or [], store=store, jobs=jobs, force=force, timeout=timeout, progress=progress)
    for result in results:
        if not result.ok:
            print(f"\n{result.chapter} {result.status}:\n{result.problem}", file=sys.stderr)
    if not all(result.ok for result in results):
        raise typer.Exit(1)


@app.command()
def run(
    chapter: Chapter,
    preset: Preset = None,
    parameter: Parameters = None,
    out: Out = Path("runs"),
    record: Annotated[bool, typer.Option("--record", help="Keep the claims in book/recorded; presets only.")] = False,
    force: Force = False,
    timeout: Timeout = None,
) -> None:
    """Run one chapter with a preset or with other parameters, and keep a record of it."""
    from ib_utils import runner

    values = runner.parse_assignments(chapter, parameter or [])
    done = runner.run(
        chapter, preset=preset, parameters=values, output_dir=out, record=record, force=force, timeout=timeout
    )
    for claim in done.record["claims"]:
        print(f"{claim['id']}: {claim['verdict'] or 'unjudged'}")
    print(f"{done.folder}{'' if done.new else ' was there already (--force runs it again)'}")


@app.command()
def sweep(
    chapter: Chapter,
    grid: Annotated[
        list[str], typer.Option("-g", "--grid", help="name=0:5 or name=a,b,c; repeatable: every combination is run.")
    ],
    preset: Preset = None,
    parameter: Parameters = None,
    out: Out = Path("runs"),
    scheduler: Scheduler = None,
    jobs: Jobs = None,
    resource: Resources = None,
    force: Force = False,
    timeout: Timeout = None,
) -> None:
    """Run one chapter over a grid of parameters; the same command goes on where it was stopped."""
    from ib_utils import runner

    _needs_cluster()
    outcomes = _with_progress(
        runner.sweep,
        chapter,
        runner.parse_grid(chapter, grid),
        preset=preset,
        parameters=runner.parse_assignments(chapter, parameter or []),
        output_dir=out,
        scheduler=scheduler,
        jobs=jobs,
        resources=_resources(resource or []),
        force=force,
        timeout=timeout,
    )
    failed = [outcome for outcome in outcomes if not outcome.ok]
    for outcome in failed:
        print(f"\n{outcome} failed, {outcome.folder}:\n{outcome.problem}", file=sys.stderr)
    count = Counter(outcome.status for outcome in outcomes)
    print(f"{len(outcomes)} runs: {', '.join(f'{number} {status}' for status, number in sorted(count.items()))}")
    if failed:
        raise typer.Exit(1)


@app.command()
def collect(
    runs: Annotated[Path, typer.Argument(help="Folder that keeps the runs.")] = Path("runs"),
    table: Annotated[Path | None, typer.Option(help="The Parquet file; claims.parquet in the folder.")] = None,
) -> None:
    """Make one table of all finished runs: a row a claim and run."""
    from ib_utils import runner

    _needs_cluster()
    found, unreadable = _collected(runs)
    if not len(found):
        raise runner.InputError(f"no finished run in {str(runs)!r}")
    path = table or runs / "claims.parquet"
    runner.save_table(found, path)
    print(f"{path}: {found['run'].nunique()} runs, {len(found)} rows")
    if unreadable:
        raise typer.Exit(1)


@app.command()
def compare(
    chapter: Chapter,
    parameter: Annotated[str, typer.Argument(help="The swept parameter to draw along.")],
    claim: Annotated[list[str] | None, typer.Option(help="A claim; repeatable; the primary ones without it.")] = None,
    runs: Annotated[Path, typer.Option(help="Folder that keeps the runs.")] = Path("runs"),
    figure: Annotated[Path | None, typer.Option(help="The PNG; <chapter>-<parameter>.png in the folder.")] = None,
) -> None:
    """Draw how the estimates and verdicts of claims move along a swept parameter."""
    from ib_utils import runner

    found, unreadable = _collected(runs)
    drawn = runner.compare(found, chapter, parameter, claims=claim or [])
    path = figure or runs / f"{chapter}-{parameter}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.savefig(path)
    print(path)
    if unreadable:
        raise typer.Exit(1)


@app.command()
def robust(
    chapter: Chapter,
    seed: Annotated[list[int] | None, typer.Option(help="A base seed; repeatable; 500 to 503 without it.")] = None,
    preset: Preset = None,
    out: Out = Path("runs"),
    scheduler: Scheduler = None,
    jobs: Jobs = None,
    resource: Resources = None,
    timeout: Timeout = None,
) -> None:
    """Run a chapter under other base seeds and say which verdicts move; 1 if one turns into its opposite."""
    from rich.table import Table

    from ib_utils import runner

    _needs_cluster()
    verdicts = _with_progress(
        runner.robust,
        chapter,
        **({"seeds": seed} if seed else {}),
        preset=preset,
        output_dir=out,
        scheduler=scheduler,
        jobs=jobs,
        resources=_resources(resource or []),
        timeout=timeout,
    )
    table = Table("claim", *map(str, verdicts.columns[:-1]), "", box=None, pad_edge=False)
    for row in verdicts.itertuples():
        table.add_row(*row)
    _show(table)
    count = Counter(verdicts["moves"])
    print(f"\n{len(verdicts)} claims: {count['stays']} stay, {count['moves']} move, {count['turns']} turn")
    if count["turns"]:
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Say what is installed, which devices there are and where data are found."""
    from rich.table import Table

    from ib_utils import runner

    table = Table(box=None, show_header=False, pad_edge=False)
    for topic, found in runner.doctor():
        table.add_row(topic, found)
    _show(table)


def _needs_cluster() -> None:
    from importlib.util import find_spec

    from ib_utils import runner

    for module in ("distributed", "pyarrow"):
        if find_spec(module) is None:
            raise runner.InputError(f"{module} is not installed: pip install 'ib-utils[cluster]'")


def _with_progress(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    from ib_utils.runner.progress import SweepProgress

    with SweepProgress() as progress:
        return function(*arguments, **options, progress=progress)


def _resources(assignments: list[str]) -> dict[str, float] | None:
    from ib_utils import runner

    try:
        return {name: float(amount) for name, amount in (text.split("=") for text in assignments)} or None
    except ValueError:
        raise runner.InputError(f"a resource is given as name=number, not {', '.join(assignments)!r}") from None


def _collected(folder: Path) -> tuple[Any, bool]:
    """The table of a folder's runs, and whether a record was left out; each is named on stderr."""
    import warnings

    from ib_utils import runner

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = runner.collect(folder)
    for warning in caught:
        print(f"ib: {warning.message}", file=sys.stderr)
    return found, bool(caught)


def _show(table: Any) -> None:
    from rich.console import Console

    # not cut to 80 columns where nobody looks at a terminal
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def main() -> None:
    """Runs the command line; bad input and failed chapters end in an exit status, not in our traceback."""
    try:
        app(standalone_mode=True)
    except (ValueError, RuntimeError) as error:
        from ib_utils import atlas, runner

        if isinstance(error, runner.InputError | atlas.AtlasError):
            print(f"ib: {error}", file=sys.stderr)
            raise SystemExit(2) from None
        if isinstance(error, runner.ChapterError):
            print(error, file=sys.stderr)
            raise SystemExit(1) from None
        raise


if __name__ == "__main__":
    main()
