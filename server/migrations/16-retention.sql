-- How long messages of a room are kept, in hours: NULL as long as the server keeps them, 0 without limit.
ALTER TABLE room ADD COLUMN retention INTEGER;

-- The events up to this `seq` have expired: of each nothing is left but its place, id, time and author (kind -1). An event of
-- kind 6 says so to those who follow the room; its target is this `seq`.
ALTER TABLE room ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;

-- When a user was in the room last, to the day.
ALTER TABLE room ADD COLUMN visited_at INTEGER NOT NULL DEFAULT 0;
UPDATE room SET visited_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000;

-- Users who erase or have erased everything of theirs, and how far that is: they post nothing more.
CREATE TABLE erasure (
    person      INTEGER PRIMARY KEY,
    started_at  INTEGER NOT NULL,
    row         INTEGER NOT NULL DEFAULT 0, -- the events up to this row are done
    erased      INTEGER NOT NULL DEFAULT 0, -- messages and reactions so far
    finished_at INTEGER
);
CREATE INDEX erasure_unfinished ON erasure (started_at) WHERE finished_at IS NULL;

-- The read markers of a room, to be removed with it.
CREATE INDEX reading_by_room ON reading (room);
