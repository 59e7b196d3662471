-- Whom the text of an event addresses: for each user a line with their id (16 hexadecimal digits) and the name that stands
-- after @ in the text; without a name the author of the message that this one replies to. NULL for nobody.
ALTER TABLE event ADD COLUMN mentions TEXT;

-- The messages that address users, so that unread ones are counted. Follows from the column.
CREATE TABLE mention (
    person INTEGER NOT NULL,
    room   TEXT    NOT NULL,
    seq    INTEGER NOT NULL,
    PRIMARY KEY (person, room, seq)
) WITHOUT ROWID;
CREATE INDEX mention_by_message ON mention (room, seq);
