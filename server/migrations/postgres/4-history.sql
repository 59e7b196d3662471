-- A log that was put back from a copy, or that may have lost its end in a failover, has a new epoch in its identity.
ALTER TABLE log
    ADD COLUMN epoch   text NOT NULL DEFAULT '',  -- empty for the first one
    ADD COLUMN history text NOT NULL DEFAULT '';  -- to which the epoch belongs: the server, its timeline, and this table
