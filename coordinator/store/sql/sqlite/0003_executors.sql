-- What agents say of their executors.
ALTER TABLE agent ADD COLUMN offers TEXT NOT NULL DEFAULT '[]';

CREATE TABLE description (
    digest TEXT PRIMARY KEY, -- of the body
    body   BLOB NOT NULL     -- msgpack
) WITHOUT ROWID;
