-- What a creation that ended without success leaves undone, so that whoever reads the record finds the operation.
ALTER TABLE resources ADD COLUMN broken_off TEXT;
