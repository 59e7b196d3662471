-- The words of messages, by the row of the event. The program cuts texts into words and marks, which this tokenizer only
-- separates; so every character beyond ASCII is a letter to it, and `:` and `-` stand in marks. The index has no texts: to
-- remove a message from it, the program says what was in it. Removed words are overwritten at once.
CREATE VIRTUAL TABLE message_index USING fts5 (words, content = '', columnsize = 0, tokenize = "ascii tokenchars ':-'");
INSERT INTO message_index (message_index, rank) VALUES ('secure-delete', 1);
INSERT INTO message_index (message_index, rank) VALUES ('usermerge', 2);

-- One row: the events up to this row are in the index, as a version of the program cuts them.
CREATE TABLE index_progress (
    row     INTEGER NOT NULL,
    version INTEGER NOT NULL
);
INSERT INTO index_progress (row, version) VALUES (0, 0);
