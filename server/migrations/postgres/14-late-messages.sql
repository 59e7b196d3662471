-- Late messages: those that were posted more than 10 s before one that the index had already, as an import brings them. Their
-- ids are negative and have no order; instead of ranges of ids they have ranges of their times as tokens: t16: 65 s, t21: 35
-- minutes, t26: 19 hours, t31: 25 days, t36: 2 years. All other messages have positive ids, in the order of `at`: which is the
-- time of the message, or that of the message before it if that is later.
ALTER TABLE search_state
    ADD COLUMN last_at   int8 NOT NULL DEFAULT 0,                     -- the time of the message with the highest id
    ADD COLUMN next_late int8 NOT NULL DEFAULT -4611686018427387904;
CREATE INDEX search_message_late ON search_message (at, id) WHERE id < 0;

-- The index is built again.
UPDATE search_state SET version = 0;

-- Lists everything that belongs into the index, which is empty. The caller holds the row of search_state.
CREATE OR REPLACE FUNCTION begin_search_index(_version int8) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = on SET enable_sort = on SET enable_hashjoin = on AS $$
BEGIN
    -- One statement sees one state: what is committed later has a higher seq.
    WITH listed AS (
        INSERT INTO search_backlog (id, room, seq)
        SELECT row_number() OVER (ORDER BY e.at, e.room, e.seq), e.room, e.seq
        FROM event e WHERE e.kind = 0 AND e.text <> ''
    )
    INSERT INTO search_room (room, seq) SELECT e.room, max(e.seq) FROM event e GROUP BY e.room;
    UPDATE search_state SET version = _version, scanned = 0, next_late = DEFAULT,
        next_id = coalesce((SELECT max(b.id) FROM search_backlog b), 0) + 1,
        last_at = coalesce((
            SELECT e.at FROM search_backlog b JOIN event e ON e.room = b.room AND e.seq = b.seq ORDER BY b.id DESC LIMIT 1
        ), 0);
END $$;

-- Adds messages to the index and says up to where its rooms are indexed. The caller holds the row of search_state.
CREATE OR REPLACE FUNCTION index_messages(
    _ids int8[], _rooms int[], _seqs int8[], _ats int8[], _words text[], _next_id int8,
    _room_ids int[], _room_seqs int8[], _backlog int8[]
) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
    _last_at int8;
    _last_late int8;
BEGIN
    INSERT INTO search_message (id, room, seq, at, words)
    SELECT m.id, m.room, m.seq, m.at, m.words::tsvector FROM unnest(_ids, _rooms, _seqs, _ats, _words) AS m (id, room, seq, at, words)
    ON CONFLICT DO NOTHING;
    INSERT INTO search_room AS s (room, seq) SELECT r.room, r.seq FROM unnest(_room_ids, _room_seqs) AS r (room, seq)
    ON CONFLICT (room) DO UPDATE SET seq = greatest(s.seq, excluded.seq);
    DELETE FROM search_backlog b WHERE b.id = ANY (_backlog);
    SELECT max(m.at) FILTER (WHERE m.id > 0), max(m.id) FILTER (WHERE m.id < 0) INTO _last_at, _last_late
    FROM unnest(_ids, _ats) AS m (id, at);
    UPDATE search_state SET next_id = greatest(next_id, _next_id), last_at = greatest(last_at, _last_at),
        next_late = greatest(next_late, _last_late + 1);
    RETURN true;
END $$;

-- Searches for messages with `_words` that are not late, from `_first` on and before `_end`, newest first. Goes back in ranges
-- that grow: so a word that is everywhere is found in the newest ids, and a rare one with few look-ups. `partial`: it gave up
-- at this time, after `_reach` ids or after the range in which the deadline was.
CREATE FUNCTION search_in_order(_words tsquery, _first int8, _end int8, _last int8, _most int, _reach int8, _deadline timestamptz)
RETURNS TABLE (id int8, room int, seq int8, at int8, partial bool) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    _stop int8 := greatest(_first, _end - _reach);
    _from int8;
    _shift int;
    _step int := 0;
    _found int := 0;
    _rows int;
BEGIN
    WHILE _end > _stop AND _found < _most LOOP
        _shift := CASE WHEN _step < 2 THEN 12 WHEN _step < 4 THEN 17 ELSE 22 END;
        _from := greatest(((_end - 1) >> _shift) << _shift, _first);
        RETURN QUERY SELECT f.id, f.room, f.seq, (SELECT s.at FROM search_message s WHERE s.id = f.id), false
        FROM search_range(
            _words, CASE WHEN _shift < 22 OR _last >> 22 > 0 THEN '''b' || _shift || ':' || ((_end - 1) >> _shift) || '''' END,
            _from, _end, _most - _found
        ) f;
        GET DIAGNOSTICS _rows = ROW_COUNT;
        _found := _found + _rows;
        _end := _from;
        _step := _step + 1;
        EXIT WHEN clock_timestamp() >= _deadline;
    END LOOP;
    IF _found < _most AND _end > _first THEN
        RETURN QUERY SELECT 0::int8, 0, 0::int8, s.at, true FROM search_message s WHERE s.id >= _end ORDER BY s.id LIMIT 1;
    END IF;
END $$;

