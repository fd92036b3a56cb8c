-- `openclaw-agent.sqlite` as OpenClaw 2026.9.6 makes it, as far as the store looks at it, without
-- credentials. Whoever makes it says of which agent it is.
PRAGMA journal_mode = WAL;
CREATE TABLE auth_profile_store (
  store_key TEXT NOT NULL PRIMARY KEY,
  store_json TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE auth_profile_state (
  state_key TEXT NOT NULL PRIMARY KEY,
  state_json TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE schema_meta (meta_key TEXT NOT NULL PRIMARY KEY, role TEXT, agent_id TEXT) STRICT;
PRAGMA user_version = 23;
