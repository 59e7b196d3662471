-- The devices on which users are signed in. The id is random and stands in the cookie of the device.
CREATE TABLE device (
    id       int8 PRIMARY KEY,
    user_id  int8 NOT NULL,
    browser  text NOT NULL,  -- empty if it is unknown
    system   text NOT NULL,  -- empty if it is unknown
    added_at int8 NOT NULL,
    seen_at  int8 NOT NULL
);
CREATE INDEX device_by_user ON device (user_id, seen_at, id);

-- The generation of the cookies of users who have signed devices out. A cookie of an earlier generation is valid only on a
-- device that is listed.
CREATE TABLE sign_out (
    user_id    int8 PRIMARY KEY,
    generation int8 NOT NULL
);

-- Recovery codes, by their SHA-256.
CREATE TABLE recovery_code (
    user_id    int8  PRIMARY KEY,
    hash       bytea NOT NULL UNIQUE,
    created_at int8  NOT NULL
);

-- Begins the next generation of the cookies of a user, and notifies the servers. The open link to another device ends too.
-- The caller holds the row of the user. The notification is sent in the transaction, so that it is not lost: sign-outs are
-- rare.
CREATE FUNCTION end_generation(_user int8, _channel text, _node text) RETURNS int8 LANGUAGE plpgsql AS $$
DECLARE
    _generation int8;
    _removed int;
BEGIN
    INSERT INTO sign_out AS s (user_id, generation) VALUES (_user, 1)
    ON CONFLICT (user_id) DO UPDATE SET generation = s.generation + 1
    RETURNING s.generation INTO _generation;
    PERFORM FROM device_link_count FOR UPDATE;
    DELETE FROM device_link d WHERE d.user_id = _user AND d.used_at IS NULL;
    GET DIAGNOSTICS _removed = ROW_COUNT;
    IF _removed > 0 THEN UPDATE device_link_count SET links = links - _removed; END IF;
    PERFORM pg_notify(_channel, _node || ' signedout ' || _user);
    RETURN _generation;
END $$;

-- Records that a user is on a device now; without a label only if the device is listed. A device that was signed out is not listed again, and a guest has no devices. Past
-- `_most` devices the one that was seen least recently is signed out: then returns true.
CREATE FUNCTION record_device(
    _user int8, _id int8, _generation int8, _browser text, _system text, _most int, _channel text, _node text
) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
    _at int8 := now_millis();
BEGIN
    UPDATE device SET seen_at = _at, browser = coalesce(_browser, browser), system = coalesce(_system, system)
    WHERE id = _id AND user_id = _user;
    IF FOUND OR _browser IS NULL THEN RETURN false; END IF;
    PERFORM FROM user_account u WHERE u.id = _user FOR NO KEY UPDATE;
    IF NOT FOUND OR _generation < coalesce((SELECT s.generation FROM sign_out s WHERE s.user_id = _user), 0) THEN
        RETURN false;
    END IF;
    INSERT INTO device (id, user_id, browser, system, added_at, seen_at)
    VALUES (_id, _user, _browser, _system, _at, _at) ON CONFLICT (id) DO NOTHING;
    DELETE FROM device WHERE id IN (
        SELECT d.id FROM device d WHERE d.user_id = _user AND d.id <> _id ORDER BY d.seen_at DESC, d.id DESC OFFSET _most - 1
    );
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM end_generation(_user, _channel, _node);
    RETURN true;
END $$;

-- Signs devices of a user out: `_device`, or without one all but `_keep`, or without either all. Returns the generation of the
-- user's cookies from now on; `ended` says whether a device was signed out. A guest has no devices.
CREATE FUNCTION sign_out(
    _user int8, _device int8, _keep int8, _channel text, _node text, OUT generation int8, OUT ended bool
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM user_account u WHERE u.id = _user FOR NO KEY UPDATE;
    ended := FOUND;
    DELETE FROM device d WHERE d.user_id = _user AND d.id = coalesce(_device, d.id) AND d.id IS DISTINCT FROM _keep;
    ended := ended AND (FOUND OR _device IS NULL);
    IF ended THEN
        generation := end_generation(_user, _channel, _node);
    ELSE
        generation := coalesce((SELECT s.generation FROM sign_out s WHERE s.user_id = _user), 0);
    END IF;
END $$;

-- Sets the recovery code of a user, instead of the one before. Returns false for a guest.
CREATE FUNCTION set_recovery_code(_user int8, _hash bytea) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM user_account u WHERE u.id = _user FOR NO KEY UPDATE;
    IF NOT FOUND THEN RETURN false; END IF;
    INSERT INTO recovery_code AS c (user_id, hash, created_at) VALUES (_user, _hash, now_millis())
    ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at;
    RETURN true;
END $$;
