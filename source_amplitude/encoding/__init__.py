"""Encode batches of raw lines in order, in this process or in several worker processes.

Nothing here imports the network or Airbyte, so that worker processes start quickly and stay small.
"""

from source_amplitude.encoding.encoded import Encoded, Encoding, SerialEncoder, encode_line_by_line, split_lines
from source_amplitude.encoding.json_lines import JsonLines
from source_amplitude.encoding.processes import ProcessPoolEncoder, usable_processors

__all__ = [
    "Encoded",
    "Encoding",
    "JsonLines",
    "ProcessPoolEncoder",
    "SerialEncoder",
    "encode_line_by_line",
    "split_lines",
    "usable_processors",
]
