"""The forms in which members are landed, one module each; `format_named` imports what one needs."""

from source_amplitude.landing.formats.form import Format, Rendered
from source_amplitude.landing.formats.named import FORMAT_NAMES, format_named
from source_amplitude.landing.formats.raw import Raw

__all__ = ["FORMAT_NAMES", "Format", "Raw", "Rendered", "format_named"]