-- Returns late messages that have `_words`, newest first, from the range of times `_range`, from `_since` on and before
-- `_before_at` and `_before_id`. As in `search_range`, the index on the words is the one to use.
CREATE FUNCTION search_late_range(_words tsquery, _range text, _since int8, _before_at int8, _before_id int8, _most int)
RETURNS TABLE (id int8, room int, seq int8, at int8) LANGUAGE plpgsql STABLE ROWS 20
SET enable_bitmapscan = on SET enable_sort = on SET enable_indexscan = off SET enable_indexonlyscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT s.id, s.room, s.seq, s.at FROM search_message s
    WHERE s.words @@ (_words && _range::tsquery) AND s.at + 0 >= _since
        AND (s.at + 0 < _before_at OR s.at + 0 = _before_at AND s.id + 0 < _before_id)
    ORDER BY s.at DESC, s.id DESC LIMIT _most;
END $$;

-- Searches for late messages with `_words`, from `_since` on and before `_before_at` and `_before_id`, newest first. Goes back
-- in ranges of time that grow, and leaves out times without late messages. `partial`: it gave up at this time.
CREATE FUNCTION search_late(
    _words tsquery, _since int8, _before_at int8, _before_id int8, _most int, _deadline timestamptz
) RETURNS TABLE (id int8, room int, seq int8, at int8, partial bool) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    _newest int8;
    _shift int;
    _step int := 0;
    _found int := 0;
    _rows int;
BEGIN
    WHILE _found < _most LOOP
        SELECT s.at INTO _newest FROM search_message s
        WHERE s.id < 0 AND (s.at, s.id) < (_before_at, _before_id) ORDER BY s.at DESC, s.id DESC LIMIT 1;
        EXIT WHEN NOT FOUND OR _newest < _since;
        IF _step > 0 AND clock_timestamp() >= _deadline THEN
            RETURN QUERY SELECT 0::int8, 0, 0::int8, _before_at, true;
            EXIT;
        END IF;
        _shift := CASE WHEN _step < 2 THEN 16 WHEN _step < 4 THEN 21 WHEN _step < 6 THEN 26 WHEN _step < 8 THEN 31 ELSE 36 END;
        RETURN QUERY SELECT f.id, f.room, f.seq, f.at, false
        FROM search_late_range(
            _words, '''t' || _shift || ':' || (_newest >> _shift) || '''', _since, _before_at, _before_id, _most - _found
        ) f;
        GET DIAGNOSTICS _rows = ROW_COUNT;
        _found := _found + _rows;
        _before_at := greatest((_newest >> _shift) << _shift, _since);
        _before_id := -9223372036854775808;
        _step := _step + 1;
    END LOOP;
END $$;

-- Searches for messages with `_words`: the newest `_most` in the order of `at`, and those that are not late before the late
-- ones of the same time. Others may be among the rows; what sorts after a row with `partial` may lack messages. The messages
-- are older than that of `_name` and `_seq` if these are given, and posted from `_since` on and before `_until`, or up to 10 s
-- outside of these times. `_reach` are ids, `_millis` the time after which it gives up.
CREATE FUNCTION search_newest(
    _words tsquery, _name text, _seq int8, _since int8, _until int8, _most int, _reach int8, _millis int
) RETURNS TABLE (id int8, room int, seq int8, at int8, partial bool) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    _deadline timestamptz := clock_timestamp() + _millis * interval '1 ms';
    _last int8 := greatest(coalesce((SELECT max(s.id) FROM search_message s), 0), 0);
    _end int8 := _last + 1;
    _first int8 := 0;
    _late_at int8 := coalesce(_until, 9223372036854775807);
    _late_id int8 := -9223372036854775808;
    _late_since int8 := coalesce(_since, 0);
    _rows int := 0;
    _id int8;
    _at int8;
    _row record;
BEGIN
    IF _name IS NOT NULL THEN
        SELECT s.id, s.at INTO _id, _at FROM search_message s JOIN room r ON r.id = s.room WHERE r.name = _name AND s.seq = _seq;
        IF NOT FOUND THEN RETURN; END IF;
        IF _id > 0 THEN
            _end := _id;
            _late_at := least(_late_at, _at + 1);
        ELSE
            _end := search_id_at(_at, _end);
            IF _at < _late_at THEN _late_at := _at; _late_id := _id; END IF;
        END IF;
    END IF;
    IF _until < 9223372036854765807 THEN _end := search_id_at(_until + 10000, _end); END IF;
    IF _since IS NOT NULL THEN _first := search_id_at(_since, _end); END IF;
    FOR _row IN SELECT * FROM search_in_order(_words, _first, _end, _last, _most, _reach, _deadline) LOOP
        _rows := _rows + 1;
        id := _row.id; room := _row.room; seq := _row.seq; at := _row.at; partial := _row.partial;
        _at := least(CASE WHEN _rows > 1 THEN _at END, at);
        RETURN NEXT;
    END LOOP;
    -- No older late message is among the newest ones then.
    IF _rows >= _most OR partial THEN _late_since := greatest(_late_since, _at); END IF;
    RETURN QUERY SELECT f.id, f.room, f.seq, f.at, f.partial
    FROM search_late(_words, _late_since, _late_at, _late_id, _most, _deadline) f;
END $$;
