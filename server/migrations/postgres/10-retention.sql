-- How long messages of a room are kept, in hours: NULL as long as the server keeps them, 0 without limit. The events up to
-- `expired` have expired: of each nothing is left but its place, id, time and author (kind -1). An event of kind 6 says so to
-- those who follow the room; its target is that `seq`. `visited_at` is when a user was in the room last, to the day.
ALTER TABLE room
    ADD COLUMN retention  int,
    ADD COLUMN expired    int8 NOT NULL DEFAULT 0,
    ADD COLUMN visited_at int8 NOT NULL DEFAULT now_millis();

-- Users who erase or have erased everything of theirs, and how far that is: they post nothing more.
CREATE TABLE erasure (
    user_id     int8 PRIMARY KEY,
    started_at  int8 NOT NULL,
    room        int  NOT NULL DEFAULT 0,  -- the events up to this one are done
    seq         int8 NOT NULL DEFAULT 0,
    erased      int8 NOT NULL DEFAULT 0,  -- messages and reactions so far
    finished_at int8
);
CREATE INDEX erasure_unfinished ON erasure (started_at) WHERE finished_at IS NULL;

-- Tasks that one server at a time carries out, and until when it may.
CREATE TABLE lease (
    task       text PRIMARY KEY COLLATE "C",
    node       text NOT NULL COLLATE "C",
    expires_at int8 NOT NULL
);

-- Takes or renews a lease. Returns false if another server has it.
CREATE FUNCTION take_lease(_task text, _node text, _lifetime int8) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
    _at int8 := now_millis();
BEGIN
    INSERT INTO lease AS l (task, node, expires_at) VALUES (_task, _node, _at + _lifetime)
    ON CONFLICT (task) DO UPDATE SET node = excluded.node, expires_at = excluded.expires_at
    WHERE l.node = excluded.node OR l.expires_at <= _at;
    RETURN FOUND;
END $$;

-- Removes what has expired of a room: the events after `_after` up to `_up_to`, and everything about them. The caller has
-- locked the row of the room. With an `_id`, appends the event that says so, at the time of the one before it, so that the
-- room is no more active than before. Returns its position.
CREATE FUNCTION expire_events(_room int, _after int8, _up_to int8, _id uuid) RETURNS int8 LANGUAGE plpgsql AS $$
DECLARE
    _head int8;
    _at int8;
BEGIN
    -- Only the newest edit of a message has a text, and it may be younger than what has expired.
    UPDATE event e SET text = '', mentions = NULL
    FROM message_state s
    WHERE s.room = _room AND s.seq > _after AND s.seq <= _up_to AND s.text IS NOT NULL
        AND e.room = _room AND e.seq = (
            SELECT l.seq FROM event l WHERE l.room = _room AND l.target = s.seq AND l.kind = 1 ORDER BY l.seq DESC LIMIT 1
        );
    DELETE FROM message_state s WHERE s.room = _room AND s.seq > _after AND s.seq <= _up_to;
    DELETE FROM reactions x WHERE x.room = _room AND x.seq > _after AND x.seq <= _up_to;
    DELETE FROM mention m WHERE m.room = _room AND m.seq > _after AND m.seq <= _up_to;
    UPDATE event e SET kind = -1, text = '', reply_to = NULL, target = NULL, mentions = NULL
    WHERE e.room = _room AND e.seq > _after AND e.seq <= _up_to AND e.kind <> 6;
    UPDATE room SET expired = _up_to WHERE id = _room;
    IF _id IS NULL THEN RETURN NULL; END IF;
    SELECT e.seq, e.at INTO _head, _at FROM event e WHERE e.room = _room ORDER BY e.seq DESC LIMIT 1;
    INSERT INTO event (seq, at, author, id, room, kind, text, target)
    VALUES (_head + 1, _at, 0, _id, _room, 6, '', _up_to);
    RETURN _head + 1;
END $$;

-- The read markers of a room, to be removed with it.
CREATE INDEX read_marker_by_room ON read_marker (room);

-- Removes a room with everything in it, but at most `_most` read markers; returns false if there are more. The caller has
-- locked its row.
CREATE FUNCTION remove_room(_room int, _most int) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
    _removed int;
BEGIN
    DELETE FROM read_marker k WHERE k.room = _room AND k.user_id IN (
        SELECT m.user_id FROM read_marker m WHERE m.room = _room LIMIT _most
    );
    GET DIAGNOSTICS _removed = ROW_COUNT;
    IF _removed > 0 THEN UPDATE log SET markers_generation = markers_generation + 1; END IF;
    IF EXISTS (SELECT FROM read_marker m WHERE m.room = _room) THEN RETURN false; END IF;
    DELETE FROM message_state s WHERE s.room = _room;
    DELETE FROM reactions x WHERE x.room = _room;
    DELETE FROM mention m WHERE m.room = _room;
    DELETE FROM event e WHERE e.room = _room;
    DELETE FROM room_activity a WHERE a.room = _room;
    DELETE FROM role o WHERE o.room = _room;
    DELETE FROM restriction o WHERE o.room = _room;
    DELETE FROM pace p WHERE p.room = _room;
    DELETE FROM invitation i WHERE i.room = _room;
    DELETE FROM report p WHERE p.room = _room;
    DELETE FROM room r WHERE r.id = _room;
    RETURN true;
