-- The words and marks of messages, newest with the highest id. The ids have no meaning but their order and no large gaps, so
-- that a search goes back in ranges of them. `words` has beside the words of the text, with their positions, the marks of the
-- message, and the ranges in which its id is: b12: 4,096 ids, b17: 131,072, b22: 4,194,304. GIN cannot sort; so a range is a
-- token like others. A message without words keeps its row.
CREATE TABLE search_message (
    id    int8     PRIMARY KEY,
    room  int      NOT NULL,
    seq   int8     NOT NULL,
    at    int8     NOT NULL,
    words tsvector NOT NULL
);
CREATE UNIQUE INDEX search_message_by_event ON search_message (room, seq);
CREATE INDEX search_message_by_words ON search_message USING gin (words) WITH (gin_pending_list_limit = 512);

-- Up to which event each room is indexed.
CREATE TABLE search_room (
    room int  PRIMARY KEY,
    seq  int8 NOT NULL
);

-- One row: its lock lets one server after the other index. `scanned` is the last room that was looked at; rooms that grow are
-- looked at anyway, and this finds those of which no server has heard.
CREATE TABLE search_state (
    singleton bool PRIMARY KEY DEFAULT true CHECK (singleton),
    version   int8 NOT NULL,
    next_id   int8 NOT NULL,
    scanned   int  NOT NULL
);
INSERT INTO search_state (version, next_id, scanned) VALUES (0, 1, 0);

-- Messages from before the index, in the order of their times: their places in it, until they are indexed.
CREATE TABLE search_backlog (
    id   int8 PRIMARY KEY,
    room int  NOT NULL,
    seq  int8 NOT NULL
);

-- Messages whose text has changed since, perhaps while they were indexed: they are indexed again.
CREATE TABLE search_change (
    id   int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room int  NOT NULL,
    seq  int8 NOT NULL
);

-- Takes a message out of the index in the transaction that changes its text or removes it.
CREATE FUNCTION search_text_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE search_message s SET words = '' WHERE s.room = OLD.room AND s.seq = OLD.seq;
    INSERT INTO search_change (room, seq) VALUES (OLD.room, OLD.seq);
    RETURN NULL;
END $$;
CREATE TRIGGER search_text_changed AFTER UPDATE OF text ON event FOR EACH ROW
WHEN (OLD.kind = 0 AND OLD.text IS DISTINCT FROM NEW.text) EXECUTE FUNCTION search_text_changed();

CREATE FUNCTION search_room_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM search_message s WHERE s.room = OLD.id;
    DELETE FROM search_backlog b WHERE b.room = OLD.id;
    DELETE FROM search_room r WHERE r.room = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER search_room_removed AFTER DELETE ON room FOR EACH ROW EXECUTE FUNCTION search_room_removed();
CREATE INDEX search_backlog_by_room ON search_backlog (room);

-- Lists everything that belongs into the index, which is empty. The caller holds the row of search_state.
CREATE FUNCTION begin_search_index(_version int8) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = on SET enable_sort = on SET enable_hashjoin = on AS $$
BEGIN
    -- One statement sees one state: what is committed later has a higher seq.
    WITH listed AS (
        INSERT INTO search_backlog (id, room, seq)
        SELECT row_number() OVER (ORDER BY e.at, e.room, e.seq), e.room, e.seq
        FROM event e WHERE e.kind = 0 AND e.text <> ''
    )
    INSERT INTO search_room (room, seq) SELECT e.room, max(e.seq) FROM event e GROUP BY e.room;
    UPDATE search_state SET version = _version, scanned = 0, next_id = coalesce((SELECT max(b.id) FROM search_backlog b), 0) + 1;
END $$;

