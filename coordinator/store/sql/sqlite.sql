-- name: save_job
INSERT INTO job (
    id, name, version, spec, paused, pause_reason, paused_by, pause_until_us, next_due_us,
    changed_us, changed_by
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, version = excluded.version, spec = excluded.spec,
    paused = excluded.paused, pause_reason = excluded.pause_reason,
    paused_by = excluded.paused_by, pause_until_us = excluded.pause_until_us,
    next_due_us = excluded.next_due_us, changed_us = excluded.changed_us,
    changed_by = excluded.changed_by

-- name: save_job_version
INSERT OR IGNORE INTO job_version (job_id, version, name, spec, changed_us, changed_by)
VALUES (?, ?, ?, ?, ?, ?)

-- name: move_cursor
UPDATE job SET next_due_us = ? WHERE id = ?

-- name: drop_job
DELETE FROM job WHERE id = ?

-- name: save_run
INSERT INTO run (
    id, group_id, slot, pin, job_id, job, job_version, trigger_kind, state, reason, attempt,
    created_us, due_us, not_before_us, agent_id, agent, spool, dispatched_us, accepted_us,
    started_us, finished_us, cancel_requested, exit_code, facts, peak_memory_bytes, cpu_us,
    output_bytes, requested_by, dues, due_last_us, cause, params, placed, launch_failures, reopened
) VALUES (
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    ?, ?, ?
)
ON CONFLICT (id) DO UPDATE SET
    state = excluded.state, reason = excluded.reason, attempt = excluded.attempt,
    not_before_us = excluded.not_before_us, agent_id = excluded.agent_id,
    agent = excluded.agent, spool = excluded.spool, dispatched_us = excluded.dispatched_us,
    accepted_us = excluded.accepted_us, started_us = excluded.started_us,
    finished_us = excluded.finished_us, cancel_requested = excluded.cancel_requested,
    exit_code = excluded.exit_code, facts = excluded.facts,
    peak_memory_bytes = excluded.peak_memory_bytes, cpu_us = excluded.cpu_us,
    output_bytes = excluded.output_bytes, due_last_us = excluded.due_last_us,
    cause = excluded.cause, placed = excluded.placed,
    launch_failures = excluded.launch_failures, reopened = excluded.reopened

-- name: save_attempt
INSERT OR REPLACE INTO attempt (run_id, attempt, run) VALUES (?, ?, ?)

-- name: save_agent
INSERT INTO agent (
    id, key, name, state, tags, given_tags, slots, busy, executors, version, spool, last_seen_us,
    down_since_us, held, reason, held_by, drain_until_us, offers
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    key = excluded.key, name = excluded.name, state = excluded.state, tags = excluded.tags,
    given_tags = excluded.given_tags,
    slots = excluded.slots, busy = excluded.busy, executors = excluded.executors,
    version = excluded.version, spool = excluded.spool, last_seen_us = excluded.last_seen_us,
    down_since_us = excluded.down_since_us, held = excluded.held, reason = excluded.reason,
    held_by = excluded.held_by, drain_until_us = excluded.drain_until_us,
    offers = excluded.offers

-- name: save_dependency
INSERT OR REPLACE INTO dependency (
    job_id, after_job, on_end, held_by, succeeded, ended_us, matched_us
) VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: drop_dependencies
DELETE FROM dependency WHERE job_id = ?

-- name: save_pause
INSERT OR REPLACE INTO pause (id, scope, value, reason, by_whom, since_us, until_us)
VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: drop_pause
DELETE FROM pause WHERE id = ?

-- name: save_calendar
INSERT OR REPLACE INTO calendar (name, spec) VALUES (?, ?)

-- name: drop_calendar
DELETE FROM calendar WHERE name = ?

-- name: save_pool
INSERT OR REPLACE INTO pool (name, slots) VALUES (?, ?)

-- name: drop_pool
DELETE FROM pool WHERE name = ?

-- name: save_incident
INSERT OR REPLACE INTO incident (kind, from_us, until_us, amount_us, detail)
VALUES (?, ?, ?, ?, ?)

-- name: trim_incidents
DELETE FROM incident WHERE until_us < ? OR (until_us, from_us, kind) <= (
    SELECT until_us, from_us, kind FROM incident
    ORDER BY until_us DESC, from_us DESC, kind DESC LIMIT 1 OFFSET ?)

-- name: save_setting
INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)

-- name: setting
SELECT value FROM setting WHERE name = ?

-- name: save_audit
INSERT INTO audit (number, at_us, by_whom, act, subject, detail, digest)
VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: save_peer
INSERT OR REPLACE INTO peer (key, role, name, agent_id) VALUES (?, ?, ?, ?)

-- name: drop_peer
DELETE FROM peer WHERE key = ?

-- name: save_token
INSERT OR REPLACE INTO token (id, digest, expires_us, uses_left, name_glob, tags, role)
VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: save_pending
INSERT OR REPLACE INTO pending (key, name, client_key, asked_us) VALUES (?, ?, ?, ?)

-- name: drop_pending
DELETE FROM pending WHERE key = ?

-- name: next_epoch
INSERT INTO setting (name, value) VALUES ('epoch', 1)
ON CONFLICT (name) DO UPDATE SET value = value + 1
RETURNING value

-- name: due
SELECT next_due_us, id FROM job WHERE next_due_us IS NOT NULL ORDER BY next_due_us

-- name: resumes
SELECT pause_until_us, id FROM job WHERE pause_until_us IS NOT NULL

-- name: next_job_id
SELECT max(coalesce((SELECT max(id) FROM job), 0),
           coalesce((SELECT max(job_id) FROM job_version), 0)) + 1

-- name: dependencies
SELECT job_id, job.name AS job, after_job, on_end, held_by, succeeded, ended_us, matched_us
FROM dependency JOIN job ON job.id = job_id ORDER BY job_id, after_job

-- name: pauses
SELECT id, scope, value, reason, by_whom AS by, since_us, until_us FROM pause
ORDER BY since_us, id

-- name: calendars
SELECT spec FROM calendar ORDER BY name

-- name: pools
SELECT name, slots FROM pool ORDER BY name

-- name: last_incidents
SELECT kind, from_us, until_us, amount_us, detail FROM incident
ORDER BY until_us DESC, from_us DESC, kind DESC LIMIT ?

-- name: incidents
SELECT kind, from_us, until_us, amount_us, detail FROM incident
WHERE until_us >= ? AND from_us <= ? ORDER BY until_us, from_us

-- name: audit
SELECT number, at_us, by_whom AS by, act, subject, detail, digest FROM audit
WHERE number < ? AND at_us >= ? ORDER BY number DESC LIMIT ?

-- name: audit_of_subject
SELECT number, at_us, by_whom AS by, act, subject, detail, digest FROM audit
WHERE subject = ? AND number < ? AND at_us >= ? ORDER BY number DESC LIMIT ?

-- name: audit_after
SELECT number, at_us, by_whom AS by, act, subject, detail, digest FROM audit
WHERE number > ? ORDER BY number LIMIT ?

-- name: audit_head
SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1

-- name: active_runs
SELECT * FROM run WHERE finished_us IS NULL ORDER BY created_us, due_us, group_id, slot

-- name: ended_members
WITH under_way AS (
    SELECT DISTINCT group_id FROM run WHERE finished_us IS NULL AND pin <> ''
)
SELECT * FROM run WHERE id IN (SELECT group_id FROM under_way) AND finished_us IS NOT NULL
UNION ALL
SELECT * FROM run
WHERE group_id IN (SELECT group_id FROM under_way) AND slot > 0 AND finished_us IS NOT NULL

-- name: earlier_attempts
SELECT run FROM attempt
WHERE run_id IN (SELECT id FROM run WHERE finished_us IS NULL AND attempt > 1)
ORDER BY run_id, attempt

-- name: job_specs
SELECT job_id, version, spec FROM job_version
WHERE (job_id, version) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))

