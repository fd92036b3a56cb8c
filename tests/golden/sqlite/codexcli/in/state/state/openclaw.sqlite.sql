CREATE TABLE config_machine_state ( state_key TEXT NOT NULL PRIMARY KEY, value_json TEXT NOT NULL, updated_at_ms INTEGER NOT NULL ) STRICT;
INSERT INTO config_machine_state VALUES ('auth.sharedStore', '{"location":"state-db"}', 1);
INSERT INTO config_machine_state VALUES ('authProfiles.store', '{"version":1,"profiles":{}}', 1);
CREATE TABLE schema_meta (meta_key TEXT NOT NULL PRIMARY KEY, role TEXT NOT NULL, agent_id TEXT);
INSERT INTO schema_meta VALUES ('primary', 'global', NULL);
PRAGMA user_version = 18;
