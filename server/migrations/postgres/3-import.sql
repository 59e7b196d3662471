-- The import of a data folder into this database by `hubbub migrate`: no row, or one. No server starts before it is finished.
CREATE TABLE import (
    singleton   bool PRIMARY KEY DEFAULT true CHECK (singleton),
    id          uuid NOT NULL,            -- the mark of the folder has it too, so that the same folder is continued
    chunks      int8 NOT NULL DEFAULT 0,  -- the rows of import_chunk
    finished_at int8                      -- milliseconds since 1970
);

-- What is imported, in order. Each row is written in the transaction that copies the rows which it describes. Empty once the
-- import is finished.
CREATE TABLE import_chunk (
    number     int8  PRIMARY KEY,
    table_name text  NOT NULL,
    after_key  int8[],          -- the rows have keys after this one; NULL for the first ones
    last_key   int8[],          -- up to this one; NULL for a whole table
    row_count  int8  NOT NULL,
    digest     bytea NOT NULL   -- SHA-256 of the rows that were read from the folder, as record_send has them
);
