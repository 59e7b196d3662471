-- When a user last read on or first did something in a room: newest visits and oldest ones come from an index.
ALTER TABLE reading ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
DELETE FROM reading WHERE seq = 0 AND room NOT IN (SELECT name FROM room);
UPDATE reading SET at = coalesce(
    (SELECT event.at FROM event WHERE event.room = reading.room AND event.seq = reading.seq), 0);
DELETE FROM reading WHERE (person, room) IN (
    SELECT person, room FROM (
        SELECT person, room, row_number() OVER (PARTITION BY person ORDER BY at DESC, room) AS place FROM reading)
    WHERE place > 1000);
CREATE INDEX reading_by_time ON reading (person, at);

-- How many rooms each user has a row for in `reading`, so that nothing has to count them.
CREATE TABLE visitor (
    person INTEGER PRIMARY KEY,
    visits INTEGER NOT NULL
);
INSERT INTO visitor (person, visits) SELECT person, count(*) FROM reading GROUP BY person;
