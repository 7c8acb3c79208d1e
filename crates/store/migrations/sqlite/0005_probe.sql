-- What is written to find out whether anything can be: as much as an operation takes, and never the same twice. SQLite
-- writes nothing where nothing changes.
CREATE TABLE probe (
    one     INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    content BLOB    NOT NULL
) STRICT;

INSERT INTO probe (one, content) VALUES (1, x'');
