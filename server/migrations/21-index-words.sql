-- The words of the index, in their order. The index finds its pages by words of its own table, which stay there when the words
-- themselves are removed; the program replaces those by the next word that is still there.
CREATE VIRTUAL TABLE index_word USING fts5vocab (message_index, instance);
