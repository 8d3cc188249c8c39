"""The language of scripts: plain text, TOML and SSML in and out, and the catalogue of audio tags.

Every voice plays the same script: `steps` tells what a line asks for, `catalogue` what each tag means in
numbers, and `Treatment` what a provider made of it.
"""

from kinetoscope_spec.script._files import read_script, write_script
from kinetoscope_spec.script._ssml import parse_ssml
from kinetoscope_spec.script._ssml_write import write_ssml
from kinetoscope_spec.script._text import parse_text, write_text
from kinetoscope_spec.script._toml import parse_toml, write_toml
from kinetoscope_spec.script.steps import Said, Sounded, Step, Word, plain_text, steps, tags_of, words
from kinetoscope_spec.script.tags import (
    CATEGORIES,
    QUALITIES,
    Effect,
    Tag,
    Treatment,
    catalogue,
    find_tag,
    sources,
    spelling,
)

__all__ = [
    "CATEGORIES",
    "QUALITIES",
    "Effect",
    "Said",
    "Sounded",
    "Step",
    "Tag",
    "Treatment",
    "Word",
    "catalogue",
    "find_tag",
    "parse_ssml",
    "parse_text",
    "parse_toml",
    "plain_text",
    "read_script",
    "sources",
    "spelling",
    "steps",
    "tags_of",
    "words",
    "write_script",
    "write_ssml",
    "write_text",
    "write_toml",
]
