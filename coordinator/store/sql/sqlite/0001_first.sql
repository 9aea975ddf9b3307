-- Instants are microseconds since 1970-01-01T00:00:00Z; lists and maps are JSON.

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value ANY
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
    id           INTEGER PRIMARY KEY,
    name         TEXT    NOT NULL UNIQUE,
    version      INTEGER NOT NULL,
    spec         TEXT    NOT NULL,
    paused       INTEGER NOT NULL,
    pause_reason TEXT    NOT NULL,
    next_due_us  INTEGER, -- the next due time without a record
    changed_us   INTEGER NOT NULL,
    changed_by   TEXT    NOT NULL
) STRICT;
-- Read whole at start: (due, id) of 100,000 jobs without touching their rows.
CREATE INDEX job_due ON job (next_due_us) WHERE next_due_us IS NOT NULL;

CREATE TABLE job_version (
    job_id     INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    spec       TEXT, -- NULL: the job was removed
    changed_us INTEGER NOT NULL,
    changed_by TEXT    NOT NULL,
    PRIMARY KEY (job_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    id                TEXT    PRIMARY KEY, -- ULID: sorts by time
    group_id          TEXT    NOT NULL,
    slot              INTEGER NOT NULL,
    pin               TEXT    NOT NULL,
    job_id            INTEGER NOT NULL,
    job               TEXT    NOT NULL,
    job_version       INTEGER NOT NULL,
    trigger_kind      TEXT    NOT NULL,
    state             TEXT    NOT NULL,
    reason            TEXT    NOT NULL,
    attempt           INTEGER NOT NULL,
    created_us        INTEGER NOT NULL,
    due_us            INTEGER,
    not_before_us     INTEGER,
    agent_id          TEXT    NOT NULL,
    agent             TEXT    NOT NULL,
    spool             TEXT    NOT NULL,
    dispatched_us     INTEGER,
    accepted_us       INTEGER,
    started_us        INTEGER,
    finished_us       INTEGER,
    cancel_requested  INTEGER NOT NULL,
    exit_code         INTEGER,
    facts             TEXT,
    peak_memory_bytes INTEGER,
    cpu_us            INTEGER,
    output_bytes      INTEGER NOT NULL,
    requested_by      TEXT    NOT NULL,
    dues              INTEGER NOT NULL,
    due_last_us       INTEGER
) STRICT, WITHOUT ROWID;
-- The promise: one record for each due time.
CREATE UNIQUE INDEX run_fire ON run (job_id, due_us, slot) WHERE due_us IS NOT NULL;
CREATE INDEX run_by_job ON run (job, id);
CREATE INDEX run_active ON run (id) WHERE finished_us IS NULL;

-- Attempts that were followed by another; the last one is the run's own columns.
CREATE TABLE attempt (
    run_id  TEXT    NOT NULL,
    attempt INTEGER NOT NULL,
    run     TEXT    NOT NULL,
    PRIMARY KEY (run_id, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE agent (
    id           TEXT    PRIMARY KEY,
    key          TEXT    NOT NULL UNIQUE,
    name         TEXT    NOT NULL UNIQUE,
    state        TEXT    NOT NULL,
    tags         TEXT    NOT NULL,
    given_tags   TEXT    NOT NULL, -- a part of tags that the agent cannot change
    slots        INTEGER NOT NULL,
    busy         INTEGER NOT NULL,
    executors    TEXT    NOT NULL,
    version      TEXT    NOT NULL,
    spool        TEXT    NOT NULL,
    last_seen_us INTEGER
) STRICT, WITHOUT ROWID;

-- Who may connect: the CURVE key is the identity.
CREATE TABLE peer (
    key      TEXT PRIMARY KEY,
    role     TEXT NOT NULL,
    name     TEXT NOT NULL,
    agent_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
    id         TEXT    PRIMARY KEY,
    digest     BLOB    NOT NULL, -- SHA-256 of the secret
    expires_us INTEGER NOT NULL,
    uses_left  INTEGER NOT NULL,
    name_glob  TEXT    NOT NULL,
    tags       TEXT    NOT NULL,
    role       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- Hosts that asked to be let in without a token.
CREATE TABLE pending (
    key        TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    client_key TEXT    NOT NULL,
    asked_us   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
