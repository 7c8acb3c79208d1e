-- Which operation a queued one waits for; NULL: it has its turn. Whoever looks for what is due looks at none of those
-- that wait, were they thousands. Set when an operation is queued; here, when what it waited for gives up a hold.
ALTER TABLE operations ADD COLUMN waits_for TEXT;

UPDATE operations SET waits_for = COALESCE(
    (SELECT theirs.operation FROM holds mine JOIN holds theirs ON theirs.resource = mine.resource
     AND theirs.active = 1 AND theirs.exclusive = 1 AND theirs.queue_order < mine.queue_order
     WHERE mine.operation = operations.id AND mine.active = 1 LIMIT 1),
    (SELECT theirs.operation FROM holds mine JOIN holds theirs ON theirs.resource = mine.resource
     AND theirs.active = 1 AND theirs.queue_order < mine.queue_order
     WHERE mine.operation = operations.id AND mine.active = 1 AND mine.exclusive = 1 LIMIT 1))
WHERE state = 'queued';

CREATE INDEX operations_ready ON operations (next_run_at)
    WHERE state IN ('queued', 'running', 'blocked') AND waits_for IS NULL;
CREATE INDEX operations_behind ON operations (waits_for) WHERE waits_for IS NOT NULL;

CREATE TRIGGER hold_given_up AFTER UPDATE OF active ON holds WHEN OLD.active = 1 AND NEW.active = 0 BEGIN
    UPDATE operations SET waits_for = COALESCE(
        (SELECT theirs.operation FROM holds mine JOIN holds theirs ON theirs.resource = mine.resource
         AND theirs.active = 1 AND theirs.exclusive = 1 AND theirs.queue_order < mine.queue_order
         WHERE mine.operation = operations.id AND mine.active = 1 LIMIT 1),
        (SELECT theirs.operation FROM holds mine JOIN holds theirs ON theirs.resource = mine.resource
         AND theirs.active = 1 AND theirs.queue_order < mine.queue_order
         WHERE mine.operation = operations.id AND mine.active = 1 AND mine.exclusive = 1 LIMIT 1))
    WHERE waits_for = NEW.operation;
END;
