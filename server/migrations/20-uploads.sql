-- The network from which the upload has begun, until a message shows the file.
ALTER TABLE file ADD COLUMN network TEXT;
CREATE INDEX file_unposted_by_network ON file (network) WHERE posted = 0 AND network IS NOT NULL;
CREATE TRIGGER file_posted AFTER UPDATE OF posted ON file WHEN NEW.posted = 1 AND NEW.network IS NOT NULL BEGIN
    UPDATE file SET network = NULL WHERE number = NEW.number;
END;

-- Uploads count with the bytes that have come, not with those that were announced.
DROP TRIGGER file_removed;
DROP TRIGGER file_added;
DROP TRIGGER file_stored;
CREATE TRIGGER file_removed AFTER DELETE ON file BEGIN
    UPDATE file_usage SET bytes = bytes - OLD.received WHERE OLD.content IS NULL;
    UPDATE content SET unused = 1
    WHERE hash = OLD.content AND NOT EXISTS (SELECT 1 FROM file WHERE content = OLD.content);
END;
CREATE TRIGGER file_added AFTER INSERT ON file WHEN NEW.content IS NULL BEGIN
    UPDATE file_usage SET bytes = bytes + NEW.received;
END;
CREATE TRIGGER file_grown AFTER UPDATE OF received ON file WHEN NEW.content IS NULL BEGIN
    UPDATE file_usage SET bytes = bytes + NEW.received - OLD.received;
END;
CREATE TRIGGER file_stored AFTER UPDATE OF content ON file WHEN OLD.content IS NULL AND NEW.content IS NOT NULL BEGIN
    UPDATE file_usage SET bytes = bytes - OLD.received;
END;
UPDATE file_usage SET bytes = (SELECT coalesce(sum(bytes), 0) FROM content)
    + (SELECT coalesce(sum(received), 0) FROM file WHERE content IS NULL);
