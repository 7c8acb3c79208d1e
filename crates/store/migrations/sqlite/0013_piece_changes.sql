-- Who keeps pieces in memory hears when any of them changes. They are few and read together: one row stands for all.
CREATE TRIGGER piece_made AFTER INSERT ON pieces BEGIN
    DELETE FROM changes WHERE uid = '00000000-0000-0000-0000-000000000000';
    INSERT INTO changes (what, uid) VALUES ('pieces', '00000000-0000-0000-0000-000000000000');
END;
CREATE TRIGGER piece_changed AFTER UPDATE ON pieces BEGIN
    DELETE FROM changes WHERE uid = '00000000-0000-0000-0000-000000000000';
    INSERT INTO changes (what, uid) VALUES ('pieces', '00000000-0000-0000-0000-000000000000');
END;
CREATE TRIGGER piece_gone AFTER DELETE ON pieces BEGIN
    DELETE FROM changes WHERE uid = '00000000-0000-0000-0000-000000000000';
    INSERT INTO changes (what, uid) VALUES ('pieces', '00000000-0000-0000-0000-000000000000');
END;
