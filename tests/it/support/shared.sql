-- `state/openclaw.sqlite` as OpenClaw 2026.9.6 makes it, as far as the store looks at it, without
-- credentials.
PRAGMA page_size = 4096;
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
CREATE TABLE config_machine_state (
  state_key TEXT NOT NULL PRIMARY KEY,
  value_json TEXT NOT NULL,
  updated_at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE schema_meta (meta_key TEXT NOT NULL PRIMARY KEY, role TEXT, agent_id TEXT) STRICT;
INSERT INTO schema_meta VALUES ('primary', 'global', NULL);
INSERT INTO config_machine_state VALUES ('auth.sharedStore', '{"location":"state-db"}', 1);
PRAGMA user_version = 18;