END $$;

-- Returns whether a user erases or has erased everything of theirs. Under this lock no operation that was allowed before is
-- still on its way when an erasure begins.
CREATE FUNCTION erases(_users int8[]) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(29368549872370434);
    RETURN EXISTS (SELECT FROM erasure e WHERE e.user_id = ANY (_users));
END $$;

-- Begins to erase everything of a user: from now on the user stores nothing more, has a generated name,
-- no links, no rights, and is signed out everywhere. The
-- job that follows removes messages and reactions, and at last the read markers: by them the rooms hear of the name.
-- Returns the users who appear differently now.
CREATE FUNCTION begin_erasure(
    _user int8, _name text, _skeleton text, _channel text, _node text, _subject text, OUT names int8, OUT changed int8[]
) LANGUAGE plpgsql AS $$
DECLARE
    _removed int;
BEGIN
    PERFORM pg_advisory_xact_lock(29402462997012994);  -- of changes of access
    PERFORM pg_advisory_xact_lock(29368549872370434);
    -- A user without a row has written nothing, so there is nothing to do.
    INSERT INTO erasure (user_id, started_at, finished_at) VALUES (
        _user, now_millis(), CASE WHEN NOT EXISTS (SELECT FROM user_account u WHERE u.id = _user) THEN now_millis() END
    ) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN RETURN; END IF;
    -- The generation of the cookies stays: without it those from before would be valid.
    PERFORM sign_out(_user, NULL, NULL, _channel, _node);
    PERFORM FROM device_link_count c FOR UPDATE;
    DELETE FROM device_link d WHERE d.user_id = _user AND d.used_at IS NULL;
    GET DIAGNOSTICS _removed = ROW_COUNT;
    UPDATE device_link_count SET links = greatest(links - _removed, 0);
    DELETE FROM device d WHERE d.user_id = _user;
    DELETE FROM recovery_code c WHERE c.user_id = _user;
    DELETE FROM blocked b WHERE b.user_id = _user;
    DELETE FROM report p WHERE p.by = _user;
    DELETE FROM pace p WHERE p.user_id = _user;
    DELETE FROM role o WHERE o.user_id = _user;
    IF FOUND THEN PERFORM note_access_change(_subject, NULL, _channel, _node); END IF;
    IF NOT EXISTS (SELECT FROM user_account u WHERE u.id = _user) THEN
        DELETE FROM read_marker m WHERE m.user_id = _user;
        RETURN;
    END IF;
    SELECT l.names_generation + 1 INTO names FROM log l FOR NO KEY UPDATE;
    changed := name_user(_user, _name, _skeleton, names);
    UPDATE log SET names_generation = names;
    PERFORM pg_notify(_channel, _node || ' users ' || names || ' ' || array_to_string(changed, ','));
END $$;

