// `store convert`: the logins move to the databases of OpenClaw 2026.9.6 and back to the documents
// of 2026.4.24, and each program reads what is its own.
import assert from 'node:assert/strict';
import { readFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { succeeded } from '../rig/home.mjs';
import { fileOf, node } from '../rig/place.mjs';
import { run } from '../rig/process.mjs';

const next = (home, ...args) =>
  run(node, [fileOf('openclaw-next/openclaw.mjs'), ...args], { ...home.openclawOptions, seconds: 300 });
const listing = ['models', 'auth', 'list', '--json'];

/** The profiles in a database; none where there is none. */
function rows(home, file = 'state/openclaw.sqlite') {
  const database = path.join(home.state, file);
  if (!existsSync(database)) return {};
  const opened = new DatabaseSync(database, { readOnly: true });
  const row = opened.prepare("select value_json from config_machine_state where state_key = 'authProfiles.store'").get();
  opened.close();
  return row ? JSON.parse(row.value_json).profiles : {};
}

/** The ids that a listing names, in alphabetical order. */
const ids = (result) => JSON.parse(succeeded(result).stdout).profiles.map(({ id }) => id).sort();

export const journeys = [
  {
    name: 'logins move to its databases and back, and both generations read their own',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const id = await home.login();
      succeeded(await home.paste('openrouter:ours'));
      const token = await home.token();
      // Before, it is kept from everything, and says so.
      assert.notEqual((await next(home, ...listing)).code, 0);
      succeeded(await home.auth('store', 'convert', '--to', 'sqlite'));
      const renamed = id.replace('openai-codex:', 'openai:');
      assert.deepEqual(ids(await next(home, ...listing)), [renamed, 'openrouter:ours']);
      const paste = ['models', 'auth', 'paste-token', '--provider', 'openrouter', '--profile-id', 'openrouter:theirs'];
      succeeded(await run(node, [fileOf('openclaw-next/openclaw.mjs'), ...paste],
        { ...home.openclawOptions, input: 'fake-of-openclaw\n', seconds: 300 }));
      const before = rows(home);
      assert.equal(before[renamed].refresh && before[renamed].provider, 'openai', 'its writes keep the login');
      assert.deepEqual(ids(await home.auth(...listing)), [renamed, 'openrouter:ours', 'openrouter:theirs']);
      // And back: what it has stored since comes along.
      succeeded(await home.auth('store', 'convert', '--to', 'json'));
      assert.deepEqual(rows(home), {}, 'no login is on both sides');
      assert.deepEqual(Object.keys(home.profiles).sort(), [id, 'openrouter:ours', 'openrouter:theirs']);
      assert.equal(home.profiles[id].refresh, before[renamed].refresh);
      const order = ['models', 'auth', 'order', 'set', '--provider', 'openai-codex', id];
      succeeded(await home.openclaw(...order));
      assert.equal(await home.token(), token);
      assert.equal(server.counts.refresh, 0);
      // A second time to the databases: it takes them again.
      succeeded(await home.auth('store', 'convert', '--to', 'sqlite'));
      assert.deepEqual(ids(await next(home, ...listing)), [renamed, 'openrouter:ours', 'openrouter:theirs']);
      const config = JSON.parse(readFileSync(path.join(home.state, 'openclaw.json'), 'utf8'));
      assert.equal(config.auth.profiles[renamed].provider, 'openai');
      return 'JSON, SQLite, JSON, SQLite; both OpenClaws list what is theirs, no request';
    },
  },
];
