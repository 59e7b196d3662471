-- Whom the text of an event addresses: for each user a line with their id (16 hexadecimal digits) and the name that stands
-- after @ in the text; without a name the author of the message that this one replies to. NULL for nobody.
ALTER TABLE event ADD COLUMN mentions text;

-- The messages that address users, so that unread ones are counted. Follows from the column.
CREATE TABLE mention (
    user_id int8 NOT NULL,
    room    int  NOT NULL,
    seq     int8 NOT NULL,
    PRIMARY KEY (user_id, room, seq)
);
CREATE INDEX mention_by_message ON mention (room, seq);

-- Returns the users of a column `mentions` but the author, each once.
CREATE FUNCTION mentioned_users(_mentions text, _author int8) RETURNS SETOF int8 LANGUAGE sql IMMUTABLE AS $$
    SELECT DISTINCT m.id FROM (
        SELECT ('x' || left(l, 16))::bit(64)::int8 AS id FROM string_to_table(_mentions, E'\n') AS l
    ) m WHERE m.id <> _author
$$;

-- Appends operations as the function without `_mentions` does, and records whom each addresses. A server of an earlier version
-- calls that one: what it edits keeps the mentions, of which those are shown whose names stand in the new text.
CREATE FUNCTION append_events(
    _early bool, _rooms int[], _active int[], _place int[], _k int[],
    _id uuid[], _author int8[], _kind int2[], _text text[], _reply_to int8[], _target int8[],
    _visit bool[], _users int8[], _names text[], _skeletons text[],
    _names_generation int8, _markers_generation int8, _channel text, _node text, _most_markers int,
    _mentions text[],  -- for each operation: whom its text addresses
    OUT at int8, OUT base int8[], OUT seqs int8[], OUT ats int8[], OUT room_of text[], OUT outcome int2[],
    OUT names int8, OUT markers int8,
    OUT user_ids int8[], OUT user_names text[], OUT user_ambiguous bool[], OUT user_numbers int8[], OUT changed int8[]
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    _room int;
    _seq int8;
    _message int8;
BEGIN
    SELECT a.at, a.base, a.seqs, a.ats, a.room_of, a.outcome, a.names, a.markers,
        a.user_ids, a.user_names, a.user_ambiguous, a.user_numbers, a.changed
    INTO at, base, seqs, ats, room_of, outcome, names, markers,
        user_ids, user_names, user_ambiguous, user_numbers, changed
    FROM append_events(
        _early, _rooms, _active, _place, _k, _id, _author, _kind, _text, _reply_to, _target, _visit, _users, _names,
        _skeletons, _names_generation, _markers_generation, _channel, _node, _most_markers
    ) a;
    FOR _n IN 1 .. cardinality(_id) LOOP
        -- Reactions change no text.
        CONTINUE WHEN _mentions[_n] IS NULL AND _kind[_n] = 0 OR _kind[_n] > 2;
        _room := _rooms[_place[_n]];
        _seq := CASE WHEN base IS NOT NULL THEN base[_place[_n]] + _k[_n] WHEN outcome[_n] = 0 THEN seqs[_n] END;
        CONTINUE WHEN _seq IS NULL;
        _message := _seq;
        IF _kind[_n] <> 0 THEN
            -- The text before is gone, and so are the names in it: of the message and of the edit before.
            _message := _target[_n];
            DELETE FROM mention m WHERE m.room = _room AND m.seq = _message;
            UPDATE event e SET mentions = NULL WHERE e.room = _room AND e.mentions IS NOT NULL AND e.seq IN (
                _message, (
                    SELECT p.seq FROM event p
                    WHERE p.room = _room AND p.target = _message AND p.kind = 1 AND p.seq < _seq
                    ORDER BY p.seq DESC LIMIT 1
                )
            );
        END IF;
        -- A later operation of the same batch may have changed the text.
        IF _mentions[_n] IS NOT NULL AND EXISTS (
            SELECT FROM event e WHERE e.room = _room AND e.seq = _seq AND e.text <> ''
        ) THEN
            UPDATE event e SET mentions = _mentions[_n] WHERE e.room = _room AND e.seq IN (_seq, _message);
            INSERT INTO mention (user_id, room, seq)
            SELECT u.id, _room, _message FROM mentioned_users(_mentions[_n], _author[_n]) AS u (id)
            ON CONFLICT DO NOTHING;
        END IF;
    END LOOP;
END $$;
