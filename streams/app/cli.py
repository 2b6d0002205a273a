"""The command line: `singleview --help` reads like the manual. Results on standard output, all else on standard error."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from streams.app import logs
from streams.app.defaults import DEFAULT_CONFIG, DEFAULT_FOLDER
from streams.app.exits import exit_code
from streams.engine.collector import relax_collector
from streams.engine.private import PRIVATE_UMASK

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The deployment's configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
DemoFolder = Annotated[Path, typer.Option("--data", file_okay=False, help="Data folder of the embedded log.")]

DeploymentOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help=f"Look into this deployment on Kafka; if there is one, {DEFAULT_CONFIG}."),
]
FolderOption = Annotated[
    Path | None,
    typer.Option("--data", file_okay=False, help=f"Look into this data folder instead; else, {DEFAULT_FOLDER}."),
]


def _version(wanted: bool) -> None:
    if wanted:
        from schemas.versions import installed

        typer.echo(f"singleview {installed()}")
        raise typer.Exit


@app.callback()
def singleview(
    _: Annotated[bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the release.")] = False,
) -> None:
    """One true record per customer, from the change events of a communications service provider's systems."""


@app.command()
def demo(
    customers: Annotated[int, typer.Option(min=1, help="How many true customers to simulate.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Another seed, other people.")] = 42,
    data: DemoFolder = DEFAULT_FOLDER,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew instead of going on.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run the whole pipeline over five simulated systems: no broker, no set-up. Goes on where it was stopped."""
    from streams.app.commands.demo import demo as command

    command(customers, seed, data, fresh=fresh, as_json=as_json)


@app.command()
def generate(
    customers: Annotated[int, typer.Option(min=1)] = 10_000,
    seed: Annotated[int, typer.Option()] = 42,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write, one file per topic.")] = Path("generated"),
    as_json: JsonOption = False,
) -> None:
    """Write the events of five simulated systems, and the truth about them, to a folder."""
    from streams.app.commands.generate import generate as command

    command(customers, seed, output, as_json=as_json)


@app.command()
def publish(
    folder: Annotated[Path, typer.Argument(help="A folder that `generate` wrote.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Send a generated folder's events to the source topics on Kafka, Avro through the registry."""
    from streams.app.commands.kafka import publish as command

    command(folder, config, as_json=as_json)


@app.command()
def check(
    mapping: Annotated[Path, typer.Argument(help="A mapping file.")],
    samples: Annotated[list[Path] | None, typer.Argument(help="Events: .json, .jsonl, or raw bytes.")] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="For the registry, if the samples are Avro.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Validate a mapping, and show what sample events become."""
    from streams.app.commands.check import check as command

    command(mapping, samples or [], config, as_json=as_json)


@app.command()
def init(
    config: ConfigOption = DEFAULT_CONFIG,
    accept: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC", help="A table topic that was made anew and has its content back.")
    ] = None,
    skip_lost: Annotated[
        list[str] | None,
        typer.Option(metavar="TOPIC", help="Go on without what was deleted from this topic before it was read; may repeat."),
    ] = None,
    remake: Annotated[
        list[str] | None,
        typer.Option(metavar="TOPIC", help="An inbox with partitions somebody added: made anew with what waits in it."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Create the topics on Kafka, check existing ones, commit first offsets. Harmless to repeat."""
    from streams.app.commands.kafka import init as command

    command(config, accept or [], skip_lost or [], remake or [], as_json=as_json)


@app.command()
def run(
    processors: Annotated[
        list[str] | None, typer.Argument(help="Which ones: intake records identity customers notify.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    instance: Annotated[
        str | None,
        typer.Option(help="The host's name if not given: stable over restarts, unique. Several are NAME-0, NAME-1, ..."),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="How many; if not given, one per processor, or per core if there are more of these."),
    ] = None,
    log_format: Annotated[Literal["text", "json"] | None, typer.Option(help="Of the log on standard error.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run processors over Kafka until stopped: all of them, or those named, shared out over the processes."""
    from streams.app.commands.run import run as command

    command(processors or [], config, instance, processes, log_format, as_json=as_json)


@app.command()
def republish(
    config: ConfigOption = DEFAULT_CONFIG,
    data: Annotated[Path | None, typer.Option(file_okay=False, help="A demo's data folder, instead of Kafka.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Publish every customer view again, as it was last: after `customer-view` was deleted, or for a reader that lost it."""
    from streams.app.commands.republish import republish as command

    command(config, data, as_json=as_json)


@app.command()
def doctor(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Check brokers, registry, topics, groups, stores; say what is wrong, and the fix. Changes nothing of yours."""
    from streams.app.commands.doctor import doctor as command

    command(config, as_json=as_json)


@app.command()
def settle(
    config: ConfigOption = DEFAULT_CONFIG,
    data: Annotated[Path | None, typer.Option(file_okay=False, help="A demo's data folder, instead of Kafka.")] = None,
    every_record: Annotated[
        bool, typer.Option("--all", help="Ask for every record, also those that seem to lack nothing: once through all.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask now for all that records and customers lack, and try again what was put aside. Harmless to repeat."""
    from streams.app.commands.settle import settle as command

    command(config, data, every_record=every_record, as_json=as_json)


@app.command()
def resolve(
    files: Annotated[list[Path], typer.Argument(help="CSV or JSONL files of records.")],
    mapping: Annotated[list[Path], typer.Option("--mapping", "-m", help="How to read the files; may repeat.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="CSV to write, or -: realm,source,record_id,customer_id.")],
    truth: Annotated[
        Path | None, typer.Option(help="CSV of source,record_id,cluster: prints precision, recall, F1.")
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="CSV to write: file,line,reason,detail of rows that could not be mapped.")
    ] = None,
    escape: Annotated[
        bool, typer.Option("--escape/--no-escape", help="Put ' before cells that a spreadsheet would run, like =1+1.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Find which records of files are the same customer, offline, with the same mapping and identity code."""
    from streams.app.commands.resolve import resolve as command

    command(files, mapping, output, truth, rejects, escape=escape, as_json=as_json)


@app.command()
def show(
    what: Annotated[str, typer.Argument(help="A customer id, old or new, or a source record: realm/source/id.")],
    data: FolderOption = None,
    config: DeploymentOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a customer: values with provenance, members, history."""
    from streams.app.commands.show import show as command

    command(what, data, config, as_json=as_json)


@app.command()
def why(
    first: Annotated[str, typer.Argument(metavar="A", help="A source record: realm/source/id.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    data: FolderOption = None,
    config: DeploymentOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain why two records are, or are not, the same customer."""
    from streams.app.commands.why import why as command

    command(first, second, data, config, as_json=as_json)


def main() -> None:
    """Entry point: errors a person can act on are one message, not a traceback. What is written is its owner's alone."""
    os.umask(PRIVATE_UMASK)
    logs.configure()
    relax_collector()
    if code := exit_code(app):
        sys.exit(code)


if __name__ == "__main__":
    main()
