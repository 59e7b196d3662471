-- Appends operations as the function without `_files` does. Messages show files, which their authors have claimed for them
-- or no command has. With a file that is not there, or that another command has claimed, nothing is appended, and the error
-- is 22HF1.
CREATE OR REPLACE FUNCTION append_events(
    _early bool, _rooms int[], _active int[], _place int[], _k int[],
    _id uuid[], _author int8[], _kind int2[], _text text[], _reply_to int8[], _target int8[],
    _visit bool[], _users int8[], _names text[], _skeletons text[],
    _names_generation int8, _markers_generation int8, _channel text, _node text, _most_markers int,
    _mentions text[],
    _files text[],  -- for each operation: the files of its message
    OUT at int8, OUT base int8[], OUT seqs int8[], OUT ats int8[], OUT room_of text[], OUT outcome int2[],
    OUT names int8, OUT markers int8,
    OUT user_ids int8[], OUT user_names text[], OUT user_ambiguous bool[], OUT user_numbers int8[], OUT changed int8[]
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    _room int;
    _seq int8;
    _shown uuid[];
    _posted int;
BEGIN
    SELECT a.at, a.base, a.seqs, a.ats, a.room_of, a.outcome, a.names, a.markers,
        a.user_ids, a.user_names, a.user_ambiguous, a.user_numbers, a.changed
    INTO at, base, seqs, ats, room_of, outcome, names, markers,
        user_ids, user_names, user_ambiguous, user_numbers, changed
    FROM append_events(
        _early, _rooms, _active, _place, _k, _id, _author, _kind, _text, _reply_to, _target, _visit, _users, _names,
        _skeletons, _names_generation, _markers_generation, _channel, _node, _most_markers, _mentions
    ) a;
    FOR _n IN 1 .. cardinality(_id) LOOP
        CONTINUE WHEN _files[_n] IS NULL;
        _room := _rooms[_place[_n]];
        _seq := CASE WHEN base IS NOT NULL THEN base[_place[_n]] + _k[_n] WHEN outcome[_n] = 0 THEN seqs[_n] END;
        -- A later operation of the same batch may have deleted the message.
        CONTINUE WHEN _seq IS NULL OR NOT EXISTS (
            SELECT FROM event e WHERE e.room = _room AND e.seq = _seq AND e.text <> ''
        );
        _shown := ARRAY(SELECT (f ->> 'id')::uuid FROM jsonb_array_elements(_files[_n]::jsonb) f);
        -- Changes of files wait for this one.
        PERFORM FROM file_usage FOR UPDATE;
        UPDATE file f SET message = _id[_n], posted = true
        WHERE f.id = ANY (_shown) AND f.owner = _author[_n] AND NOT f.posted
            AND (f.message = _id[_n] OR f.message IS NULL);
        GET DIAGNOSTICS _posted = ROW_COUNT;
        IF _posted < cardinality(_shown) THEN
            RAISE EXCEPTION 'a file of the message is not there' USING ERRCODE = '22HF1';
        END IF;
        UPDATE event e SET files = _files[_n] WHERE e.room = _room AND e.seq = _seq;
    END LOOP;
END $$;
