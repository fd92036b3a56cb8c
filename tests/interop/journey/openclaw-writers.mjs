// OpenClaw 2026.4.24 and this program write one store at the same moment.
import assert from 'node:assert/strict';
import { succeeded } from '../rig/home.mjs';
import { openclaw } from '../rig/openclaw.mjs';

// OpenClaw processes lose updates among themselves: one takes the lock of another for abandoned
// when it is released at the wrong moment. So there is one, and it does not exclude itself.
const THEIRS = 50;
const OURS = 50;
const AT_ONCE = 10;

const named = (owner, number) => `openrouter:${owner}-${number}`;
const numbers = (count) => Array.from({ length: count }, (_, number) => number);

export const journeys = [
  {
    name: 'a hundred writers, nothing is lost',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const login = await home.loginExpired();
      const kept = home.profiles[login];
      const worker = await openclaw(home);
      const theirs = worker.ask('store', ...numbers(THEIRS).map((number) => named('theirs', number)));
      const left = numbers(OURS);
      const lane = async () => {
        while (left.length > 0) succeeded(await home.paste(named('ours', left.pop())));
      };
      await Promise.all(numbers(AT_ONCE).map(lane));
      assert.equal(await theirs, THEIRS, 'OpenClaw got every lock');

      const { profiles } = home;
      for (const [owner, count] of [['theirs', THEIRS], ['ours', OURS]]) {
        const lost = numbers(count).map((number) => named(owner, number)).filter((id) => !profiles[id]);
        assert.deepEqual(lost, [], `lost of ${owner}`);
      }
      assert.deepEqual(profiles[login], kept, 'the login is untouched');
      assert.equal(Object.keys(profiles).length, 1 + THEIRS + OURS);
      assert.equal(server.counts.refresh, 0);
      return `${OURS} processes of ours, ${AT_ONCE} at once, and ${THEIRS} writes of OpenClaw`;
    },
  },
  {
    name: 'orders and profiles at once, while both refresh: nothing is lost, one request',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const login = await home.loginExpired();
      const worker = await openclaw(home);
      server.faults.delay = 200;
      const order = (id) => home.auth('models', 'auth', 'order', 'set', '--provider', 'openai-codex', id);
      const theirs = async () => {
        assert.equal(await worker.ask('order', 'groq', 'groq:theirs'), true);
        assert.equal(await worker.ask('store', named('theirs', 0), named('theirs', 1)), 2);
        return worker.ask('token', 'openai-codex');
      };
      const [given, printed] = await Promise.all([
        theirs(),
        home.token(),
        order(login).then(succeeded),
        ...numbers(10).map((number) => home.paste(named('ours', number)).then(succeeded)),
      ]);
      assert.equal(given, printed, 'one token');
      assert.equal(server.counts.refresh, 1);
      assert.equal(Object.keys(home.profiles).length, 13);
      assert.deepEqual(home.orders, { groq: ['groq:theirs'], 'openai-codex': [login] });
      return '13 profiles and 2 orders are there';
    },
  },
];
