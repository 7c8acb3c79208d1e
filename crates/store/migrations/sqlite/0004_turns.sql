-- Whose turn it is: most holds are shared, and those exclude nobody but who wants the thing alone. With hundreds of
-- operations on one network, every one that waited looked at those of all before it, at every tick.
CREATE INDEX holds_exclusive ON holds (resource, queue_order) WHERE active = 1 AND exclusive = 1;
