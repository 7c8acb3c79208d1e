-- The trace that asked for an operation goes on in it, whoever carries it out and whenever.
ALTER TABLE operations ADD COLUMN traceparent TEXT;
