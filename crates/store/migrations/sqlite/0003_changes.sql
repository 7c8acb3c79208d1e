-- What changed, in the order of the commits: one row a record, moved to the end by every change of it. Whoever keeps
-- records in memory asks for what came after the last number it knows. Triggers write it: no transaction can forget.
CREATE TABLE changes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    what     TEXT    NOT NULL,
    uid      TEXT    NOT NULL UNIQUE
) STRICT;

-- Up to here rows were dropped: whoever knows less reads everything.
ALTER TABLE installation ADD COLUMN changes_dropped INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER connection_made AFTER INSERT ON connections BEGIN
    DELETE FROM changes WHERE uid = NEW.uid;
    INSERT INTO changes (what, uid) VALUES ('connection', NEW.uid);
END;
CREATE TRIGGER connection_changed AFTER UPDATE ON connections BEGIN
    DELETE FROM changes WHERE uid = NEW.uid;
    INSERT INTO changes (what, uid) VALUES ('connection', NEW.uid);
END;
CREATE TRIGGER connection_gone AFTER DELETE ON connections BEGIN
    DELETE FROM changes WHERE uid = OLD.uid;
    INSERT INTO changes (what, uid) VALUES ('connection', OLD.uid);
END;
CREATE TRIGGER resource_made AFTER INSERT ON resources BEGIN
    DELETE FROM changes WHERE uid = NEW.uid;
    INSERT INTO changes (what, uid) VALUES ('resource', NEW.uid);
END;
CREATE TRIGGER resource_changed AFTER UPDATE ON resources BEGIN
    DELETE FROM changes WHERE uid = NEW.uid;
    INSERT INTO changes (what, uid) VALUES ('resource', NEW.uid);
END;
CREATE TRIGGER resource_gone AFTER DELETE ON resources BEGIN
    DELETE FROM changes WHERE uid = OLD.uid;
    INSERT INTO changes (what, uid) VALUES ('resource', OLD.uid);
END;
CREATE TRIGGER operation_made AFTER INSERT ON operations BEGIN
    DELETE FROM changes WHERE uid = NEW.id;
    INSERT INTO changes (what, uid) VALUES ('operation', NEW.id);
END;
CREATE TRIGGER operation_changed AFTER UPDATE OF state ON operations WHEN OLD.state <> NEW.state BEGIN
    DELETE FROM changes WHERE uid = NEW.id;
    INSERT INTO changes (what, uid) VALUES ('operation', NEW.id);
END;
