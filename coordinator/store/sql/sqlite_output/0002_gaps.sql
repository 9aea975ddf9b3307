-- How much of a run is not kept, without a look at what is.
CREATE INDEX piece_gap ON piece (run, gap_bytes) WHERE gap_bytes > 0;
