// OpenClaw 2026.4.24 and this program write one store at the same moment.
import assert from 'node:assert/strict';
import { succeeded } from '../rig/home.mjs';
import { openclaw } from '../rig/openclaw.mjs';

const THEIRS = 10;
const EACH = 5;
const OURS = 50;

const named = (owner, number) => `openrouter:${owner}-${number}`;

export const journeys = [
  {
    name: 'a hundred writers at once, nothing is lost',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const login = await home.loginExpired();
      const kept = home.profiles[login];
      // An OpenClaw process does not exclude itself, so each of them stores one after the other.
      const workers = [];
      while (workers.length < THEIRS) {
        workers.push(...await Promise.all([openclaw(home), openclaw(home)]));
      }
      const theirs = workers.map((worker, number) =>
        worker.ask('store', ...Array.from({ length: EACH }, (_, index) => named('theirs', number * EACH + index))));
      const ours = Array.from({ length: OURS }, (_, number) => home.paste(named('ours', number)));
      const stored = await Promise.all(theirs);
      const pasted = (await Promise.all(ours)).map(succeeded);
      assert.deepEqual(stored, Array(THEIRS).fill(EACH), 'OpenClaw got every lock');

      const { profiles } = home;
      for (const [owner, count] of [['theirs', THEIRS * EACH], ['ours', OURS]]) {
        const lost = Array.from({ length: count }, (_, number) => named(owner, number)).filter((id) => !profiles[id]);
        assert.deepEqual(lost, [], `lost of ${owner}`);
      }
      assert.deepEqual(profiles[login], kept, 'the login is untouched');
      assert.equal(Object.keys(profiles).length, 1 + THEIRS * EACH + OURS);
      assert.equal(server.counts.refresh, 0);
      const slowest = Math.max(...pasted.map(({ seconds }) => seconds));
      return `${OURS} processes of ours (slowest ${slowest.toFixed(1)} s) and ${THEIRS * EACH} writes of ${THEIRS} OpenClaw processes`;
    },
  },
  {
    name: 'orders and profiles at once, while both refresh: nothing is lost, one request',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const login = await home.loginExpired();
      const workers = await Promise.all([openclaw(home), openclaw(home), openclaw(home)]);
      server.faults.delay = 200;
      const order = (id) => home.auth('models', 'auth', 'order', 'set', '--provider', 'openai-codex', id);
      const results = await Promise.all([
        workers[0].ask('order', 'groq', 'groq:theirs'),
        workers[1].ask('store', named('theirs', 0), named('theirs', 1)),
        workers[2].ask('token', 'openai-codex'),
        home.token(),
        order(login).then(succeeded),
        ...Array.from({ length: 10 }, (_, number) => home.paste(named('ours', number)).then(succeeded)),
      ]);
      assert.equal(results[0], true);
      assert.equal(results[1], 2);
      assert.equal(results[2], results[3], 'one token');
      assert.equal(server.counts.refresh, 1);
      assert.equal(Object.keys(home.profiles).length, 13);
      assert.deepEqual(home.orders, { groq: ['groq:theirs'], 'openai-codex': [login] });
      return '13 profiles and 2 orders are there';
    },
  },
];
