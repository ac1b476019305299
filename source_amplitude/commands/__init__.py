"""The commands that are not Airbyte's: land, missing, report. They import no CDK, so they start quickly."""

from source_amplitude.commands.land import land
from source_amplitude.commands.missing import missing
from source_amplitude.commands.report import report
from source_amplitude.commands.session import Session

__all__ = ["Session", "land", "missing", "report"]
