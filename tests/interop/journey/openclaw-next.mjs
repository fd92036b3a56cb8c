// OpenClaw 2026.9.6 keeps credentials in SQLite: each side reads what the other wrote, and its
// marks in place of tokens are never posted.
import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { succeeded } from '../rig/home.mjs';
import { fileOf, node } from '../rig/place.mjs';
import { run } from '../rig/process.mjs';

const FENCE = /^openclaw-oauth-refresh-fence:/;

const next = (home, ...args) =>
  run(node, [fileOf('openclaw-next/openclaw.mjs'), ...args], { ...home.openclawOptions, seconds: 300 });

/** A state directory of ours with a login, which that OpenClaw has taken over. */
async function migrated(newHome, login) {
  const home = await newHome();
  await login(home);
  succeeded(await next(home, 'doctor', '--fix', '--non-interactive'));
  return home;
}
const expired = (home) => home.loginExpired();

/** The credentials that it keeps. */
function credentials(home) {
  const database = new DatabaseSync(path.join(home.state, 'state/openclaw.sqlite'), { readOnly: true });
  const row = database.prepare("select value_json from config_machine_state where state_key = 'authProfiles.store'").get();
  database.close();
  return Object.values(JSON.parse(row.value_json).profiles);
}

/** The ids that a listing names, in alphabetical order. */
const ids = ({ stdout }) => JSON.parse(stdout).profiles.map((profile) => profile.id).sort();

export const journeys = [
  {
    name: 'each side reads what the other wrote into its databases',
    async run({ home: newHome, server }) {
      const home = await migrated(newHome, (it) => it.login());
      // The tokens of this server live for ten minutes, as long as we stay ahead of OpenClaw.
      const token = async () => succeeded(await home.auth('models', 'auth', 'token', '--provider', 'openai')).stdout.trim();
      const first = await token();
      assert.equal(first, credentials(home)[0].access);
      assert.equal(await token(), first, 'it is not refreshed at each call');
      succeeded(await home.paste('openrouter:ours'));
      const listing = ['models', 'auth', 'list', '--json'];
      const theirs = ids(succeeded(await next(home, ...listing)));
      assert.deepEqual(ids(succeeded(await home.auth(...listing))), theirs);
      assert.equal(theirs.length, 2);
      assert.ok(theirs.includes('openrouter:ours'), theirs.join());
      succeeded(await home.auth('models', 'auth', 'logout', 'openrouter:ours'));
      assert.equal(ids(succeeded(await next(home, ...listing))).length, 1);
      assert.ok(server.counts.refresh <= 1);
      return `${theirs.join(', ')}; both list them, and the one that is signed out is gone for both`;
    },
  },
  {
    name: 'a login that it has lost is told as lost, and never posted',
    async run({ home: newHome, server }) {
      const home = await migrated(newHome, expired);
      // With an expired token and no way to refresh it, this leaves a mark in place of the tokens.
      await next(home, 'models', 'status', '--check');
      const before = credentials(home);
      assert.match(before[0].refresh, FENCE);
      for (const extra of [[], ['--force-refresh'], ['--json']]) {
        const { code, stdout, stderr } = await home.auth('models', 'auth', 'token', '--provider', 'openai', ...extra);
        assert.equal(code, 3, stderr);
        assert.doesNotMatch(stdout + stderr, /refresh-fence/);
      }
      assert.equal(server.counts.refresh, 0);
      assert.deepEqual(credentials(home), before, 'the mark is left for its owner');
      return 'exit 3 each time, no request';
    },
  },
  {
    name: 'its marks in place of tokens, in a document of ours, are neither printed nor posted',
    async run({ home: newHome, server }) {
      const theirs = await migrated(newHome, expired);
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
