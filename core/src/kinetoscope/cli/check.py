"""`kinetoscope check`: the contracts of installed providers, without a test runner."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import attrs
import click

from kinetoscope.checking import PROFILES
from kinetoscope.cli._common import emit, json_option, pass_host, progress_bar

if TYPE_CHECKING:
    from kinetoscope import Host
    from kinetoscope.checking import Checked
    from kinetoscope_spec.contracts import Report

SHOWN_LINES = 30
"""How much of a failure's example is shown; `--json` has all of it."""


class Shard(click.ParamType[tuple[int, int]]):
    """`i/n`, one part of n."""

    name = "i/n"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Return (i, n) with 1 <= i <= n."""
        if isinstance(value, tuple):
            return value
        first, _, of = str(value).partition("/")
        if not (first.isdecimal() and of.isdecimal() and 1 <= int(first) <= int(of)):
            self.fail(f"{value!r} is no shard, expected i/n with i from 1 to n", param, ctx)
        return int(first), int(of)


@attrs.frozen
class Order:
    """What was asked for: whose contracts, which part of the laws, and how they are run."""

    names: tuple[str, ...]
    hook: str | None
    shard: tuple[int, int]
    jobs: int
    examples: int
    seed: int
    mutants: bool


@click.command("check")
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every installed provider.")
@click.option("--hook", metavar="HOOK", help="Only providers of this hook.")
@click.option(
    "--profile",
    type=click.Choice(tuple(PROFILES)),
    default="ci",
    show_default=True,
    help="How many examples: " + ", ".join(f"{name} {count}" for name, count in PROFILES.items()) + ".",
)
@click.option("--examples", type=click.IntRange(1), metavar="N", help="Examples of a plain law, instead.")
@click.option(
    "--seed", type=click.IntRange(0), metavar="N", help="Draw the examples of an earlier run again."
)
@click.option("--mutants", is_flag=True, help="Also run each law against providers that break it.")
@click.option(
    "--shard", type=Shard(), default="1/1", metavar="I/N", help="Only every N-th law from the I-th."
)
@click.option("--jobs", type=click.IntRange(1), default=1, metavar="N", help="Processes that share the laws.")
@json_option
@pass_host
def command(
    host: Host,
    names: tuple[str, ...],
    everything: bool,
    hook: str | None,
    profile: str,
    examples: int | None,
    seed: int | None,
    mutants: bool,
    shard: tuple[int, int],
    jobs: int,
) -> None:
    """Run the contract of each provider NAME (or HOOK:NAME) and say which laws it breaks.

    Providers are judged as the host hands them out. One that lacks weights, a key, a driver or a
    library is told as unavailable and is no failure.
    """
    ctx = click.get_current_context()
    if bool(names) == everything and not (hook and not names):
        raise click.UsageError("expected the names of providers, or --all, or --hook HOOK")
    if seed is None:
        seed = _drawn_seed()
    order = Order(names, hook, shard, jobs, examples or PROFILES[profile], seed, mutants)
    rows = _in_processes(order) if jobs > 1 else _here(host, order)
    emit(ctx, _summed(rows, seed), _human)
    if not all(row["ok"] for row in rows):
        ctx.exit(1)


def _drawn_seed() -> int:
    import secrets

    return secrets.randbelow(2**32)


def _here(host: Host, order: Order) -> list[dict[str, Any]]:
    """Run the laws in this process."""
    from kinetoscope.checking import check_providers, matching

    _keep_hypothesis_out_of_this_folder()
    chosen = matching(host, order.names, hook=order.hook)
    with progress_bar("contracts") as told:
        checked = check_providers(
            host,
            chosen,
            shard=order.shard,
            told=told,
            examples=order.examples,
            seed=order.seed,
            mutants=order.mutants,
        )
        return [_row(held) for held in checked]


def _keep_hypothesis_out_of_this_folder() -> None:
    """Hypothesis keeps tables of characters on disk, by default in a folder where one happens to be."""
    from kinetoscope.home import home

    try:
        from hypothesis.configuration import set_hypothesis_home_dir
    except ImportError:  # said better where contracts are imported
        return
    set_hypothesis_home_dir(home() / "hypothesis")


def _in_processes(order: Order) -> list[dict[str, Any]]:
    """Run `jobs` processes of this command, each with its share of the laws, and join what they print."""
    arguments = [*order.names] if order.names or order.hook else ["--all"]
    arguments += ["--hook", order.hook] if order.hook else []
    arguments += ["--examples", str(order.examples), "--seed", str(order.seed), "--json"]
    arguments += ["--mutants"] * order.mutants
    running = []
    for job in range(order.jobs):
        part = f"{order.shard[0] + job * order.shard[1]}/{order.shard[1] * order.jobs}"
        command = [sys.executable, "-m", "kinetoscope", *_root_options(), "check", *arguments]
        running.append(subprocess.Popen([*command, "--shard", part], stdout=subprocess.PIPE, text=True))
    try:
        printed = [process.communicate()[0] for process in running]
    finally:
        for process in running:
            process.kill()
    for process, text in zip(running, printed, strict=True):
        if process.returncode not in (0, 1) or not text.strip() or "providers" not in json.loads(text):
            raise click.ClickException("a process that checks contracts failed; what it said stands above")
    return _joined([row for text in printed for row in json.loads(text)["providers"]])


def _root_options() -> list[str]:
    """Return the options that stood before the command, for processes like this one."""
    params = click.get_current_context().find_root().params
    words = ["--config", params["config_file"]] if params.get("config_file") else []
    for name in ("block", "allow"):
        words += [word for held in params.get(name) or () for word in (f"--{name}", held)]
    return words + ["--no-autoload"] * bool(params.get("no_autoload"))


def _joined(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add up the rows of one provider that several processes worked at."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        key = (row["hook"], row["name"])
        if key not in found:
            found[key] = row
            continue
        held = found[key]
        for field in ("laws", "examples", "mutants", "seconds", "results", "omitted", "failures", "missed"):
            held[field] = held[field] + row[field]
        held["ok"] = held["ok"] and row["ok"]
    return [found[key] for key in sorted(found)]


def _row(checked: Checked) -> dict[str, Any]:
    report = checked.report
    return {
        "name": checked.info.name,
        "hook": checked.info.hook,
        "distribution": checked.info.distribution,
        "version": checked.info.version,
        "state": checked.state,
        "reason": checked.reason,
        "ok": checked.ok,
        **_counts(report),
    }


def _counts(report: Report | None) -> dict[str, Any]:
    results = report.results if report else ()
    mutants = [mutant for mutant in (report.mutants if report else ()) if mutant.caught is not None]
    return {
        "laws": sum(result.outcome != "omitted" for result in results),
        "examples": report.examples if report else 0,
        "mutants": len(mutants),
        "seconds": round(sum(result.seconds for result in results), 3),
        "results": [
            {"law": r.law, "outcome": r.outcome, "examples": r.examples, "seconds": round(r.seconds, 3)}
            for r in results
        ],
        "omitted": [{"law": r.law, "reason": r.reason} for r in results if r.outcome == "omitted"],
        "failures": [
            {"law": r.law, "promise": r.promise, "message": r.message, "example": r.example}
            for r in (report.broken if report else ())
        ],
        "missed": [
            {"law": m.law, "mutant": m.summary, "message": m.message}
            for m in (report.missed if report else ())
        ],
    }


def _summed(rows: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    totals = {field: sum(row[field] for row in rows) for field in ("laws", "examples", "mutants")}
    return {
        "providers": rows,
        **totals,
        "omitted": sum(len(row["omitted"]) for row in rows),
        "failures": sum(len(row["failures"]) for row in rows),
        "missed": sum(len(row["missed"]) for row in rows),
        "seed": seed,
    }


def _human(data: dict[str, Any]) -> str:
    lines: list[str] = []
    for row in data["providers"]:
        lines += _told(row)
    unavailable = sum(row["state"] == "unavailable" for row in data["providers"])
    parts = [
        f"{len(data['providers'])} providers",
        f"{data['laws']} laws",
        f"{data['examples']} examples",
        f"{data['omitted']} laws left out",
        f"{data['failures']} broken",
    ]
    if data["mutants"]:
        caught = data["mutants"] - data["missed"]
        parts.append(f"{caught} of {data['mutants']} mutants caught")
    if unavailable:
        parts.append(f"{unavailable} unavailable")
    return "\n".join([*lines, f"{', '.join(parts)} (seed {data['seed']})"])


def _told(row: dict[str, Any]) -> list[str]:
    title = f"{row['hook']} {row['name']} ({row['distribution']} {row['version']})"
    if row["state"] != "checked":
        return [f"{row['state']:<11}  {title}: {row['reason']}"]
    mark = "holds" if row["ok"] else "BROKEN"
    text = f"{row['laws']} laws, {row['examples']} examples"
    if row["mutants"]:
        text += f", {row['mutants'] - len(row['missed'])} of {row['mutants']} mutants caught"
    lines = [f"{mark:<11}  {title}: {text}, {row['seconds']:.1f} s"]
    lines += [f"{'':13}left out {held['law']}: {held['reason']}" for held in row["omitted"]]
    for failure in row["failures"]:
        example = failure["example"].splitlines()
        cut = [f"... and {len(example) - SHOWN_LINES} lines more"] if len(example) > SHOWN_LINES else []
        shown = [*failure["message"].splitlines(), *example[:SHOWN_LINES], *cut]
        lines += [f"{'':4}{line}" for line in shown]
    lines += [f"{'':4}law {held['law']} did not notice: {held['mutant']}" for held in row["missed"]]
    return lines
