-- Times are milliseconds since 1970 (UTC), identifiers are the text of UUIDs, JSON is text.

CREATE TABLE installation (
    one          INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    uid          TEXT    NOT NULL,
    key_check    BLOB    NOT NULL
) STRICT;

CREATE TABLE connections (
    uid                 TEXT    NOT NULL PRIMARY KEY,
    name                TEXT    NOT NULL UNIQUE,
    provider            TEXT    NOT NULL,
    specification       TEXT    NOT NULL,
    account             TEXT,
    principal           TEXT,
    credential_revision INTEGER NOT NULL,
    revision            INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL
) STRICT;

-- One data key a credential, made anew with every revision; wrapped by the owner's master key.
CREATE TABLE credentials (
    connection TEXT    NOT NULL PRIMARY KEY REFERENCES connections (uid) ON DELETE CASCADE,
    revision   INTEGER NOT NULL,
    data_key   BLOB    NOT NULL,
    sealed     BLOB    NOT NULL
) STRICT;

CREATE TABLE resources (
    uid           TEXT    NOT NULL PRIMARY KEY,
    kind          TEXT    NOT NULL,
    connection    TEXT    NOT NULL REFERENCES connections (name),
    account       TEXT    NOT NULL,
    location      TEXT    NOT NULL,
    parent        TEXT    NOT NULL, -- '': none
    name          TEXT    NOT NULL,
    system_id     TEXT,
    incarnation   TEXT,
    request       TEXT    NOT NULL,
    observation   TEXT,
    observe_start INTEGER,
    observed_at   INTEGER,
    protected     INTEGER NOT NULL,
    missing_since INTEGER,
    imported      INTEGER NOT NULL,
    changed_at    INTEGER NOT NULL,
    revision      INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX resources_by_name ON resources (account, location, kind, parent, name);
CREATE UNIQUE INDEX resources_by_system_id ON resources (account, location, kind, parent, system_id)
    WHERE system_id IS NOT NULL;
CREATE INDEX resources_by_parent ON resources (parent);
CREATE INDEX resources_by_connection ON resources (connection);

CREATE TABLE operations (
    id               TEXT    NOT NULL PRIMARY KEY,
    kind             TEXT    NOT NULL,
    connection       TEXT    NOT NULL,
    resource         TEXT    NOT NULL,
    resource_name    TEXT    NOT NULL,
    resource_uid     TEXT,
    account          TEXT    NOT NULL,
    intent           TEXT    NOT NULL,
    requested_by     TEXT    NOT NULL,
    state            TEXT    NOT NULL,
    blocked          TEXT,
    resolved         TEXT    NOT NULL,
    notices          TEXT    NOT NULL,
    children         TEXT    NOT NULL,
    expected_seconds INTEGER NOT NULL,
    error            TEXT,
    remains          TEXT    NOT NULL,
    cancel_requested INTEGER NOT NULL,
    attempt          INTEGER NOT NULL,
    queue_order      INTEGER NOT NULL,
    next_run_at      INTEGER NOT NULL,
    woken            INTEGER NOT NULL,
    lease_owner      TEXT,
    lease_until      INTEGER,
    fence            INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    started_at       INTEGER,
    finished_at      INTEGER
) STRICT;

CREATE INDEX operations_due ON operations (next_run_at) WHERE state IN ('queued', 'running', 'blocked');
CREATE UNIQUE INDEX operations_by_queue_order ON operations (queue_order);
CREATE INDEX operations_by_resource ON operations (resource_uid);

CREATE TABLE stages (
    operation     TEXT    NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    name          TEXT    NOT NULL,
    position      INTEGER NOT NULL,
    specification TEXT    NOT NULL,
    state         TEXT    NOT NULL,
    attempts      INTEGER NOT NULL,
    started_at    INTEGER,
    asked_at      INTEGER,
    finished_at   INTEGER,
    token         TEXT    NOT NULL,
    handle        TEXT,
    baseline      TEXT    NOT NULL,
    outputs       TEXT,
    system_id     TEXT,
    incarnation   TEXT,
    detail        TEXT    NOT NULL,
    error         TEXT,
    notes         TEXT    NOT NULL,
    PRIMARY KEY (operation, name)
) STRICT;

-- What operations that are not over hold. No foreign key to resources: a connection's uid may be held too.
CREATE TABLE holds (
    operation   TEXT    NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    resource    TEXT    NOT NULL,
    exclusive   INTEGER NOT NULL,
    refuses     INTEGER NOT NULL,
    queue_order INTEGER NOT NULL,
    active      INTEGER NOT NULL, -- kept for a later attempt, but not held, once the operation is over
    PRIMARY KEY (operation, resource)
) STRICT;

CREATE INDEX holds_by_resource ON holds (resource, queue_order) WHERE active = 1;

CREATE TABLE events (
    sequence  INTEGER PRIMARY KEY AUTOINCREMENT,
    operation TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    snapshot  TEXT    NOT NULL
) STRICT;

CREATE INDEX events_by_operation ON events (operation, sequence);
CREATE INDEX events_by_age ON events (at);

CREATE TABLE idempotency_keys (
    scope      TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    body_hash  TEXT    NOT NULL,
    operation  TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT;

CREATE TABLE audit (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    who        TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    request_id TEXT    NOT NULL
) STRICT;

CREATE TABLE api_tokens (
    uid         TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,
    hash        TEXT    NOT NULL,
    role        TEXT    NOT NULL,
    connections TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    revoked_at  INTEGER
) STRICT;
