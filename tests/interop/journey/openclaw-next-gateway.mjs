// A gateway of OpenClaw 2026.9.6 runs beside this program. It refreshes an expired
// `<provider>:default` without a lock: our marker keeps it from that, and costs no login,
// whoever dies where. It is told of what is done to a login.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { succeeded } from '../rig/home.mjs';
import { fileOf, node, program } from '../rig/place.mjs';
import { run, start, until } from '../rig/process.mjs';

const ID = 'openai:default';
const MARKER = /^openclaw-oauth-refresh-fence:v1:/;
const entry = fileOf('openclaw-next/openclaw.mjs');
const next = (home, ...args) => run(node, [entry, ...args], { ...home.openclawOptions, seconds: 300 });

const freePort = () => new Promise((resolve) => {
  const probe = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});

/** Asks its database for one row. */
function row(home, query) {
  const database = new DatabaseSync(path.join(home.state, 'state/openclaw.sqlite'), { readOnly: true, timeout: 10_000 });
  try { return database.prepare(query).get(); } finally { database.close(); }
}
const stored = (home) => JSON.parse(row(home, "select value_json from config_machine_state where state_key = 'authProfiles.store'").value_json).profiles[ID];

/** A home that OpenClaw has set up, and its gateway, which runs. */
async function withGateway(newHome) {
  const home = await newHome();
  const port = await freePort();
  const config = { gateway: { mode: 'local', port, bind: 'loopback', auth: { mode: 'token', token: 'fake-gateway-token' } } };
  home.write('state/openclaw.json', config);
  chmodSync(home.state, 0o700);
  // Makes its databases.
  succeeded(await next(home, 'config', 'set', 'gateway.mode', 'local'));
  home.gateway = start(node, [entry, 'gateway', '--port', String(port)], home.openclawOptions);
  const lease = () => row(home, "select payload_json from state_leases where scope = 'gateway-owner'");
  await until('the gateway runs', () => {
    if (!home.gateway.isAlive) throw new Error(`the gateway ended: ${home.gateway.stdout}${home.gateway.stderr}`);
    return lease();
  }, 120);
  return home;
}

/** Signs in under the name that it refreshes without a lock, with a token that has expired. */
async function expiredDefault(home) {
  home.server.faults.lifetime = 1;
  await home.login('alice@example.com', ['--profile-id', ID]);
  await until('the token expires', () => Date.now() > stored(home).expires, 10);
  home.server.faults.lifetime = 600;
}

const TOKEN = ['models', 'auth', 'token', '--profile', ID];

/** Kills the process that makes a refresh: it is named in OpenClaw's lock. */
async function killWorker(home) {
  const locks = path.join(home.state, 'locks/oauth-refresh');
  const lock = readdirSync(locks).find((name) => /^lock-[0-9a-f]{32}\.lock$/.test(name));
  const pid = home.holderOf(path.join(locks, lock));
  process.kill(pid, 'SIGKILL');
  await until('the worker is dead', () => !existsSync(`/proc/${pid}/exe`));
}

/** Profiles as it lists them. */
const listed = async (home) => JSON.parse(succeeded(await next(home, 'models', 'auth', 'list', '--json')).stdout).profiles;

export const journeys = [
  {
    name: 'killed before the request, while the marker stands: the login lives for both',
    async run({ home: newHome, server }) {
      const home = await withGateway(newHome);
      await expiredDefault(home);
      const endpoint = home.provider.tokenEndpoint;
      const deaf = net.createServer().listen(0, '127.0.0.1');
      await until('somebody listens', () => deaf.address());
      home.provider.tokenEndpoint = `http://127.0.0.1:${deaf.address().port}/token`;
      home.writeProvider();
      const refresh = home.begin(TOKEN);
      await until('our marker stands', () => MARKER.test(stored(home).refresh), 60);
      assert.deepEqual((await listed(home)).map(({ id }) => id), [ID], 'it lists it meanwhile');
      await killWorker(home);
      await refresh.ended;
      deaf.close();
      assert.match(stored(home).refresh, MARKER, 'nobody was left to take it away');
      home.provider.tokenEndpoint = endpoint;
      home.writeProvider();
      const token = succeeded(await home.auth(...TOKEN)).stdout.trim();
      assert.equal(stored(home).access, token);
      assert.doesNotMatch(stored(home).refresh, MARKER);
      assert.deepEqual([server.counts.refresh, server.counts.reused], [1, 0]);
      const [profile] = await listed(home);
      assert.ok(new Date(profile.expiresAt) > new Date(), 'it sees the new tokens');
      return 'the next command refreshed it once, and both list it';
    },
  },
  {
    name: 'both want to refresh one expired login: one request, and nobody loses it',
    async run({ home: newHome, server }) {
      const home = await withGateway(newHome);
      await expiredDefault(home);
      server.faults.delay = 10_000;
      const refresh = home.begin(TOKEN);
      await until('our marker stands', () => MARKER.test(stored(home).refresh), 60);
      const theirs = next(home, 'models', 'status', '--check');
      const token = succeeded(await refresh.ended).stdout.trim();
      await theirs;
      assert.equal(stored(home).access, token, 'what we were given is what is stored');
      assert.deepEqual([server.counts.refresh, server.counts.reused], [1, 0]);
      server.faults.delay = 0;
      succeeded(await home.auth(...TOKEN, '--force-refresh'));
      assert.equal(server.counts.reused, 0);
      return 'one request; the refresh token is alive';
    },
  },
  {
    name: 'a gateway is told of what is done to a login',
    async run({ home: newHome }) {
      const home = await withGateway(newHome);
      const bin = path.join(home.base, 'bin');
      mkdirSync(bin, { mode: 0o700 });
      symlinkSync(entry, path.join(bin, 'openclaw'));
      const env = { ...home.env, PATH: `${bin}:${path.dirname(node)}:/usr/bin:/bin` };
      const paste = ['models', 'auth', 'paste-api-key', '--provider', 'openrouter'];
      const pasted = await run(program, paste, { ...home.options, env, input: 'sk-fake-key-0123456789\n' });
      succeeded(pasted);
      // On a machine that is busy it takes longer than it is waited for.
      const isTold = !pasted.stderr.includes('gateway');
      if (!isTold) assert.match(pasted.stderr, /openclaw gateway call models\.authRefresh --params/);
      assert.deepEqual((await listed(home)).map(({ provider }) => provider), ['openrouter']);
      return isTold ? `told within ${pasted.seconds.toFixed(1)} s` : 'not within 10 s: one line says what to do';
    },
  },
];
