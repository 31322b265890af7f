"""`ib`, the command line: each verb is a function of `ib_utils.runner`; this module parses, prints and exits.

Exit status: 0 all went well, 1 a chapter failed or was not stored, 2 bad input (one line on stderr),
130 interrupted.
"""

import sys
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


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)] = False,
) -> None:
    if version:
        print(f"ib {__version__}")
        raise typer.Exit


@app.command("list")
def list_chapters() -> None:
    """List the chapters: state of the stored outputs, how long they took, verdicts."""
    from rich.table import Table

    from ib_utils import runner

    table = Table(box=None, pad_edge=False)
    for column in ("chapter", "title", "stored", "state", "seconds", "verdicts"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for chapter in runner.chapters():
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
    judged = [r["verdict"] for r in records if r["primary"] and r["kind"] != "identity" and r["verdict"]]
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
    chapter: Annotated[str, typer.Argument(help="Name of the chapter.")],
    preset: Annotated[str | None, typer.Option(help="A set of values in notebooks/presets.")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", help="name=value, the value in YAML; repeatable.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that keeps the runs.")] = Path("runs"),
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
def doctor() -> None:
    """Say what is installed, which devices there are and where data are found."""
    from rich.table import Table

    from ib_utils import runner

    table = Table(box=None, show_header=False, pad_edge=False)
    for topic, found in runner.doctor():
        table.add_row(topic, found)
    _show(table)


def _show(table: Any) -> None:
    from rich.console import Console

    # not cut to 80 columns where nobody looks at a terminal
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def main() -> None:
    """Runs the command line; bad input and failed chapters end in an exit status, not in our traceback."""
    try:
        app(standalone_mode=True)
    except (ValueError, RuntimeError) as error:
        from ib_utils import runner

        if isinstance(error, runner.InputError):
            print(f"ib: {error}", file=sys.stderr)
            raise SystemExit(2) from None
        if isinstance(error, runner.ChapterError):
            print(error, file=sys.stderr)
            raise SystemExit(1) from None
        raise


if __name__ == "__main__":
    main()
