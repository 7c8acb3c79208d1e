-- Which removal of a record ended without success, so that whoever reads the record finds it.
ALTER TABLE resources ADD COLUMN not_removed TEXT;
