-- Reactions are events of their own: kind 3 gives one to the message, the target, and kind 4 takes it back; the text is the
-- emoji. Such an event exists only if it changed something, so that the newest one says whether a user has given an emoji.
CREATE INDEX event_by_reaction ON event (room, target, author, text, seq) WHERE kind > 2;

-- What these events make of a message.
CREATE TABLE reactions (
    room    int  NOT NULL,
    seq     int8 NOT NULL,  -- the message's
    last    int8 NOT NULL,  -- the seq of the last event
    summary text NOT NULL,  -- JSON: for each emoji [emoji, number of users, [ids of the first ones]]
    PRIMARY KEY (room, seq)
);

-- The edits of a message, without its reactions: only the newest edit has a text.
DROP INDEX event_by_target;
CREATE INDEX event_by_target ON event (room, target, seq) WHERE kind = 1;

-- Carries out an edit or a delete: brings the state of the message up to it. The text before is purged, also from past
-- events. Touches a constant number of rows, because only the newest edit of a message has a text.
CREATE OR REPLACE FUNCTION change_message(_room int, _target int8, _seq int8, _at int8, _text text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO message_state (room, seq, at, text) VALUES (_room, _target, _at, _text)
    ON CONFLICT (room, seq) DO UPDATE SET at = excluded.at, text = excluded.text;
    UPDATE event SET text = coalesce(_text, '') WHERE room = _room AND seq = _target;
    UPDATE event SET text = '' WHERE room = _room AND seq = (
        SELECT e.seq FROM event e
        WHERE e.room = _room AND e.target = _target AND e.kind = 1 AND e.seq < _seq ORDER BY e.seq DESC LIMIT 1
    );
    IF _text IS NULL THEN DELETE FROM reactions WHERE room = _room AND seq = _target; END IF;
END $$;

-- Carries out a reaction that changes something, the event at `_seq`. An emoji lists its first 10 users
-- (MAX_LISTED_REACTORS).
CREATE FUNCTION change_reactions(_room int, _target int8, _seq int8, _author int8, _emoji text, _on bool) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    _summary jsonb;
    _at int;
    _users int;
    _by jsonb;
BEGIN
    SELECT r.summary::jsonb INTO _summary FROM reactions r WHERE r.room = _room AND r.seq = _target;
    _summary := coalesce(_summary, '[]');
    SELECT i.o - 1, (i.item ->> 1)::int, i.item -> 2 INTO _at, _users, _by
    FROM jsonb_array_elements(_summary) WITH ORDINALITY AS i (item, o) WHERE i.item ->> 0 = _emoji;
    IF _at IS NULL THEN
        _at := jsonb_array_length(_summary);
        _users := 0;
        _by := '[]';
    END IF;
    IF _on THEN
        _users := _users + 1;
        IF jsonb_array_length(_by) < 10 THEN _by := _by || jsonb_build_array(_author); END IF;
    ELSE
        _users := _users - 1;
        _by := coalesce((
            SELECT jsonb_agg(b.id ORDER BY b.o) FROM jsonb_array_elements(_by) WITH ORDINALITY AS b (id, o)
            WHERE b.id <> to_jsonb(_author)
        ), '[]');
    END IF;
    IF _users > 0 THEN
        _summary := jsonb_set(_summary, ARRAY[_at::text], jsonb_build_array(_emoji, _users, _by));
    ELSE
        _summary := _summary - _at;
    END IF;
    INSERT INTO reactions (room, seq, last, summary) VALUES (_room, _target, _seq, _summary::text)
    ON CONFLICT (room, seq) DO UPDATE SET last = excluded.last, summary = excluded.summary;
END $$;

-- Returns whether a reaction would be one emoji too many: a message has 20 (MAX_REACTIONS).
CREATE FUNCTION has_all_reactions(_room int, _target int8, _emoji text) RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT jsonb_array_length(r.summary::jsonb) >= 20
            AND NOT EXISTS (SELECT FROM jsonb_array_elements(r.summary::jsonb) i WHERE i ->> 0 = _emoji)
        FROM reactions r WHERE r.room = _room AND r.seq = _target
    ), false)
$$;

-- Appends operations one after the other: each sees what those before it have done. `outcome`: 0 appended, 1 a repeat or a
-- reaction that is as it should be, 2 another user has used the id, 3 no such message, 4 not allowed, 5 too many reactions.
-- The rules are those of store/rules.rs.
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
            SELECT e.author, r.owner, r.name INTO _known
            FROM event e JOIN room r ON r.id = e.room
            LEFT JOIN message_state s ON s.room = e.room AND s.seq = e.seq
            WHERE e.room = _room AND e.seq = _of AND e.kind = 0 AND (s.at IS NULL OR s.text IS NOT NULL);
            _code := CASE
                WHEN NOT FOUND THEN 3
                WHEN _kind[_n] IN (0, 3, 4) OR _known.author = _author[_n] THEN 0
                WHEN _kind[_n] = 2 AND _known.owner = _author[_n] THEN 0
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
