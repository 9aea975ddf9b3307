CREATE TABLE piece (
    run       TEXT    NOT NULL,
    position  INTEGER NOT NULL, -- from 1, in order of arrival
    attempt   INTEGER NOT NULL,
    stream    INTEGER NOT NULL, -- 1 stdout, 2 stderr
    start     INTEGER NOT NULL, -- offset of its first byte in the stream
    at_us     INTEGER NOT NULL,
    gap_bytes INTEGER NOT NULL, -- so many bytes from `start` on were not kept
    data      BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX piece_order ON piece (run, position);
