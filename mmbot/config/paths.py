"""What a path of names means in Config: a section, named sections or a value."""

from mmbot.config.keys import Section, fields_of, named_section_of, section_of
from mmbot.config.schema import Config


def section_at(path: tuple[str, ...]) -> Section | None:
    """Return the model that the keys at `path` belong to, None where there is none."""
    section: Section | None = Config
    named: Section | None = None
    for name in path:
        if named is not None:
            section, named = named, None
        elif section is None or name not in fields_of(section):
            return None
        else:
            field = fields_of(section)[name]
            section, named = section_of(field), named_section_of(field)
    return section


def is_section(path: tuple[str, ...]) -> bool:
    """Return whether `path` holds keys or named sections rather than a value."""
    if section_at(path) is not None:
        return True
    above = section_at(path[:-1])
    field = fields_of(above).get(path[-1]) if above else None
    return field is not None and named_section_of(field) is not None
