"""The forms in which members are landed, one module each."""

from source_amplitude.landing.formats.form import Format, Rendered
from source_amplitude.landing.formats.jsonl import Jsonl
from source_amplitude.landing.formats.named import FORMAT_NAMES, format_named
from source_amplitude.landing.formats.raw import Raw

__all__ = ["FORMAT_NAMES", "Format", "Jsonl", "Raw", "Rendered", "format_named"]
