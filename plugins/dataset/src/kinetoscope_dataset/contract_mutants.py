"""Keepers of datasets with one thing wrong: what shows that the laws of `DatasetContract` have teeth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from kinetoscope_dataset.hooks import Report
from kinetoscope_spec import Cancelled, Motion
from kinetoscope_spec.contracts import Mutant, Wrapper, mutant

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


@mutant(MUTANTS, "what_is_stored_is_read_again")
class Miscounts(Wrapper):
    """reports a clip more than it stored"""

    def convert(self, *args: Any, **options: Any) -> Report:
        """Convert, and boast."""
        report: Report = self.real.convert(*args, **options)
        return attrs.evolve(report, clips=report.clips + 1)


@mutant(MUTANTS, "a_second_run_reads_only_what_is_missing")
class Rereads(Wrapper):
    """reads what it has once more, where it is to prune"""

    def convert(self, sources: Sequence[str | Path], where: str, *, read: Any, **options: Any) -> Report:
        """Read what it is not asked to read."""
        report: Report = self.real.convert(sources, where, read=read, **options)
        if report.unchanged and options.get("prune"):
            read(next(path for path in sorted(Path(sources[0]).rglob("*")) if path.is_file()))
        return report


@mutant(MUTANTS, "a_file_that_changed_is_stored_anew")
class Sticks(Wrapper):
    """reports what it stored in place of what had changed as failed"""

    def convert(self, *args: Any, **options: Any) -> Report:
        """Convert, and complain where nothing was missing."""
        known = self.real.is_dataset(args[1])
        report: Report = self.real.convert(*args, **options)
        again = known and report.converted and not report.unchanged and not report.failed
        changed = again and not options.get("progress") and not report.vanished
        files = [path for path in Path(args[0][0]).rglob("*") if path.is_file()]
        if changed and any(path.read_text(encoding="utf-8") == "other bytes" for path in files):
            return attrs.evolve(report, failed=(("somewhere", "it was there"),))
        return report


@mutant(MUTANTS, "a_file_that_fails_is_reported")
class Hushes(Wrapper):
    """reports no failure"""

    def convert(self, *args: Any, **options: Any) -> Report:
        """Convert, and keep quiet."""
        report: Report = self.real.convert(*args, **options)
        return attrs.evolve(report, failed=())


@mutant(MUTANTS, "a_file_that_is_gone_is_reported")
class Overlooks(Wrapper):
    """does not notice that files are gone"""

    def convert(self, *args: Any, **options: Any) -> Report:
        """Convert, and overlook."""
        report: Report = self.real.convert(*args, **options)
        return attrs.evolve(report, vanished=())


@mutant(MUTANTS, "a_run_that_is_stopped_is_gone_on_with")
class Ends(Wrapper):
    """ends without an error when it is stopped"""

    def convert(self, *args: Any, **options: Any) -> Report:
        """Convert, and say nothing of having been stopped."""
        try:
            report: Report = self.real.convert(*args, **options)
        except Cancelled:
            return Report(0, 0, 0, (), 0, 0)
        return report


@mutant(MUTANTS, "workers_change_nothing")
class Drops(Wrapper):
    """leaves out the last file when others work for it"""

    def convert(self, *args: Any, **options: Any) -> Report:
        """Convert all but one."""
        report: Report = self.real.convert(*args, **options)
        return attrs.evolve(report, converted=report.converted - 1) if options.get("executor") else report


@mutant(MUTANTS, "other_things_are_left_alone")
class Claims(Wrapper):
    """says of every folder that it is a dataset, and opens it as an empty one"""

    def is_dataset(self, where: str) -> bool:
        """Claim whatever is there."""
        return Path(where).exists()

    def open(self, where: str, **options: Any) -> Sequence[Motion]:
        """Open whatever is there."""
        if not self.real.is_dataset(where):
            return ()
        motions: Sequence[Motion] = self.real.open(where, **options)
        return motions