-- name: jobs_by_id
SELECT * FROM job WHERE id IN (SELECT value FROM json_each(?))

-- name: jobs_by_name
SELECT *, (SELECT state FROM run WHERE run.job = job.name ORDER BY run.id DESC LIMIT 1) AS last_state,
    (SELECT max(due_us) FROM run WHERE job_id = job.id AND due_us IS NOT NULL) AS last_due_us
FROM job WHERE name IN (SELECT value FROM json_each(?))

-- name: list_jobs
SELECT *, (SELECT state FROM run WHERE run.job = job.name ORDER BY run.id DESC LIMIT 1) AS last_state
FROM job WHERE name > ? ORDER BY name LIMIT ?

-- name: jobs_with_calendar
SELECT name FROM job WHERE instr(spec, ?1) AND EXISTS (
    SELECT 1 FROM json_each(spec, '$.blackout') WHERE value ->> '$.calendar' = ?1)
ORDER BY name

-- name: jobs_with_pool
SELECT name FROM job WHERE instr(spec, ?1) AND spec ->> '$.pool' = ?1 ORDER BY name

-- name: count_jobs
SELECT count(*) FROM job

-- name: job_versions
SELECT job_id, version, name, spec, changed_us, changed_by FROM job_version
WHERE name = ? ORDER BY job_id, version

