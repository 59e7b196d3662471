-- The networks from which users came last, for moderators who remove a user with their network. The rows are kept for a day.
CREATE UNLOGGED TABLE recent_network (
    user_id int8 PRIMARY KEY,
    network text NOT NULL,
    seen_at int8 NOT NULL
);
CREATE INDEX recent_network_by_time ON recent_network (seen_at);
