// OpenClaw 2026.9.6 keeps credentials in SQLite, and a JSON document beside that blocks it: its
// state directory is recognised and left alone.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { succeeded } from '../rig/home.mjs';
import { fileOf, node } from '../rig/place.mjs';
import { run } from '../rig/process.mjs';

const FENCE = /^openclaw-oauth-refresh-fence:/;
const ID = 'openai-codex:alice@example.com';

const next = (home, ...args) =>
  run(node, [fileOf('openclaw-next/openclaw.mjs'), ...args], { ...home.openclawOptions, seconds: 300 });

/** A state directory of ours with an expired login, which that OpenClaw has taken over. */
async function migrated(newHome) {
  const home = await newHome();
  await home.loginExpired();
  succeeded(await next(home, 'doctor', '--fix', '--non-interactive'));
  return home;
}

/** The credentials that it keeps. */
function credentials(home) {
  const database = new DatabaseSync(path.join(home.state, 'state/openclaw.sqlite'), { readOnly: true });
  const row = database.prepare("select value_json from config_machine_state where state_key = 'authProfiles.store'").get();
  database.close();
  return Object.values(JSON.parse(row.value_json).profiles);
}

/** Every file below a folder, with a hash of what is in it. */
function snapshot(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const read = (entry) => path.join(entry.parentPath, entry.name);
  return Object.fromEntries(files.map((entry) => [read(entry), createHash('sha256').update(readFileSync(read(entry))).digest('hex')]));
}

const COMMANDS = [
  ['channels', 'list', '--json'], ['models', 'status', '--json'], ['models', 'auth', 'list', '--json'],
  ['models', 'auth', 'token', '--provider', 'openai'], ['models', 'auth', 'token', '--provider', 'openai-codex', '--force-refresh'],
  ['models', 'auth', 'order', 'set', '--provider', 'openai-codex', ID], ['models', 'auth', 'logout', ID],
  ['models', 'auth', 'report', '--profile', ID, '--reason', 'auth'], ['models', 'auth', 'resolve', 'openai-codex/gpt-5.5'],
  ['agents', 'add', 'work'], ['agents', 'set-identity', '--agent', 'main', '--name', 'Main'],
  ['models', 'auth', 'login', '--provider', 'openai-codex', '--no-browser', '--timeout', '1s'],
];

export const journeys = [
  {
    name: 'its state directory is recognised: nothing is written, printed or posted, and it goes on working',
    async run({ home: newHome, server }) {
      const home = await migrated(newHome);
      // With an expired token and no way to refresh it, this leaves a mark in place of the tokens.
      await next(home, 'models', 'status', '--check');
      assert.match(credentials(home)[0].refresh, FENCE);
      succeeded(await next(home, 'models', 'auth', 'list', '--json'));
      const before = snapshot(home.state);
      const results = [await home.paste('openrouter:ours')];
      for (const args of COMMANDS) results.push(await home.auth(...args));
      for (const { code, stdout, stderr, command } of results) {
        assert.equal(code, 6, command);
        assert.equal(stdout, '', command);
        assert.match(stderr, /^error: .*openclaw\.sqlite belongs to OpenClaw/m, command);
        assert.doesNotMatch(stderr, /refresh-fence/, command);
      }
      const { code, stdout } = await home.auth('doctor');
      assert.equal(code, 1);
      assert.match(stdout, /openclaw\.sqlite/);
      assert.doesNotMatch(stdout, /refresh-fence/);
      assert.deepEqual(snapshot(home.state), before);
      assert.equal(server.counts.refresh, 0);
      const listed = succeeded(await next(home, 'models', 'auth', 'list', '--json'));
      assert.equal(JSON.parse(listed.stdout).profiles.length, 1);
      return `${results.length} commands, each exit 6; doctor says so; OpenClaw still lists its login`;
    },
  },
  {
    name: 'its marks in place of tokens, in a document of ours, are neither printed nor posted',
    async run({ home: newHome, server }) {
      const theirs = await migrated(newHome);
      await next(theirs, 'models', 'status', '--check');
      const [{ access, refresh }] = credentials(theirs);
      assert.match(access, FENCE);
      const home = await newHome();
      const id = await home.login();
      const text = JSON.stringify({ version: 1, profiles: { [id]: { ...home.profiles[id], access, refresh } } }, null, 2);
      home.write('state/agents/main/agent/auth-profiles.json', `${text}\n`);
      for (const extra of [[], ['--force-refresh'], ['--json']]) {
        const { code, stdout, stderr } = await home.auth('models', 'auth', 'token', '--profile', id, ...extra);
        assert.equal(code, 3);
        assert.doesNotMatch(stdout + stderr, /refresh-fence/);
      }
      assert.equal(server.counts.refresh, 0);
      assert.equal(home.profiles[id].refresh, refresh, 'the mark is left for its owner');
      return 'exit 3 each time, no request';
    },
  },
];
