-- The schema of an installation in PostgreSQL. All times are milliseconds since 1970 by the clock of the database. Ids of
-- users are 64 bits without a sign, stored as signed ones.

-- One row: the identity of the event log, the key that signs the cookies, and counters that tell a server that what it
-- has cached is out of date.
CREATE TABLE log (
    singleton          bool  PRIMARY KEY DEFAULT true CHECK (singleton),
    id                 text  NOT NULL,
    cookie_key         bytea NOT NULL,
    names_generation   int8  NOT NULL DEFAULT 1,  -- increases with every change of a name, a tag or an ambiguity
    markers_generation int8  NOT NULL DEFAULT 1,  -- increases when a read marker is removed
    early              bool  NOT NULL DEFAULT false  -- events may be visible before they are durable
);

CREATE TABLE user_account (
    id         int8 PRIMARY KEY,
    name       text NOT NULL,
    skeleton   text NOT NULL COLLATE "C",  -- the same for names that a reader could take for each other
    ambiguous  bool NOT NULL,
    number     int8 NOT NULL,              -- among the users of the skeleton
    generation int8 NOT NULL               -- names_generation after the user's last change
);
CREATE UNIQUE INDEX user_account_by_skeleton ON user_account (skeleton, number);
CREATE INDEX user_account_by_generation ON user_account (generation);

CREATE TABLE room (
    id         int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE COLLATE "C",
    title      text,
    topic      text NOT NULL,
    owner      int8,
    private    bool NOT NULL,
    contested  bool NOT NULL,
    title_key  text UNIQUE COLLATE "C",  -- the skeleton of the title of a public room; NULL if another one has it
    title_sort text COLLATE "C"          -- the title in lower case; NULL for a private room
);
CREATE INDEX room_by_title ON room (title_sort, name) WHERE NOT private;
CREATE INDEX room_by_name ON room (name) WHERE NOT private;

-- The public rooms but the lobby. `at` is at most one second older than the last event of the room, so that a busy room
-- is not written with every commit.
CREATE TABLE room_activity (
    room int  PRIMARY KEY,
    at   int8 NOT NULL
);
CREATE INDEX room_activity_by_at ON room_activity (at);

CREATE TABLE event (
    seq      int8 NOT NULL,
    at       int8 NOT NULL,
    author   int8 NOT NULL,
    id       uuid NOT NULL,  -- made by the author's client
    room     int  NOT NULL,  -- without REFERENCES: append_events locks the room, which proves that it exists
    kind     int2 NOT NULL,  -- 0 message, 1 edit, 2 delete
    text     text NOT NULL,  -- of a message: the present one; of an edit: '' once another change supersedes it
    reply_to int8,
    target   int8,
    PRIMARY KEY (room, seq)
);
CREATE UNIQUE INDEX event_by_id ON event (id);
CREATE INDEX event_by_target ON event (room, target, seq) WHERE target IS NOT NULL;

-- The last change of a message that was edited or deleted.
CREATE TABLE message_state (
    room int  NOT NULL,
    seq  int8 NOT NULL,
    at   int8 NOT NULL,
    text text,  -- the present one; NULL if the message was deleted
    PRIMARY KEY (room, seq)
);

CREATE TABLE read_marker (
    user_id  int8 NOT NULL,
    room     int  NOT NULL,
    seq      int8 NOT NULL,
    moved_at int8 NOT NULL,
    PRIMARY KEY (user_id, room)
);
CREATE INDEX read_marker_by_time ON read_marker (user_id, moved_at, room);

CREATE TABLE device_link (
    hash       bytea PRIMARY KEY,
    user_id    int8  NOT NULL,
    expires_at int8  NOT NULL,
    used_at    int8
);
CREATE INDEX device_link_by_expiry ON device_link (expires_at);
CREATE INDEX device_link_by_user ON device_link (user_id) WHERE used_at IS NULL;

-- One row: the number of links. Its lock lets one change of the links follow the other.
CREATE TABLE device_link_count (
    links int NOT NULL
);
INSERT INTO device_link_count VALUES (0);

