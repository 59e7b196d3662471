-- Links that sign a user in on another device, by the SHA-256 of their secrets. Times are milliseconds since 1970 UTC.
CREATE TABLE device_link (
    hash       BLOB    PRIMARY KEY CHECK (length(hash) = 32),
    person     INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX device_link_by_person ON device_link (person) WHERE used_at IS NULL;
CREATE INDEX device_link_by_expiry ON device_link (expires_at);
