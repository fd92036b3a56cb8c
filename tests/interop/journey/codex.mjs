// Codex CLI, the real one: it signs in at the rig, we import what it wrote, and it runs on
// tokens that it asks us for.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { startApi } from '../rig/api.mjs';
import { succeeded } from '../rig/home.mjs';
import { needs } from '../rig/outcome.mjs';
import { fileOf, node, program } from '../rig/place.mjs';
import { run, start } from '../rig/process.mjs';

const CODEX = fileOf('@openai/codex/bin/codex.js');
const codex = (home, ...args) => run(node, [CODEX, ...args], home.options);

/** Signs Codex in, by the way that lets it be told where the server is. */
async function signIn(home) {
  const args = [CODEX, 'login', '--device-auth', '--experimental_issuer', home.server.url];
  const login = start(node, args, home.options);
  home.server.confirm((await login.says(/(?<![0-9A-F])[0-9A-F]{8}(?![0-9A-F])/))[0]);
  succeeded(await login.ended);
  return JSON.parse(readFileSync(path.join(home.base, 'codex/auth.json'), 'utf8')).tokens;
}

async function importLogin(home, how) {
  await needs(home, ['models', 'auth'], 'import');
  return JSON.parse(succeeded(await home.auth('models', 'auth', 'import', 'codex', how, '--json')).stdout);
}

/** Lets Codex ask us for tokens, and answers one prompt of it through the API. */
async function ask(home, api, ...args) {
  home.write('codex/config.toml', `
    model = "gpt-5.5"
    model_provider = "rig"
    [model_providers.rig]
    name = "rig"
    base_url = "${api.url}/v1"
    wire_api = "responses"
    requires_openai_auth = false
    request_max_retries = 0
    stream_max_retries = 0
    [model_providers.rig.auth]
    command = ${JSON.stringify(program)}
    args = ${JSON.stringify(['models', 'auth', 'token', '--provider', 'openai-codex', ...args])}
    `);
  return codex(home, 'exec', '--skip-git-repo-check', '--color', 'never', 'say hello');
}

async function withApi(accepts, work) {
  const api = await startApi(accepts);
  try { return await work(api); } finally { await api.stop(); }
}

export const journeys = [
  {
    name: 'a copied login is refreshed by us',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const theirs = await signIn(home);
      const { profiles } = await importLogin(home, '--copy');
      const id = profiles[0].profileId;
      assert.equal(id, 'openai-codex:alice@example.com');
      assert.equal(home.profiles[id].refresh, theirs.refresh_token);
      assert.equal(home.profiles[id].accountId, theirs.account_id);
      assert.equal(await home.token(), theirs.access_token);
      assert.notEqual(await home.token('--force-refresh'), theirs.access_token);
      assert.equal(server.counts.refreshed, 1);
      return id;
    },
  },
  {
    name: 'a moved login is ours alone: Codex says that it is signed out',
    async run({ home: newHome, server }) {
      const home = await newHome();
      await signIn(home);
      succeeded(await codex(home, 'login', 'status'));
      await importLogin(home, '--move');
      const status = await codex(home, 'login', 'status');
      assert.equal(status.code, 1);
      assert.match(status.stderr, /Not logged in/);
      assert.equal(existsSync(path.join(home.base, 'codex/auth.json')), false);
      await home.token('--force-refresh');
      assert.equal(server.counts.refreshed, 1);
      assert.equal(server.counts.revoked, 0, 'the grant goes on');
      return 'Codex: not logged in; the grant is refreshed here';
    },
  },
  {
    name: 'it runs on tokens that it asks us for, and the API accepts them',
    async run({ home: newHome }) {
      const home = await newHome();
      await home.login();
      const token = await home.token();
      return withApi((shown) => shown === token, async (api) => {
        const { stdout } = succeeded(await ask(home, api));
        assert.match(stdout, /hello from the rig/);
        assert.deepEqual([...new Set(api.tokens)], [token]);
        return `codex exec: "${stdout.trim().split('\n').at(-1)}"`;
      });
    },
  },
  {
    name: 'a token that the API refuses is asked for again, and a fresh one accepted',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const id = await home.login();
      const old = await home.token();
      const accepts = async (shown) => {
        // Whoever sees the refusal reports it, before Codex asks for the second time.
        if (shown === old) succeeded(await home.auth('models', 'auth', 'report', '--profile', id, '--reason', 'auth'));
        return shown !== old;
      };
      return withApi(accepts, async (api) => {
        const { stdout } = succeeded(await ask(home, api));
        assert.match(stdout, /hello from the rig/);
        assert.deepEqual([...new Set(api.tokens)], [old, home.profiles[id].access]);
        assert.equal(server.counts.refreshed, 1);
        return `${api.tokens.length} requests, the last with a fresh token`;
      });
    },
  },
  {
    name: 'it kills its token command after 5 s while the server needs 7 s and rotates: the login lives',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const id = await home.loginExpired();
      const old = home.profiles[id];
      server.faults.delay = 7_000;
      return withApi((shown) => shown !== undefined && shown !== old.access, async (api) => {
        const first = await ask(home, api);
        assert.match(first.stderr, /timed out|timeout/i, 'Codex has lost its patience');
        // The next call of anybody gets what the worker has stored meanwhile.
        const token = await home.token();
        assert.notEqual(token, old.access);
        assert.notEqual(home.profiles[id].refresh, old.refresh);
        assert.equal(server.counts.refresh, 1, 'one request, whoever was killed');
        assert.equal(server.counts.refreshed, 1);
        assert.equal(server.counts.reused, 0);
        // The login lives: it can be refreshed again.
        server.faults.delay = 0;
        assert.notEqual(await home.token('--force-refresh'), token);
        const { stdout } = succeeded(await ask(home, api));
        assert.match(stdout, /hello from the rig/);
        const ended = first.code === 0 ? 'got an answer all the same' : 'gave up';
        return `codex exec ${ended}; 1 request, and the next call has a fresh token`;
      });
    },
  },
  {
    name: 'when the login is over, it shows what we say',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const id = await home.login();
      assert.equal((await server.revoke(home.profiles[id].refresh)).status, 200);
      return withApi((shown) => shown !== undefined, async (api) => {
        const { code, stderr } = await ask(home, api, '--force-refresh');
        assert.notEqual(code, 0);
        assert.deepEqual(api.tokens.filter(Boolean), [], 'it had no token to show');
        const [said] = /error: the login `[^`]+` is over.*/.exec(stderr);
        assert.match(stderr, /hint: .*models auth login/);
        const asked = stderr.match(/provider auth command/g).length;
        assert.equal(server.counts.refresh, 1, 'however often it asks');
        return `${said}; asked ${asked} times, one request`;
      });
    },
  },
];
