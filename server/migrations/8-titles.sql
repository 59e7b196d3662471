-- The key of each public room's title, so that a title that is taken is found by an index. The program, which knows the
-- rule, fills it in. A contested room shows its address in its title, since another room had that title before.
ALTER TABLE room ADD COLUMN title_key TEXT;
ALTER TABLE room ADD COLUMN contested INTEGER NOT NULL DEFAULT 0;
UPDATE room SET title_key = '' WHERE private = 1;
CREATE INDEX room_by_title_key ON room (title_key) WHERE private = 0;
