-- The network from which the upload has begun, until a message shows the file.
ALTER TABLE file ADD COLUMN network text;
CREATE INDEX file_unposted_by_network ON file (network) WHERE NOT posted AND network IS NOT NULL;
CREATE FUNCTION file_posted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.network := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER file_posted BEFORE UPDATE OF posted ON file FOR EACH ROW
WHEN (NEW.posted AND NEW.network IS NOT NULL) EXECUTE FUNCTION file_posted();

-- Uploads count with the bytes that have come, not with those that were announced.
CREATE OR REPLACE FUNCTION file_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.content IS NULL THEN UPDATE file_usage SET bytes = bytes + NEW.received; END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF OLD.content IS NULL AND NEW.content IS NOT NULL THEN
            UPDATE file_usage SET bytes = bytes - OLD.received;
        ELSIF NEW.content IS NULL AND NEW.received <> OLD.received THEN
            UPDATE file_usage SET bytes = bytes + NEW.received - OLD.received;
        END IF;
    ELSE
        IF OLD.content IS NULL THEN UPDATE file_usage SET bytes = bytes - OLD.received; END IF;
        UPDATE content c SET unused = true
        WHERE c.hash = OLD.content AND NOT EXISTS (SELECT FROM file f WHERE f.content = OLD.content);
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER file_changed ON file;
CREATE TRIGGER file_changed AFTER INSERT OR UPDATE OF content, received OR DELETE ON file
FOR EACH ROW EXECUTE FUNCTION file_changed();
UPDATE file_usage SET bytes = (SELECT coalesce(sum(c.bytes), 0)::int8 FROM content c)
    + (SELECT coalesce(sum(f.received), 0)::int8 FROM file f WHERE f.content IS NULL);
