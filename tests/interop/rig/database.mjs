// The database of OpenClaw 2026.9.6 that holds the credentials of all agents, as small as it takes
// it: one table. It builds the others around it.
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const TABLE = `
  PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;
  CREATE TABLE config_machine_state
    (state_key TEXT NOT NULL PRIMARY KEY, value_json TEXT NOT NULL, updated_at_ms INTEGER NOT NULL) STRICT`;
const ROW = 'authProfiles.store';

export class Database {
  constructor(home) { this.file = path.join(home.state, 'state/openclaw.sqlite'); }

  /** Moves the logins of a home from its document into a new database, as OpenClaw would. */
  static takeOver(home) {
    const profiles = Object.fromEntries(Object.entries(home.profiles).map(([id, profile]) =>
      [id.replace(/^openai-codex:/, 'openai:'), { ...profile, provider: profile.provider.replace(/^openai-codex$/, 'openai') }]));
    rmSync(path.join(home.state, 'agents'), { recursive: true });
    rmSync(path.join(home.state, 'openclaw.json'), { force: true });
    const database = new Database(home);
    mkdirSync(path.dirname(database.file), { mode: 0o700 });
    database.#open((it) => {
      it.exec(TABLE);
      const put = it.prepare('INSERT INTO config_machine_state VALUES (?, ?, ?)');
      put.run('auth.sharedStore', '{"location":"state-db"}', Date.now());
      put.run(ROW, JSON.stringify({ version: 1, profiles }), Date.now());
    });
    chmodSync(database.file, 0o600);
    return database;
  }

  get profiles() {
    const read = (it) => it.prepare('SELECT value_json FROM config_machine_state WHERE state_key = ?').get(ROW);
    return JSON.parse(this.#open(read).value_json).profiles;
  }

  /** Changes the profiles as a program does that reads the row again and writes it whole. */
  change(edit) {
    this.#open((it) => {
      it.exec('BEGIN IMMEDIATE');
      const { value_json } = it.prepare('SELECT value_json FROM config_machine_state WHERE state_key = ?').get(ROW);
      const document = JSON.parse(value_json);
      edit(document.profiles);
      const put = it.prepare('UPDATE config_machine_state SET value_json = ?, updated_at_ms = ? WHERE state_key = ?');
      put.run(JSON.stringify(document), Date.now(), ROW);
      it.exec('COMMIT');
    });
  }

  /** What SQLite finds wrong: `ok`. */
  get integrity() { return this.#open((it) => it.prepare('PRAGMA integrity_check').get().integrity_check); }

  #open(use) {
    const it = new DatabaseSync(this.file, { timeout: 20_000 });
    try { return use(it); } finally { it.close(); }
  }
}
