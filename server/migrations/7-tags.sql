-- The place of each user among those whose names are alike: the server makes tags of it. More names are alike than
-- before, so that the program computes all keys again and numbers the users of each.
ALTER TABLE person ADD COLUMN number INTEGER;
DROP INDEX person_by_key;
UPDATE person SET key = NULL;
CREATE UNIQUE INDEX person_by_key ON person (key, number);