CREATE FUNCTION now_millis() RETURNS int8 LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::int8
$$;
-- The functions of the schema: each is one round trip and one transaction. They run under READ COMMITTED, so each statement
-- sees what was committed before it began; that is why a lock is always taken by a statement of its own.
-- Locks are taken in one order everywhere: rooms by id, read markers, the row of log.

-- Sets the name of a user. Returns the users who appear differently now: the user, and at most one other at each of the two
-- skeletons, because only the second user of a skeleton makes the first one ambiguous, and only the last but one to leave
-- it makes the remaining one unambiguous. The caller holds the row of log.
CREATE FUNCTION name_user(_id int8, _name text, _skeleton text, _generation int8) RETURNS int8[] LANGUAGE plpgsql AS $$
DECLARE
    _changed int8[] := ARRAY[_id];
    _old text;
    _others int8[];
    _highest int8;
BEGIN
    SELECT u.skeleton INTO _old FROM user_account u WHERE u.id = _id;
    IF _old = _skeleton THEN
        UPDATE user_account SET name = _name, generation = _generation WHERE id = _id;
        RETURN _changed;
    END IF;
    SELECT array_agg(l.id), max(l.number) INTO _others, _highest FROM (
        SELECT u.id, u.number FROM user_account u WHERE u.skeleton = _skeleton ORDER BY u.number DESC LIMIT 2
    ) l;
    INSERT INTO user_account AS u (id, name, skeleton, ambiguous, number, generation)
    VALUES (_id, _name, _skeleton, _others IS NOT NULL, coalesce(_highest, 0) + 1, _generation)
    ON CONFLICT (id) DO UPDATE
    SET name = excluded.name, skeleton = excluded.skeleton, ambiguous = excluded.ambiguous, number = excluded.number,
        generation = excluded.generation;
    IF cardinality(_others) = 1 THEN
        UPDATE user_account SET ambiguous = true, generation = _generation WHERE id = _others[1];
        _changed := _changed || _others;
    END IF;
    SELECT array_agg(l.id) INTO _others FROM (
        SELECT u.id FROM user_account u WHERE u.skeleton = _old ORDER BY u.number DESC LIMIT 2
    ) l;
    IF cardinality(_others) = 1 THEN
        UPDATE user_account SET ambiguous = false, generation = _generation WHERE id = _others[1];
        _changed := _changed || _others;
    END IF;
    RETURN _changed;
END $$;

-- Sets the name that a user has chosen, and notifies the other servers within the transaction.
CREATE FUNCTION set_display_name(_id int8, _name text, _skeleton text, _channel text, _node text, OUT names int8, OUT changed int8[])
LANGUAGE plpgsql AS $$
BEGIN
    SELECT l.names_generation + 1 INTO names FROM log l FOR NO KEY UPDATE;
    changed := name_user(_id, _name, _skeleton, names);
    UPDATE log SET names_generation = names;
    PERFORM pg_notify(_channel, _node || ' users ' || names || ' ' || array_to_string(changed, ','));
END $$;

-- Stores users who post for the first time under their generated names. Notifies the other servers if users become
-- ambiguous, and returns those.
CREATE FUNCTION introduce_users(_ids int8[], _names text[], _skeletons text[], _channel text, _node text) RETURNS int8[]
LANGUAGE plpgsql AS $$
DECLARE
    _generation int8;
    _changed int8[] := '{}';
BEGIN
    SELECT l.names_generation + 1 INTO _generation FROM log l FOR NO KEY UPDATE;
    FOR _n IN 1 .. cardinality(_ids) LOOP
        IF NOT EXISTS (SELECT FROM user_account u WHERE u.id = _ids[_n]) THEN
            _changed := _changed || name_user(_ids[_n], _names[_n], _skeletons[_n], _generation);
        END IF;
    END LOOP;
    _changed := ARRAY(SELECT DISTINCT u.id FROM user_account u WHERE u.id = ANY (_changed) AND u.ambiguous);
    IF cardinality(_changed) > 0 THEN
        UPDATE log SET names_generation = _generation;
        FOR _n IN 0 .. (cardinality(_changed) - 1) / 300 LOOP  -- a payload has less than 8,000 bytes
            PERFORM pg_notify(_channel, _node || ' users ' || _generation || ' '
                || array_to_string(_changed[_n * 300 + 1 : _n * 300 + 300], ','));
        END LOOP;
    END IF;
    RETURN _changed;
