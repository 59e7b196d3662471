-- The files that a message shows, as JSON. NULL if it shows none, or when it is deleted or has expired.
ALTER TABLE event ADD COLUMN files TEXT;

-- Uploads, and the files of messages. Their bytes are in the object store.
CREATE TABLE file (
    number     INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,         -- a random UUID
    owner      INTEGER NOT NULL,
    room       TEXT NOT NULL,                -- whose users may read it
    info       TEXT NOT NULL,                -- JSON, as a message shows it
    size       INTEGER NOT NULL,             -- bytes that the client has announced
    received   INTEGER NOT NULL DEFAULT 0,   -- bytes that have come so far
    touched_at INTEGER NOT NULL,             -- when something of it came last
    content    BLOB,                         -- the SHA-256 of the bytes that are kept
    ready      INTEGER NOT NULL DEFAULT 0,   -- the bytes are in the object store
    message    BLOB,                         -- the id of the command that posts it
    posted     INTEGER NOT NULL DEFAULT 0    -- the message is there
) STRICT;
CREATE INDEX file_unposted ON file (touched_at) WHERE posted = 0;
CREATE INDEX file_unposted_by_owner ON file (owner) WHERE posted = 0;
CREATE INDEX file_by_message ON file (message) WHERE message IS NOT NULL;
CREATE INDEX file_by_content ON file (content) WHERE content IS NOT NULL;

-- What is in the object store: each content once, however many files have it.
CREATE TABLE content (
    number   INTEGER PRIMARY KEY,
    hash     BLOB NOT NULL UNIQUE,           -- their SHA-256
    bytes    INTEGER NOT NULL,               -- with those of its thumbnail
    unused   INTEGER NOT NULL DEFAULT 0,     -- no file has it
    removing INTEGER NOT NULL DEFAULT 0      -- it is being removed from the object store
) STRICT;
CREATE INDEX content_unused ON content (hash) WHERE unused = 1;

-- The bytes of contents, and those that uploads under way have announced.
CREATE TABLE file_usage (bytes INTEGER NOT NULL) STRICT;
INSERT INTO file_usage VALUES (0);

-- A file goes with its message, in whatever way that is deleted, expires or is removed.
CREATE TRIGGER files_of_deleted_message AFTER UPDATE OF text ON event WHEN OLD.files IS NOT NULL AND NEW.text = '' BEGIN
    DELETE FROM file WHERE message = OLD.id AND posted = 1;
    UPDATE event SET files = NULL WHERE row = NEW.row;
END;
CREATE TRIGGER files_of_removed_message AFTER DELETE ON event WHEN OLD.files IS NOT NULL BEGIN
    DELETE FROM file WHERE message = OLD.id AND posted = 1;
END;
CREATE TRIGGER file_removed AFTER DELETE ON file BEGIN
    UPDATE file_usage SET bytes = bytes - OLD.size WHERE OLD.content IS NULL;
    UPDATE content SET unused = 1
    WHERE hash = OLD.content AND NOT EXISTS (SELECT 1 FROM file WHERE content = OLD.content);
END;
CREATE TRIGGER file_added AFTER INSERT ON file WHEN NEW.content IS NULL BEGIN
    UPDATE file_usage SET bytes = bytes + NEW.size;
END;
CREATE TRIGGER file_stored AFTER UPDATE OF content ON file WHEN OLD.content IS NULL AND NEW.content IS NOT NULL BEGIN
    UPDATE file_usage SET bytes = bytes - NEW.size;
END;
CREATE TRIGGER content_added AFTER INSERT ON content BEGIN
    UPDATE file_usage SET bytes = bytes + NEW.bytes;
END;
CREATE TRIGGER content_removed AFTER DELETE ON content BEGIN
    UPDATE file_usage SET bytes = bytes - OLD.bytes;
END;
