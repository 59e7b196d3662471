-- Marks a message and all later ones as unread: moves the read marker of a user to the event before it, also back, or to the
-- end of the room if that is before. Returns the new position, NULL for a marker that stays, and -1 for a room that does not
-- exist.
CREATE FUNCTION mark_unread(_user int8, _name text, _seq int8, _most int) RETURNS int8 LANGUAGE plpgsql AS $$
DECLARE
    _at int8 := now_millis();
    _room int;
    _head int8;
    _to int8;
BEGIN
    SELECT r.id, coalesce((SELECT max(e.seq) FROM event e WHERE e.room = r.id), 0)
    INTO _room, _head FROM room r WHERE r.name = _name;
    IF NOT FOUND THEN RETURN CASE WHEN _name = 'lobby' THEN NULL ELSE -1 END; END IF;
    _to := least(greatest(_seq - 1, 0), _head);
    UPDATE read_marker SET seq = _to, moved_at = _at WHERE user_id = _user AND room = _room AND seq <> _to;
    IF FOUND THEN RETURN _to; END IF;
    IF EXISTS (SELECT FROM read_marker m WHERE m.user_id = _user AND m.room = _room) THEN RETURN NULL; END IF;
    PERFORM record_visits(ARRAY[_user], ARRAY[_room], ARRAY[_to], _at, _most);
    RETURN _to;
END $$;
