-- What a room is called, about and whose. Without a title its name says it; a private one is on no list.
ALTER TABLE room ADD COLUMN title TEXT;
ALTER TABLE room ADD COLUMN topic TEXT NOT NULL DEFAULT '';
ALTER TABLE room ADD COLUMN owner INTEGER;
ALTER TABLE room ADD COLUMN private INTEGER NOT NULL DEFAULT 0;

-- Names that are alike have the same key. Filled in by the program, which knows the rule.
ALTER TABLE person ADD COLUMN key TEXT;
ALTER TABLE person ADD COLUMN alike INTEGER NOT NULL DEFAULT 0;
CREATE INDEX person_by_key ON person (key);

-- How far somebody has read in the rooms where they have been.
CREATE TABLE reading (
    person INTEGER NOT NULL,
    room   TEXT    NOT NULL,
    seq    INTEGER NOT NULL,
    PRIMARY KEY (person, room)
) WITHOUT ROWID;