-- Returns events that are not in the index: first those of some rooms, then of rooms in turn, then those of the backlog, newest
-- first. `id` is the place of one of the backlog. The caller holds the row of search_state.
CREATE FUNCTION unindexed_events(_names text[], _scan int, _most int)
RETURNS TABLE (id int8, room int, seq int8, name text, private bool, author int8, at int8, text text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    _rooms int[];
    _found int := 0;
    _room int;
    _from int;
    _next int;
    _rows int;
BEGIN
    SELECT array_agg(r.id ORDER BY r.id) INTO _rooms FROM unnest(_names) AS n (name) JOIN room r ON r.name = n.name;
    SELECT s.scanned INTO _from FROM search_state s;
    SELECT coalesce(_rooms, '{}') || coalesce(array_agg(n.id ORDER BY n.id), '{}'), coalesce(max(n.id), 0), count(*)
    INTO _rooms, _room, _rows FROM (SELECT r.id FROM room r WHERE r.id > _from ORDER BY r.id LIMIT _scan) n;
    _next := CASE WHEN _rows < _scan THEN 0 ELSE _room END;
    FOREACH _room IN ARRAY _rooms LOOP
        EXIT WHEN _found >= _most;
        RETURN QUERY SELECT NULL::int8, e.room, e.seq, r.name, r.private, e.author, e.at, CASE WHEN e.kind = 0 THEN e.text ELSE '' END
        FROM event e JOIN room r ON r.id = e.room
        WHERE e.room = _room AND e.seq > coalesce((SELECT s.seq FROM search_room s WHERE s.room = _room), 0)
        ORDER BY e.seq LIMIT _most - _found;
        GET DIAGNOSTICS _rows = ROW_COUNT;
        _found := _found + _rows;
    END LOOP;
    IF _found < _most THEN UPDATE search_state SET scanned = _next WHERE scanned <> _next; END IF;
    IF _found = 0 THEN
        RETURN QUERY SELECT b.id, b.room, b.seq, r.name, r.private, e.author, e.at, CASE WHEN e.kind = 0 THEN e.text ELSE '' END
        FROM (SELECT * FROM search_backlog l ORDER BY l.id DESC LIMIT _most) b
        JOIN room r ON r.id = b.room JOIN event e ON e.room = b.room AND e.seq = b.seq;
    END IF;
END $$;

-- Adds messages to the index and says up to where its rooms are indexed. The caller holds the row of search_state.
CREATE FUNCTION index_messages(
    _ids int8[], _rooms int[], _seqs int8[], _ats int8[], _words text[], _next_id int8,
    _room_ids int[], _room_seqs int8[], _backlog int8[]
) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_message (id, room, seq, at, words)
    SELECT m.id, m.room, m.seq, m.at, m.words::tsvector FROM unnest(_ids, _rooms, _seqs, _ats, _words) AS m (id, room, seq, at, words)
    ON CONFLICT DO NOTHING;
    INSERT INTO search_room AS s (room, seq) SELECT r.room, r.seq FROM unnest(_room_ids, _room_seqs) AS r (room, seq)
    ON CONFLICT (room) DO UPDATE SET seq = greatest(s.seq, excluded.seq);
    DELETE FROM search_backlog b WHERE b.id = ANY (_backlog);
    UPDATE search_state SET next_id = _next_id WHERE next_id < _next_id;
    RETURN true;
END $$;

-- Returns the messages before an id that have `_words`, newest first, from the range of ids that begins at `_from`. `_range` is
-- the token of a range of ids in which all of them are; NULL if all ids are. The ids must not look like a condition for an index: that on the words is
-- the one to use.
CREATE FUNCTION search_range(_words tsquery, _range text, _from int8, _before int8, _most int)
RETURNS TABLE (id int8, room int, seq int8) LANGUAGE plpgsql STABLE ROWS 20
SET enable_bitmapscan = on SET enable_sort = on SET enable_indexscan = off SET enable_indexonlyscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT s.id, s.room, s.seq FROM search_message s
    WHERE s.words @@ CASE WHEN _range IS NULL THEN _words ELSE _words && _range::tsquery END AND s.id + 0 >= _from AND s.id + 0 < _before ORDER BY s.id DESC LIMIT _most;
END $$;

-- Returns the id from which on the messages are at a time or later, before an id.
CREATE FUNCTION search_id_at(_time int8, _end int8) RETURNS int8 LANGUAGE plpgsql STABLE AS $$
DECLARE
    _low int8 := 0;
    _high int8 := _end;
    _middle int8;
    _at int8;
BEGIN
    WHILE _low < _high LOOP
        _middle := (_low + _high) / 2;
        SELECT s.at INTO _at FROM search_message s WHERE s.id >= _middle ORDER BY s.id LIMIT 1;
        IF FOUND AND _at < _time THEN _low := _middle + 1; ELSE _high := _middle; END IF;
    END LOOP;
    RETURN _low;
END $$;

-- Searches for messages with `_words`, newest first: at most `_most`, after `_room` and `_seq` if they are given, posted from
-- `_since` on and before `_until`. Goes back in ranges that grow: so a word that is everywhere is found in the newest ids, and
-- a rare one with few look-ups. `partial`: it gave up after `_reach` ids, or after the range in which `_millis` were over.
CREATE FUNCTION search_messages(
    _words tsquery, _name text, _seq int8, _since int8, _until int8, _most int, _reach int8, _millis int
) RETURNS TABLE (id int8, room int, seq int8, partial bool) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    _last int8 := coalesce((SELECT max(s.id) FROM search_message s), 0);
    _end int8 := _last + 1;
    _first int8 := 0;
    _stop int8;
    _from int8;
    _shift int;
    _step int := 0;
    _found int := 0;
    _rows int;
    _deadline timestamptz := clock_timestamp() + _millis * interval '1 ms';
BEGIN
    IF _name IS NOT NULL THEN
        SELECT s.id INTO _end FROM search_message s JOIN room r ON r.id = s.room WHERE r.name = _name AND s.seq = _seq;
        IF NOT FOUND THEN RETURN; END IF;
    END IF;
    IF _until IS NOT NULL THEN _end := search_id_at(_until, _end); END IF;
    IF _since IS NOT NULL THEN _first := search_id_at(_since, _end); END IF;
    _stop := greatest(_first, _end - _reach);
    WHILE _end > _stop AND _found < _most LOOP
        _shift := CASE WHEN _step < 2 THEN 12 WHEN _step < 4 THEN 17 ELSE 22 END;
        _from := greatest(((_end - 1) >> _shift) << _shift, _first);
        RETURN QUERY SELECT f.id, f.room, f.seq, false
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
    IF _found < _most AND _end > _first THEN RETURN QUERY SELECT 0::int8, 0, 0::int8, true; END IF;
END $$;
