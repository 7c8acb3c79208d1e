-- What connections may be made of and share: a driver's name, a credential, a place; and which of them make which
-- connection. Only credentials are sealed.
CREATE TABLE pieces (
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    provider   TEXT    NOT NULL,
    content    TEXT    NOT NULL,
    data_key   BLOB,
    sealed     BLOB,
    revision   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT;

-- Whatever way a connection goes, what it was made of does not make it again.
CREATE TRIGGER pieces_of_connection AFTER DELETE ON connections BEGIN
    DELETE FROM pieces WHERE kind = 'connection' AND name = OLD.name;
END;
