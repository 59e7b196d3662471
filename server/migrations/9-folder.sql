-- Texts that an edit has replaced are gone: the message and its newest edit have what it says now, older edits nothing.
UPDATE event SET text = change.text FROM change
WHERE event.room = change.room AND event.seq = change.seq AND change.text IS NOT NULL;
UPDATE event SET text = '' WHERE kind = 1 AND target IS NOT NULL AND EXISTS (
    SELECT 1 FROM event later
    WHERE later.room = event.room AND later.target = event.target AND later.row > event.row AND later.kind = 1);

-- SQLite's schema cookie when a Hubbub last opened the file. SQLite's own copies have another one; a copy of the bare
-- file has the same.
ALTER TABLE log ADD COLUMN schema_cookie INTEGER;

-- Continuous histories of this log, oldest first. An epoch begins where the file may have been put back from an older
-- copy; events before `first_row` belong to the epochs before it.
CREATE TABLE epoch (
    number    INTEGER PRIMARY KEY,
    name      TEXT    NOT NULL,
    first_row INTEGER NOT NULL
);

-- In a backup: the key of the cookies, to be put into the data folder by the next start. Empty otherwise.
CREATE TABLE backup (
    cookie_key BLOB
);

-- Always empty: a commit that fills and empties it shows that the disk takes writes.
CREATE TABLE probe (
    filler BLOB NOT NULL
);
