-- Who keeps API tokens in memory hears of one that is made or revoked, as of every other record.
CREATE TRIGGER api_token_made AFTER INSERT ON api_tokens BEGIN
    DELETE FROM changes WHERE uid = NEW.uid;
    INSERT INTO changes (what, uid) VALUES ('api token', NEW.uid);
END;
CREATE TRIGGER api_token_changed AFTER UPDATE ON api_tokens BEGIN
    DELETE FROM changes WHERE uid = NEW.uid;
    INSERT INTO changes (what, uid) VALUES ('api token', NEW.uid);
END;
CREATE TRIGGER api_token_gone AFTER DELETE ON api_tokens BEGIN
    DELETE FROM changes WHERE uid = OLD.uid;
    INSERT INTO changes (what, uid) VALUES ('api token', OLD.uid);
END;
