"""The fields of the form: what each is called, means, and where it stands in the job's block."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from tocsin.blocks import KeyPath
from tocsin.jobfile.keys import KEYS
from tocsin.jobfile.one_job import NAME_PATH
from tocsin.model import Choose, MissedPolicy, OnLost, Overlap

from . import codecs
from .codecs import Codec

EXECUTOR_PATH: KeyPath = ("executor",)
"""The field that says which executor's block there is; it is no key of the job's block."""


class Section(enum.Enum):
    """A part of the form, by its title."""

    JOB = "Job"
    WHAT = "What"
    WHEN = "When"
    WHERE = "Where"
    HOW = "How"
    WITH = "With"
    RECORD = "Record"


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field."""

    path: KeyPath
    label: str
    section: Section
    help: str
    otherwise: str = ""
    """What holds while it is empty."""
    codec: Codec = codecs.LINE
    choices: tuple[str, ...] = ()
    """Its only values, where they are few."""
    often: bool = False
    """Shown also while it is empty and nobody asked for all of them."""
    needed: bool = False
    secret: bool = False
    """Its value is not to be seen."""
    written: str = ""
    """How its value is written, where its codec does not say."""

    @property
    def id(self) -> str:
        """Its path as one text."""
        return ".".join(str(step) for step in self.path)

    def example(self) -> str:
        """How its value is written."""
        return " or ".join(self.choices) or self.written or self.codec.example


def plain_words(text: str) -> str:
    """Help as the documentation has it, without the marks of code."""
    return text.replace("`", "")


def _field(
    section: Section,
    key: str,
    label: str,
    codec: Codec = codecs.LINE,
    choices: tuple[str, ...] = (),
    *,
    often: bool = False,
) -> Field:
    meaning = KEYS[key]
    return Field(
        path=tuple(key.split(".")),
        label=label,
        section=section,
        help=plain_words(meaning.text),
        otherwise=plain_words(meaning.otherwise),
        codec=codec,
        choices=choices,
        often=often,
    )


def _toggle(section: Section, key: str, label: str) -> Field:
    return _field(section, key, label, codecs.TOGGLE, ("true", "false"))


NAME: Final = Field(
    path=NAME_PATH,
    label="Name",
    section=Section.JOB,
    help="what the job is called: letters, digits, . _ / and -, the first a letter or digit; "
    "it stays as it is once the job is there, and a clone gets another one",
    often=True,
    needed=True,
)
_WHEN, _WHERE, _HOW, _WITH = Section.WHEN, Section.WHERE, Section.HOW, Section.WITH
_RECORD: Final = Section.RECORD
JOB_FIELDS: Final[tuple[Field, ...]] = (
    _field(Section.JOB, "description", "About", often=True),
    _toggle(Section.JOB, "enabled", "Enabled"),
    _toggle(Section.JOB, "ephemeral", "Ephemeral"),
    msgspec.structs.replace(
        _field(_WHEN, "schedule", "Schedule", codecs.LIST, often=True),
        written="*/5 9-17 * * mon-fri, @daily, @every 90s",
    ),
    _field(_WHEN, "timezone", "Time zone", often=True),
    _field(_WHEN, "dst", "Clock change", choices=("vixie", "skip", "literal")),
    _field(_WHEN, "starts_at", "Not before"),
    _field(_WHEN, "expires_at", "Not from"),
    _field(_WHEN, "jitter", "Jitter", codecs.SCALAR),
    _field(_WHEN, "blackout", "Blackout", codecs.BLACKOUTS, often=True),
    _field(_WHEN, "after", "After jobs", codecs.AFTER, often=True),
    _field(_WHEN, "missed.policy", "Missed", choices=tuple(MissedPolicy), often=True),
    _field(_WHEN, "missed.within", "  if within", codecs.SCALAR),
    _field(_WHEN, "missed.limit", "  at most", codecs.SCALAR),
    _field(_WHERE, "target.tags", "Tags", codecs.TAGS, often=True),
    _field(_WHERE, "target.agents", "On agents", codecs.SCALAR, often=True),
    _field(_WHERE, "target.choose", "Which", choices=tuple(Choose)),
    _field(_WHERE, "target.max_parallel", "At a time", codecs.SCALAR),
    _field(_WHERE, "target.stagger", "Stagger", codecs.SCALAR),
    _field(_WHERE, "target.canary", "Canary", codecs.SCALAR),
    _field(_WHERE, "target.stop_after", "Stop after", codecs.SCALAR),
    _field(_WHERE, "pool", "Pool"),
    _field(_WHERE, "priority", "Priority", codecs.SCALAR),
    _field(_HOW, "overlap", "Overlap", choices=tuple(Overlap), often=True),
    _field(_HOW, "queue_limit", "  queue up to", codecs.SCALAR),
    _field(_HOW, "timeout", "Timeout", codecs.SCALAR, often=True),
    _field(_HOW, "kill_after", "Kill after", codecs.SCALAR),
    _field(_HOW, "retry.limit", "Retries", codecs.SCALAR, often=True),
    _field(_HOW, "retry.delay", "  after", codecs.SCALAR),
    _field(_HOW, "retry.backoff", "  then times", codecs.SCALAR),
    _field(_HOW, "retry.max_delay", "  at most", codecs.SCALAR),
    _field(_HOW, "retry.jitter", "  spread by", codecs.SCALAR),
    _toggle(_HOW, "retry.elsewhere", "  elsewhere"),
    _field(_HOW, "on_lost", "If lost", choices=tuple(OnLost)),
    _field(_HOW, "expect.exit_codes", "Exit codes", codecs.CODES),
    _field(_HOW, "expect.match", "Must print"),
    _field(_HOW, "expect.not_match", "Never print"),
    _field(_HOW, "expect.json", "JSON has", codecs.YAML),
    _toggle(_HOW, "expect_failure", "May fail"),
    _field(_WITH, "env", "Variables", codecs.PAIRS, often=True),
    _field(_WITH, "secrets", "Secrets", codecs.PAIRS),
    _field(_WITH, "params", "Parameters", codecs.PARAMS),
    _field(_WITH, "run_as", "Run as", often=True),
    _field(_WITH, "limits.memory", "Memory", codecs.SCALAR),
    _field(_WITH, "limits.cpu", "Processor", codecs.SCALAR),
    _field(_WITH, "limits.tasks", "Tasks", codecs.SCALAR),
    _field(_RECORD, "labels", "Labels", codecs.PAIRS),
    _field(_RECORD, "output.keep", "Keep output", codecs.SCALAR),
)
"""All keys of a job beside its executor's block, in the order of the form."""
