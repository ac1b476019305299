"""English names of common language tags (reference 6.7)."""

from __future__ import annotations

import re

_NAMES = """
ar Arabic, bg Bulgarian, bn Bengali, ca Catalan, cs Czech, cy Welsh, da Danish, de German, el Greek,
en English, es Spanish, et Estonian, eu Basque, fa Persian, fi Finnish, fr French, ga Ga, gl Galician,
gu Gujarati, he Hebrew, hi Hindi, hr Croatian, hu Hungarian, hy Armenian, id Indonesian, is Icelandic,
it Italian, ja Japanese, ka Georgian, kk Kazakh, km Khmer, kn Kannada, ko Korean, lt Lithuanian,
lv Latvian, mk Macedonian, ml Malayalam, mn Mongolian, mr Marathi, ms Malay, my Burmese, nb Norwegian,
nn Norwegian, no Norwegian, ne Nepali, nl Dutch, pa Punjabi, pl Polish, pt Portuguese, ro Romanian,
ru Russian, si Sinhala, sk Slovak, sl Slovenian, sq Albanian, sr Serbian, sv Swedish, sw Swahili,
ta Tamil, te Telugu, th Thai, tl Tagalog, tr Turkish, uk Ukrainian, ur Urdu, uz Uzbek, vi Vietnamese,
zh Chinese, zu Zulu
"""
LANGUAGE_NAMES: dict[str, str] = dict(re.findall(r"(\w+) (\w+)", _NAMES))
_TAG = re.compile(r"([a-z]{2})(?:[-_].*)?", re.IGNORECASE | re.DOTALL)


def language_name(tag: str) -> str:
    """Return the English name of a tag such as ``pt-BR``; return unknown values unchanged."""
    match = _TAG.fullmatch(tag)
    return tag if match is None else LANGUAGE_NAMES.get(match.group(1).lower(), tag)
