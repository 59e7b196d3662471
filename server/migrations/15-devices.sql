-- The devices on which users are signed in. The id is random and stands in the cookie of the device. Times are milliseconds
-- since 1970 UTC.
CREATE TABLE device (
    id       INTEGER PRIMARY KEY,
    person   INTEGER NOT NULL,
    browser  TEXT    NOT NULL, -- empty if it is unknown
    system   TEXT    NOT NULL, -- empty if it is unknown
    added_at INTEGER NOT NULL,
    seen_at  INTEGER NOT NULL
);
CREATE INDEX device_by_person ON device (person, seen_at);

-- The generation of the cookies of users who have signed devices out. A cookie of an earlier generation is valid only on a
-- device that is listed.
CREATE TABLE sign_out (
    person     INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL
);

-- Recovery codes, by their SHA-256.
CREATE TABLE recovery_code (
    person     INTEGER PRIMARY KEY,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX recovery_code_by_hash ON recovery_code (hash);
