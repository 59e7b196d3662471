-- Which users are present on which server. A crash of the database empties both tables; each server writes its part again.

CREATE UNLOGGED TABLE node (
    name       text PRIMARY KEY COLLATE "C",
    expires_at int8 NOT NULL  -- the server is gone unless it has renewed this
);

CREATE UNLOGGED TABLE presence (
    room    text NOT NULL COLLATE "C",
    user_id int8 NOT NULL,
    node    text NOT NULL COLLATE "C",
    PRIMARY KEY (room, user_id, node)
);
CREATE INDEX presence_by_node ON presence (node);
