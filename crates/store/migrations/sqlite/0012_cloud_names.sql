-- What the cloud calls a resource, where that is not our name of it. Of what was imported the cloud has said it.
ALTER TABLE resources ADD COLUMN cloud_name TEXT;
UPDATE resources SET cloud_name = json_extract(observation, '$.iid.nameId')
    WHERE imported = 1 AND observation IS NOT NULL AND json_extract(observation, '$.iid.nameId') NOT IN ('', name);
