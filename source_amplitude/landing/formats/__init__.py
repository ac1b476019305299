"""The forms in which members are landed, one module each."""

from source_amplitude.landing.formats.form import Format, Rendered
from source_amplitude.landing.formats.raw import Raw

__all__ = ["Format", "Raw", "Rendered"]