-- As before, but a user who erases everything stores nothing more.
CREATE OR REPLACE FUNCTION record_visits(_users int8[], _rooms int[], _seqs int8[], _at int8, _most int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    _inserted int8[];
BEGIN
    WITH inserted AS (
        INSERT INTO read_marker (user_id, room, seq, moved_at)
        SELECT DISTINCT ON (v.user_id, v.room) v.user_id, v.room, v.seq, _at
        FROM unnest(_users, _rooms, _seqs) AS v (user_id, room, seq)
        WHERE v.seq IS NOT NULL AND NOT erases(ARRAY[v.user_id]) ORDER BY v.user_id, v.room, v.seq
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

CREATE OR REPLACE FUNCTION set_display_name(_id int8, _name text, _skeleton text, _channel text, _node text, OUT names int8, OUT changed int8[])
LANGUAGE plpgsql AS $$
BEGIN
    IF erases(ARRAY[_id]) THEN RETURN; END IF;
    SELECT l.names_generation + 1 INTO names FROM log l FOR NO KEY UPDATE;
    changed := name_user(_id, _name, _skeleton, names);
    UPDATE log SET names_generation = names;
    PERFORM pg_notify(_channel, _node || ' users ' || names || ' ' || array_to_string(changed, ','));
END $$;

CREATE OR REPLACE FUNCTION create_device_link(_hash bytea, _user int8, _lifetime int8, _most int) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
    _at int8 := now_millis();
    _links int;
    _removed int;
BEGIN
    IF erases(ARRAY[_user]) THEN RETURN false; END IF;
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

-- As before, but a user who erases everything has no devices and no recovery code.
CREATE OR REPLACE FUNCTION record_device(
    _user int8, _id int8, _generation int8, _browser text, _system text, _most int, _channel text, _node text
) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
    _at int8 := now_millis();
    _erases bool := erases(ARRAY[_user]);  -- before the row of the user is locked
BEGIN
    UPDATE device SET seen_at = _at, browser = coalesce(_browser, browser), system = coalesce(_system, system)
    WHERE id = _id AND user_id = _user;
    IF FOUND OR _browser IS NULL THEN RETURN false; END IF;
    PERFORM FROM user_account u WHERE u.id = _user FOR NO KEY UPDATE;
    IF NOT FOUND OR _erases OR _generation < coalesce((SELECT s.generation FROM sign_out s WHERE s.user_id = _user), 0) THEN
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

CREATE OR REPLACE FUNCTION set_recovery_code(_user int8, _hash bytea) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
    _erases bool := erases(ARRAY[_user]);
BEGIN
    PERFORM FROM user_account u WHERE u.id = _user FOR NO KEY UPDATE;
    IF NOT FOUND OR _erases THEN RETURN false; END IF;
    INSERT INTO recovery_code AS c (user_id, hash, created_at) VALUES (_user, _hash, now_millis())
    ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at;
    RETURN true;
END $$;

-- As before; outcome 6: the user erases everything.
CREATE OR REPLACE FUNCTION append_each(
    _at int8, _rooms int[], _base int8[], _place int[], _id uuid[], _author int8[], _kind int2[], _text text[],
    _reply_to int8[], _target int8[],
    OUT seqs int8[], OUT ats int8[], OUT room_of text[], OUT outcome int2[]
) LANGUAGE plpgsql AS $$
DECLARE
    _known record;
    _last record;
    _room int;
    _seq int8;
    _of int8;
    _code int2;
    _erases bool := erases(_author);
BEGIN
    seqs := array_fill(NULL::int8, ARRAY[cardinality(_id)]);
    ats := seqs;
    room_of := array_fill(NULL::text, ARRAY[cardinality(_id)]);
    outcome := array_fill(0::int2, ARRAY[cardinality(_id)]);
    FOR _n IN 1 .. cardinality(_id) LOOP
        _code := 0;
        _room := _rooms[_place[_n]];
        _of := coalesce(_target[_n], _reply_to[_n]);
        IF _erases AND _kind[_n] IN (0, 1, 3) AND NOT EXISTS (SELECT FROM event e WHERE e.id = _id[_n])
            AND EXISTS (SELECT FROM erasure e WHERE e.user_id = _author[_n])
        THEN
            _code := 6;
        ELSIF _of IS NOT NULL AND NOT EXISTS (SELECT FROM event e WHERE e.id = _id[_n]) THEN
            SELECT e.author, r.owner, r.name INTO _known
            FROM event e JOIN room r ON r.id = e.room
            LEFT JOIN message_state s ON s.room = e.room AND s.seq = e.seq
            WHERE e.room = _room AND e.seq = _of AND e.kind = 0 AND (s.at IS NULL OR s.text IS NOT NULL);
            _code := CASE
                WHEN NOT FOUND THEN 3
                WHEN _kind[_n] IN (0, 3, 4) OR _known.author = _author[_n] THEN 0
                WHEN _kind[_n] = 2 AND (
                    _known.owner = _author[_n] OR rank_of(_author[_n], _room) > rank_of(_known.author, _room)
                ) THEN 0
                ELSE 4
            END;
            IF _code = 0 AND _kind[_n] > 2 THEN
                SELECT e.kind, e.seq INTO _last FROM event e
                WHERE e.room = _room AND e.target = _of AND e.author = _author[_n] AND e.text = _text[_n] AND e.kind > 2
                ORDER BY e.seq DESC LIMIT 1;
                IF coalesce(_last.kind, 4) = _kind[_n] THEN
                    _code := 1;
                    seqs[_n] := coalesce(_last.seq, _of);
                    ats[_n] := _at;
                    room_of[_n] := _known.name;
                ELSIF _kind[_n] = 3 AND has_all_reactions(_room, _of, _text[_n]) THEN
                    _code := 5;
                END IF;
            END IF;
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
                IF _kind[_n] IN (1, 2) THEN
                    PERFORM change_message(_room, _target[_n], _seq, _at, CASE WHEN _kind[_n] = 1 THEN _text[_n] END);
                ELSIF _kind[_n] > 2 THEN
                    PERFORM change_reactions(_room, _target[_n], _seq, _author[_n], _text[_n], _kind[_n] = 3);
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

CREATE OR REPLACE FUNCTION append_plain(
    _at int8, _rooms int[], _base int8[], _place int[], _k int[], _id uuid[], _author int8[], _kind int2[], _text text[],
    _reply_to int8[]
) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    IF 0 <> ANY (_kind) OR erases(_author) THEN RETURN false; END IF;
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
