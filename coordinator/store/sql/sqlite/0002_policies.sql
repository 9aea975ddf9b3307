ALTER TABLE job ADD COLUMN paused_by TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN pause_until_us INTEGER;
CREATE INDEX job_resume ON job (pause_until_us) WHERE pause_until_us IS NOT NULL;

ALTER TABLE run ADD COLUMN cause TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN params TEXT;
ALTER TABLE run ADD COLUMN placed TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN launch_failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN reopened INTEGER NOT NULL DEFAULT 0;
-- A run that is alone is its group's first, and has the group's id.
CREATE INDEX run_by_group ON run (group_id) WHERE slot > 0;

ALTER TABLE agent ADD COLUMN down_since_us INTEGER;
ALTER TABLE agent ADD COLUMN held TEXT NOT NULL DEFAULT ''; -- '', cordoned, draining
ALTER TABLE agent ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE agent ADD COLUMN held_by TEXT NOT NULL DEFAULT '';
ALTER TABLE agent ADD COLUMN drain_until_us INTEGER;

-- So that a removed job's versions are found by its name.
ALTER TABLE job_version ADD COLUMN name TEXT NOT NULL DEFAULT '';
UPDATE job_version SET name = coalesce(
    spec ->> '$.name',
    (SELECT earlier.spec ->> '$.name' FROM job_version AS earlier
     WHERE earlier.job_id = job_version.job_id AND earlier.spec IS NOT NULL LIMIT 1),
    '');
CREATE INDEX job_version_by_name ON job_version (name);

-- What jobs come after, and the fire whose end made it so since their last fire.
CREATE TABLE dependency (
    job_id     INTEGER NOT NULL,
    after_job  TEXT    NOT NULL,
    on_end     TEXT    NOT NULL,
    held_by    TEXT    NOT NULL, -- '': not yet
    succeeded  INTEGER, -- how the last fire of after_job ended, and when; NULL: none has
    ended_us   INTEGER,
    matched_us INTEGER, -- when one last ended as it is asked for
    PRIMARY KEY (job_id, after_job)
) STRICT, WITHOUT ROWID;

CREATE TABLE pause (
    id       TEXT    PRIMARY KEY,
    scope    TEXT    NOT NULL,
    value    TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    by_whom  TEXT    NOT NULL,
    since_us INTEGER NOT NULL,
    until_us INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE pool (
    name  TEXT    PRIMARY KEY,
    slots INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE calendar (
    name TEXT PRIMARY KEY,
    spec TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What befell the coordinator's time; kept as reasons.
CREATE TABLE incident (
    from_us   INTEGER NOT NULL,
    until_us  INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    amount_us INTEGER NOT NULL,
    detail    TEXT    NOT NULL,
    PRIMARY KEY (until_us, from_us, kind)
) STRICT, WITHOUT ROWID;

-- Each digest covers the entry and the digest before it.
CREATE TABLE audit (
    number  INTEGER PRIMARY KEY,
    at_us   INTEGER NOT NULL,
    by_whom TEXT    NOT NULL,
    act     TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    detail  TEXT    NOT NULL,
    digest  TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_by_subject ON audit (subject, number);
