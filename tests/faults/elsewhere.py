"""Faults that no schedule injects, static ones and those of whole processes, with their tests.

Group T has no scenarios yet: Telegram is built by issue 5.
"""

from tests.faults.scenario import Elsewhere, Entry

_DAMAGE = "tests/unit/ledger/test_damage.py"
_REFUSALS = "tests/unit/assemble/live/test_refusals.py"
_CONFIG = "tests/unit/config"

ENTRIES: tuple[Entry, ...] = (
    Elsewhere(
        "N11",
        "no TLS in memory: real certificates on a real socket",
        (
            "tests/unit/adapters/zo/rest/test_http.py"
            "::test_an_encrypted_place_with_a_strange_certificate_is_refused",
        ),
    ),
    Elsewhere(
        "C05",
        "static: units are types, and bounds are checked before signing",
        (
            "tests/unit/adapters/zo/keys/test_session.py"
            "::test_a_lifetime_beyond_a_month_is_never_signed",
        ),
    ),
    Elsewhere(
        "D03",
        "static: a corpus of damaged ledgers",
        (
            f"{_DAMAGE}::test_a_file_that_is_none_is_put_aside",
            f"{_DAMAGE}::test_a_log_without_its_ledger_is_put_aside",
            f"{_DAMAGE}::test_flipped_bytes_never_end_in_anything_but_a_sound_ledger",
        ),
    ),
    Elsewhere(
        "D04",
        "what is told is limited where it is made: once a minute for each cause",
        (
            "tests/unit/engine/test_engine.py"
            "::test_refused_and_unanswered_orders_are_told_once_a_minute",
        ),
    ),
    Elsewhere(
        "D05",
        "static: ledgers whose last writes are torn",
        (
            f"{_DAMAGE}::test_a_torn_write_ahead_log_loses_its_tail_only",
            f"{_DAMAGE}::test_kill_9_loses_nothing_acknowledged_and_replay_doubles_nothing",
        ),
    ),
    Elsewhere(
        "O04",
        "static: a ledger of another version; orders of an older run are X01",
        (f"{_DAMAGE}::test_a_newer_ledger_is_put_aside_unless_it_says_that_it_can_be_read",),
    ),
    Elsewhere(
        "H05",
        "static: every package that is installed has one version",
        ("tests/faults/test_static.py::test_every_dependency_has_one_version",),
    ),
    Elsewhere(
        "M01",
        "memory over hours: `make soak`",
        ("tests/unit/ledger/test_ledger.py::test_memory_is_bounded",),
    ),
    Elsewhere(
        "F01",
        "static: a corpus of configurations",
        (
            f"{_CONFIG}/test_strict_yaml.py::test_one_plain_line_for_each_mistake",
            f"{_CONFIG}/test_strict_yaml.py::test_scalars_follow_the_core_schema",
        ),
    ),
    Elsewhere(
        "F02",
        "static: units are in the names of keys, every number has bounds",
        (
            f"{_CONFIG}/test_reference.py::test_every_physical_quantity_has_its_unit_in_the_name",
            f"{_CONFIG}/test_reference.py::test_every_key_is_described_with_bounds_and_is_in_the_docs",
        ),
    ),
    Elsewhere(
        "F03",
        "settings are read once, at the start: a file that is changed changes no running bot",
        (f"{_CONFIG}/test_edit.py::test_a_wrong_edit_changes_no_file",),
    ),
    Elsewhere(
        "F04",
        "static: a session belongs to one venue",
        (f"{_REFUSALS}::test_a_session_belongs_to_one_venue",),
    ),
    Elsewhere(
        "F05",
        "static: keys that were published",
        (f"{_REFUSALS}::test_published_keys_are_for_this_machine_only",),
    ),
    *(Elsewhere(f"T{number:02}", "no Telegram yet: issue 5") for number in range(1, 7)),
)
