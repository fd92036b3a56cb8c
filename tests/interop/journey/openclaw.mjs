// OpenClaw 2026.4.24 on the same state directory: each reads what the other wrote.
import assert from 'node:assert/strict';
import { succeeded } from '../rig/home.mjs';
import { openclaw } from '../rig/openclaw.mjs';
import { program } from '../rig/place.mjs';
import { run, until } from '../rig/process.mjs';

const json = (result) => JSON.parse(succeeded(result).stdout);

/** What both programs say to one command in one environment, without what the time changes. */
async function both(home, ...args) {
  const theirs = json(await home.openclaw(...args));
  const ours = json(await run(program, args, home.openclawOptions));
  const steady = (value) => JSON.parse(JSON.stringify(value, (key, inner) => (key === 'remainingMs' ? 0 : inner)));
  return [steady(ours), steady(theirs)];
}

export const journeys = [
  {
    name: 'it reads our store, order and configuration, and says of them what we say',
    async run({ home: newHome }) {
      const home = await newHome();
      const first = await home.login('a+tag@example.com');
      const second = await home.login('b@example.com');
      succeeded(await home.auth('models', 'auth', 'order', 'set', '--provider', 'openai-codex', second, first));
      const seen = [];
      for (const command of ['channels list --json --no-usage', 'models status --json', 'models auth order get --provider openai-codex --json']) {
        const [ours, theirs] = await both(home, ...command.split(' '));
        assert.deepEqual(ours, theirs, command);
        seen.push(command);
      }
      return `the same JSON: ${seen.join(', ')}`;
    },
  },
  {
    name: 'they write in turn, and each keeps what the other stored',
    async run({ home: newHome }) {
      const home = await newHome();
      const id = await home.login();
      const grant = home.profiles[id];
      const paste = ['models', 'auth', 'paste-token', '--provider', 'openrouter', '--profile-id', 'openrouter:theirs'];
      succeeded(await home.openclaw({ input: 'fake-of-openclaw\r' }, ...paste));
      succeeded(await home.paste('openrouter:ours'));
      succeeded(await home.openclaw('models', 'auth', 'order', 'set', '--provider', 'openrouter', 'openrouter:theirs', 'openrouter:ours'));
      assert.equal(succeeded(await home.auth('models', 'auth', 'token', '--provider', 'openrouter')).stdout, 'fake-of-openclaw\n');
      succeeded(await home.auth('models', 'auth', 'order', 'set', 'openrouter:ours', 'openrouter:theirs'));
      const { order } = json(await home.openclaw('models', 'auth', 'order', 'get', '--provider', 'openrouter', '--json'));
      assert.deepEqual(order, ['openrouter:ours', 'openrouter:theirs']);
      assert.deepEqual(home.profiles[id], grant, 'no field of our login is lost');
      assert.deepEqual(Object.keys(home.profiles).sort(), [id, 'openrouter:ours', 'openrouter:theirs']);
      return 'login, paste, paste, order, order';
    },
  },
  {
    name: 'what it refreshed we hand out, and what we refreshed it hands out: one request each',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const id = await home.loginExpired();
      const theirs = await (await openclaw(home)).ask('token', 'openai-codex');
      assert.equal(server.counts.refresh, 1);
      assert.equal(await home.token(), theirs);
      assert.equal(server.counts.refresh, 1, 'ours is no further request');
      server.faults.lifetime = 1;
      await home.token('--force-refresh');
      server.faults.lifetime = 600;
      const ours = await home.token('--force-refresh');
      assert.equal(await (await openclaw(home)).ask('token', 'openai-codex'), ours);
      assert.equal(server.counts.refresh, 3, 'theirs is no further request');
      assert.equal(home.profiles[id].access, ours);
      return '3 requests for 3 refreshes';
    },
  },
  {
    name: 'both refresh at the same moment: one request, one token',
    async run({ home: newHome, server }) {
      const rounds = 3;
      const home = await newHome();
      const theirs = await openclaw(home);
      for (let round = 1; round <= rounds; round += 1) {
        await home.loginExpired();
        server.faults.delay = 400;
        const before = server.counts.refresh;
        const tokens = await Promise.all([
          theirs.ask('token', 'openai-codex'),
          ...Array.from({ length: 8 }, () => home.token()),
        ]);
        assert.equal(new Set(tokens).size, 1, `round ${round}: one token`);
        assert.equal(server.counts.refresh - before, 1, `round ${round}: one request`);
        server.faults.delay = 0;
      }
      assert.equal(server.counts.reused, 0);
      return `${rounds} rounds of an OpenClaw process and 8 of ours, ${server.counts.refresh} requests`;
    },
  },
  {
    name: 'a refresh of its that takes long loses nothing that we store meanwhile',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const id = await home.loginExpired();
      server.faults.delay = 5000;
      const worker = await openclaw(home);
      const refresh = worker.ask('token', 'openai-codex');
      await until('OpenClaw holds the lock', () => home.holderOf(home.documentLock) === worker.pid);
      const pasted = succeeded(await home.paste('openrouter:meanwhile'));
      const token = await refresh;
      assert.equal(home.profiles[id].access, token);
      assert.equal(home.profiles['openrouter:meanwhile'].token, 'fake-of-ours-openrouter:meanwhile');
      return `our paste waited ${pasted.seconds.toFixed(1)} s`;
    },
  },
];