-- name: last_versions
SELECT name, max(version) FROM job_version
WHERE name IN (SELECT value FROM json_each(?)) GROUP BY name

-- name: runs
SELECT * FROM run WHERE id IN (SELECT value FROM json_each(?))

-- name: fires
SELECT * FROM run WHERE id IN (SELECT value FROM json_each(?1))
UNION ALL
SELECT * FROM run WHERE slot > 0 AND group_id IN (SELECT value FROM json_each(?1))
ORDER BY group_id, slot

-- name: list_runs
SELECT * FROM run
WHERE id < ? AND (? = '[]' OR state IN (SELECT value FROM json_each(?)))
ORDER BY id DESC LIMIT ?

-- name: list_runs_of_job
SELECT * FROM run
WHERE job = ? AND id < ? AND (? = '[]' OR state IN (SELECT value FROM json_each(?)))
ORDER BY id DESC LIMIT ?

-- name: runs_due
SELECT * FROM run WHERE job_id = ? AND due_us = ? ORDER BY slot

-- name: skip_over
SELECT * FROM (SELECT * FROM run WHERE job_id = ?1 AND due_us < ?2 ORDER BY due_us DESC LIMIT 1)
WHERE due_last_us >= ?2

-- name: attempts
SELECT run FROM attempt WHERE run_id = ? ORDER BY attempt

-- name: agents
SELECT * FROM agent ORDER BY name

-- name: save_description
INSERT OR REPLACE INTO description (digest, body) VALUES (?, ?)

-- name: drop_description
DELETE FROM description WHERE digest = ?

-- name: descriptions
SELECT digest, body FROM description

-- name: peers
SELECT key, role, name, agent_id FROM peer

-- name: token
SELECT id, digest, expires_us, uses_left, name_glob, tags, role FROM token WHERE id = ?

-- name: pendings
SELECT key, name, client_key, asked_us FROM pending ORDER BY asked_us

-- name: save_piece
INSERT OR IGNORE INTO piece (run, position, attempt, stream, start, at_us, gap_bytes, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: cut_output
DELETE FROM piece
WHERE run = :run AND attempt = :attempt AND stream = :stream
    AND start >= :start AND start + gap_bytes + length(data) <= :end

-- name: mark_cut
UPDATE piece SET
    start = :start,
    gap_bytes = max(:end, start + gap_bytes) - :start,
    data = coalesce(substr(data, max(:end - start - gap_bytes, 0) + 1), x'') -- of nothing: NULL
WHERE run = :run AND attempt = :attempt AND stream = :stream
    AND start >= :start AND start <= :end AND start + gap_bytes + length(data) > :end

-- name: read_output
SELECT position, attempt, stream, start, at_us, data, gap_bytes FROM piece
WHERE run = ? AND position > ? AND ? IN (0, attempt) ORDER BY position

-- name: read_output_back
SELECT position, attempt, stream, start, at_us, data, gap_bytes FROM piece
WHERE run = ? AND position < ? ORDER BY position DESC

-- name: output_gaps
SELECT run, sum(gap_bytes) FROM piece
WHERE gap_bytes > 0 AND run IN (SELECT value FROM json_each(?)) GROUP BY run

-- name: output_tail
SELECT start + gap_bytes, start + gap_bytes + length(data) FROM piece
WHERE run = ? AND attempt = ? AND stream = ? AND start >= ? ORDER BY position

-- name: output_ends
SELECT
    run, attempt, stream, max(start + gap_bytes + length(data)), max(position), sum(length(data))
FROM piece
WHERE run IN (SELECT value FROM json_each(?)) GROUP BY run, attempt, stream
