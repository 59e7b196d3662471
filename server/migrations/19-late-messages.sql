-- Late messages: those that are older than one that the index had already, as an import brings them. They are in the index not
-- by their row but by their place, which is negative and in the order of time. All others are there by their row, and their
-- times do not decrease.
CREATE TABLE late_message (
    place INTEGER PRIMARY KEY,
    row   INTEGER NOT NULL UNIQUE
) STRICT;
-- One of 4,096 late messages, about, so that a search goes back in ranges of so many.
CREATE INDEX late_message_sample ON late_message (place) WHERE row % 4096 = 0;

-- The times of some of the others, at least 256 rows apart.
CREATE TABLE index_time (
    at  INTEGER NOT NULL,
    row INTEGER NOT NULL,
    PRIMARY KEY (at, row)
) STRICT, WITHOUT ROWID;

-- The time of the newest one of the others. The index is built again.
ALTER TABLE index_progress ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
UPDATE index_progress SET version = 0;