END $$;

-- Sets the first read marker of each user in each room, and leaves existing ones as they are. Past `_most` markers of a user
-- the ones that moved least recently are removed. Ignores positions that are NULL.
CREATE FUNCTION record_visits(_users int8[], _rooms int[], _seqs int8[], _at int8, _most int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    _inserted int8[];
BEGIN
    WITH inserted AS (
        INSERT INTO read_marker (user_id, room, seq, moved_at)
        SELECT DISTINCT ON (v.user_id, v.room) v.user_id, v.room, v.seq, _at
        FROM unnest(_users, _rooms, _seqs) AS v (user_id, room, seq)
        WHERE v.seq IS NOT NULL ORDER BY v.user_id, v.room, v.seq
        ON CONFLICT (user_id, room) DO NOTHING
        RETURNING user_id
    )
    SELECT array_agg(DISTINCT i.user_id) INTO _inserted FROM inserted i;
    IF _inserted IS NULL THEN RETURN; END IF;
    WITH excess AS (
        SELECT m.user_id, m.room FROM unnest(_inserted) AS u (user_id)
        CROSS JOIN LATERAL (
            SELECT r.user_id, r.room FROM read_marker r WHERE r.user_id = u.user_id
            ORDER BY r.moved_at DESC, r.room DESC OFFSET _most
        ) m
    )
    DELETE FROM read_marker r USING excess e WHERE r.user_id = e.user_id AND r.room = e.room;
    IF FOUND THEN UPDATE log SET markers_generation = markers_generation + 1; END IF;
END $$;

-- Moves read markers forward, to the end of the room if that is before. `moved` has the new position, NULL for a marker that
-- stays, and -1 for a room that does not exist.
CREATE FUNCTION set_read_markers(_users int8[], _names text[], _seqs int8[], _most int, OUT moved int8[])
LANGUAGE plpgsql AS $$
DECLARE
    _at int8 := now_millis();
    _room int;
    _head int8;
    _seq int8;
BEGIN
    moved := array_fill(NULL::int8, ARRAY[cardinality(_users)]);
    FOR _n IN 1 .. cardinality(_users) LOOP
        SELECT r.id, coalesce((SELECT max(e.seq) FROM event e WHERE e.room = r.id), 0)
        INTO _room, _head FROM room r WHERE r.name = _names[_n];
        IF NOT FOUND THEN
            IF _names[_n] <> 'lobby' THEN moved[_n] := -1; END IF;
            CONTINUE;
        END IF;
        _seq := least(_seqs[_n], _head);
        UPDATE read_marker SET seq = _seq, moved_at = _at
        WHERE user_id = _users[_n] AND room = _room AND seq < _seq;
        IF FOUND THEN
            moved[_n] := _seq;
        ELSIF (_seq > 0 OR _head = 0)
            AND NOT EXISTS (SELECT FROM read_marker m WHERE m.user_id = _users[_n] AND m.room = _room)
        THEN
            PERFORM record_visits(ARRAY[_users[_n]], ARRAY[_room], ARRAY[_seq], _at, _most);
            moved[_n] := _seq;
        END IF;
    END LOOP;
END $$;

-- Removes a read marker.
CREATE FUNCTION remove_read_marker(_user int8, _name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM read_marker m USING room r WHERE r.name = _name AND m.user_id = _user AND m.room = r.id;
    IF FOUND THEN UPDATE log SET markers_generation = markers_generation + 1; END IF;
END $$;

-- Adds a link, which replaces the unused one of its user. Removes two expired links, so that each link pays for two. Returns
-- false if there are `_most` links.
CREATE FUNCTION create_device_link(_hash bytea, _user int8, _lifetime int8, _most int) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
    _at int8 := now_millis();
    _links int;
    _removed int;
BEGIN
    SELECT c.links INTO _links FROM device_link_count c FOR UPDATE;
    DELETE FROM device_link WHERE user_id = _user AND used_at IS NULL;
    GET DIAGNOSTICS _removed = ROW_COUNT;
    _links := _links - _removed;
    DELETE FROM device_link WHERE hash IN
        (SELECT d.hash FROM device_link d WHERE d.expires_at <= _at ORDER BY d.expires_at LIMIT 2);
    GET DIAGNOSTICS _removed = ROW_COUNT;
    _links := _links - _removed;
    IF _links < _most THEN
        INSERT INTO device_link (hash, user_id, expires_at) VALUES (_hash, _user, _at + _lifetime);
    END IF;
    UPDATE device_link_count SET links = least(_links + 1, _most);
    RETURN _links < _most;
END $$;

-- Uses a link. `was_used` is NULL if there is none that works at this time.
CREATE FUNCTION redeem_device_link(_hash bytea, OUT user_id int8, OUT was_used bool) LANGUAGE plpgsql AS $$
BEGIN
    SELECT d.user_id, d.used_at IS NOT NULL INTO user_id, was_used
    FROM device_link d WHERE d.hash = _hash AND d.expires_at > now_millis() FOR UPDATE;
    IF was_used = false THEN UPDATE device_link SET used_at = now_millis() WHERE hash = _hash; END IF;
END $$;

-- Carries out an edit or a delete: brings the state of the message up to it. The text before is purged, also from past
-- events. Touches a constant number of rows, because only the newest edit of a message has a text.
CREATE FUNCTION change_message(_room int, _target int8, _seq int8, _at int8, _text text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO message_state (room, seq, at, text) VALUES (_room, _target, _at, _text)
    ON CONFLICT (room, seq) DO UPDATE SET at = excluded.at, text = excluded.text;
    UPDATE event SET text = coalesce(_text, '') WHERE room = _room AND seq = _target;
    UPDATE event SET text = '' WHERE room = _room AND seq = (
        SELECT e.seq FROM event e
        WHERE e.room = _room AND e.target = _target AND e.seq < _seq ORDER BY e.seq DESC LIMIT 1
    );
END $$;

-- Appends operations one after the other: each sees what those before it have done. `outcome`: 0 appended, 1 a repeat,
-- 2 another user has used the id, 3 no such message, 4 not allowed. The rules are those of store/rules.rs.
CREATE FUNCTION append_each(
    _at int8, _rooms int[], _base int8[], _place int[], _id uuid[], _author int8[], _kind int2[], _text text[],
    _reply_to int8[], _target int8[],
    OUT seqs int8[], OUT ats int8[], OUT room_of text[], OUT outcome int2[]
) LANGUAGE plpgsql AS $$
DECLARE
    _known record;
    _room int;
    _seq int8;
    _of int8;
    _code int2;
BEGIN
    seqs := array_fill(NULL::int8, ARRAY[cardinality(_id)]);
    ats := seqs;
    room_of := array_fill(NULL::text, ARRAY[cardinality(_id)]);
    outcome := array_fill(0::int2, ARRAY[cardinality(_id)]);
    FOR _n IN 1 .. cardinality(_id) LOOP
        _code := 0;
        _room := _rooms[_place[_n]];
        _of := coalesce(_target[_n], _reply_to[_n]);
        IF _of IS NOT NULL AND NOT EXISTS (SELECT FROM event e WHERE e.id = _id[_n]) THEN
            SELECT e.author, r.owner INTO _known
            FROM event e JOIN room r ON r.id = e.room
            LEFT JOIN message_state s ON s.room = e.room AND s.seq = e.seq
            WHERE e.room = _room AND e.seq = _of AND e.kind = 0 AND (s.at IS NULL OR s.text IS NOT NULL);
            _code := CASE
                WHEN NOT FOUND THEN 3
                WHEN _kind[_n] = 0 OR _known.author = _author[_n] THEN 0
                WHEN _kind[_n] = 2 AND _known.owner = _author[_n] THEN 0
                ELSE 4
            END;
        END IF;
        IF _code = 0 THEN
            _seq := _base[_place[_n]] + 1;
            INSERT INTO event (seq, at, author, id, room, kind, text, reply_to, target)
            VALUES (_seq, _at, _author[_n], _id[_n], _room, _kind[_n], _text[_n], _reply_to[_n], _target[_n])
            ON CONFLICT (id) DO NOTHING;
            IF FOUND THEN
                _base[_place[_n]] := _seq;
                seqs[_n] := _seq;
                ats[_n] := _at;
                IF _kind[_n] <> 0 THEN
                    PERFORM change_message(_room, _target[_n], _seq, _at, CASE WHEN _kind[_n] = 1 THEN _text[_n] END);
                END IF;
            ELSE
                SELECT e.seq, e.at, e.author, r.name INTO STRICT _known
                FROM event e JOIN room r ON r.id = e.room WHERE e.id = _id[_n];
                _code := CASE WHEN _known.author = _author[_n] THEN 1 ELSE 2 END;
                seqs[_n] := _known.seq;
                ats[_n] := _known.at;
                room_of[_n] := _known.name;
            END IF;
        END IF;
        outcome[_n] := _code;
    END LOOP;
END $$;

-- Inserts messages and replies with one statement. Returns false, and inserts nothing, if one of the operations needs a
-- look of its own.
CREATE FUNCTION append_plain(
    _at int8, _rooms int[], _base int8[], _place int[], _k int[], _id uuid[], _author int8[], _kind int2[], _text text[],
    _reply_to int8[]
) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    IF 0 <> ANY (_kind) THEN RETURN false; END IF;
    IF cardinality(array_remove(_reply_to, NULL)) > 0 AND EXISTS (
        SELECT FROM unnest(_place, _reply_to) AS i (place, reply_to)
        WHERE i.reply_to IS NOT NULL AND NOT EXISTS (
            SELECT FROM event e LEFT JOIN message_state s ON s.room = e.room AND s.seq = e.seq
            WHERE e.room = _rooms[i.place] AND e.seq = i.reply_to AND e.kind = 0 AND (s.at IS NULL OR s.text IS NOT NULL)
        )
    ) THEN RETURN false; END IF;
    INSERT INTO event (seq, at, author, id, room, kind, text, reply_to)
    SELECT _base[e.place] + e.k, _at, e.author, e.id, _rooms[e.place], 0, e.text, e.reply_to
    FROM unnest(_place, _k, _id, _author, _text, _reply_to) AS e (place, k, id, author, text, reply_to);
    RETURN true;
EXCEPTION WHEN unique_violation THEN
    RETURN false;  -- a repeat: undone up to here, the locks are still held
END $$;

-- Appends operations. Takes the seqs of each room from its events, under a lock on the row of the room: they become visible
-- in order and without holes. Plain messages and replies are inserted by one statement, and the unique index finds repeats.
-- Only then, and if there are edits, deletes or replies to missing messages, append_each looks at each operation.
CREATE FUNCTION append_events(
    _early bool,             -- gives the locks back before the disk sync; then a flush must follow on this connection
    _rooms int[],            -- the rooms of the operations, each once, ascending
    _active int[],           -- the rooms whose activity must be stored
    _place int[], _k int[],  -- for each operation: the index of its room, and its number there: 1, 2, 3 …
    _id uuid[], _author int8[], _kind int2[], _text text[], _reply_to int8[], _target int8[],
    _visit bool[],           -- the server does not know a read marker of the author in the room
    _users int8[], _names text[], _skeletons text[],   -- authors that the server does not know
    _names_generation int8, _markers_generation int8,  -- of what the server knows
    _channel text, _node text, _most_markers int,
    OUT at int8,
    OUT base int8[],  -- as _rooms: operation k has seq base + k. NULL if an operation was not appended; then:
    OUT seqs int8[], OUT ats int8[], OUT room_of text[], OUT outcome int2[],
    OUT names int8, OUT markers int8,  -- the generations; the server forgets what it knows of another one
    OUT user_ids int8[], OUT user_names text[], OUT user_ambiguous bool[], OUT user_numbers int8[],
    OUT changed int8[]  -- users who are ambiguous now
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    _locked int;
    _stored int8[];
    _new int[];
BEGIN
    IF _early THEN PERFORM set_config('synchronous_commit', 'off', true); END IF;
    SELECT count(*) INTO _locked FROM (
        SELECT FROM room r WHERE r.id = ANY (_rooms) ORDER BY r.id FOR NO KEY UPDATE
    ) l;
    IF _locked <> cardinality(_rooms) THEN
        RAISE foreign_key_violation USING MESSAGE = 'no such room';
    END IF;
    at := now_millis();
    base := ARRAY(
        SELECT coalesce((SELECT max(e.seq) FROM event e WHERE e.room = r.room), 0)
        FROM unnest(_rooms) WITH ORDINALITY AS r (room, o) ORDER BY r.o
    );
    IF NOT append_plain(at, _rooms, base, _place, _k, _id, _author, _kind, _text, _reply_to) THEN
        SELECT a.seqs, a.ats, a.room_of, a.outcome INTO seqs, ats, room_of, outcome
        FROM append_each(at, _rooms, base, _place, _id, _author, _kind, _text, _reply_to, _target) a;
    END IF;
    -- Whoever sees these events sees this too. The row is locked after those of the rooms, as elsewhere.
    IF _early AND NOT (SELECT l.early FROM log l) THEN UPDATE log SET early = true; END IF;
    IF cardinality(_active) > 0 THEN
        INSERT INTO room_activity AS a (room, at) SELECT unnest(_active), append_events.at
        ON CONFLICT (room) DO UPDATE SET at = greatest(a.at, excluded.at);
    END IF;
    SELECT l.names_generation, l.markers_generation INTO names, markers FROM log l;
    IF markers <> _markers_generation OR true = ANY (_visit) THEN
        _stored := ARRAY(
            SELECT CASE
                WHEN NOT (e.visit OR markers <> _markers_generation) THEN NULL
                WHEN outcome IS NULL THEN append_events.base[e.place] + e.k
                WHEN outcome[e.o] = 0 THEN seqs[e.o]
            END
            FROM unnest(_place, _k, _visit) WITH ORDINALITY AS e (place, k, visit, o) ORDER BY e.o
        );
        PERFORM record_visits(_author, ARRAY(SELECT _rooms[p] FROM unnest(_place) AS p), _stored, at, _most_markers);
    END IF;
    IF outcome IS NOT NULL THEN base := NULL; END IF;
    user_ids := CASE WHEN names <> _names_generation THEN ARRAY(SELECT DISTINCT unnest(_author)) ELSE _users END;
    IF cardinality(user_ids) = 0 THEN RETURN; END IF;
    _new := ARRAY(
        SELECT n.o FROM unnest(_users) WITH ORDINALITY AS n (id, o)
        WHERE NOT EXISTS (SELECT FROM user_account u WHERE u.id = n.id)
            AND (outcome IS NULL OR EXISTS (
                SELECT FROM unnest(_author, outcome) AS a (author, code) WHERE a.author = n.id AND a.code = 0
            ))
        ORDER BY n.id
    );
    IF cardinality(_new) > 0 THEN
        changed := introduce_users(
            ARRAY(SELECT _users[n] FROM unnest(_new) AS n), ARRAY(SELECT _names[n] FROM unnest(_new) AS n),
            ARRAY(SELECT _skeletons[n] FROM unnest(_new) AS n), _channel, _node
        );
    END IF;
    SELECT array_agg(u.id), array_agg(u.name), array_agg(u.ambiguous), array_agg(u.number)
    INTO user_ids, user_names, user_ambiguous, user_numbers FROM user_account u WHERE u.id = ANY (user_ids);
END $$;
