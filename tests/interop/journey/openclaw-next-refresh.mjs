// OpenClaw 2026.9.6 and this program want to refresh one login at the same moment. Its refresh token
// is good for one request; a second one would end the login.
import assert from 'node:assert/strict';
import { Database } from '../rig/database.mjs';
import { succeeded } from '../rig/home.mjs';
import { openclawNext } from '../rig/openclaw.mjs';

/** How long the server takes, in milliseconds; one round after the other. */
const DELAYS = [100, 300, 1_000, 3_000];
/** So much later than the other one is the second, in milliseconds. */
const LATER = [0, 5, 20, 80, 200];

const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));

async function logIn(newHome) {
  const home = await newHome();
  // Tokens that live for ten minutes we would refresh again at once, to stay ahead of OpenClaw.
  home.server.faults.lifetime = 3_600;
  const login = (await home.login()).replace(/^openai-codex:/, 'openai:');
  const database = Database.takeOver(home);
  const worker = await openclawNext(home);
  assert.equal(await worker.ask('token', 'openai'), database.profiles[login].access, 'OpenClaw uses the login');
  return { home, login, database, worker };
}

/** Lets the login expire, and OpenClaw notice: it looks at the database ten times a second. */
async function expire(database, login) {
  database.change((profiles) => { profiles[login].expires = Date.now() - 1_000; });
  await pause(500);
}

const ours = async (home) => succeeded(await home.auth('models', 'auth', 'token', '--provider', 'openai')).stdout.trim();

export const journeys = [
  {
    name: 'both refresh a login at once: one request a round, and it lives',
    async run({ home: newHome, server, numbers: isLong }) {
      const rounds = isLong ? 30 : 4;
      const { home, login, database, worker } = await logIn(newHome);
      let oursFirst = 0;
      for (let round = 0; round < rounds; round += 1) {
        await expire(database, login);
        const spent = database.profiles[login].refresh;
        server.faults.delay = DELAYS[round % DELAYS.length];
        const later = LATER[round % LATER.length];
        const theirs = () => worker.ask('token', 'openai');
        const [first, second] = round % 2 === 0 ? [theirs, () => ours(home)] : [() => ours(home), theirs];
        const both = [first(), pause(later).then(second)];
        const [one, other] = await Promise.all(both);
        assert.equal(one, other, `round ${round}: one token`);
        const after = database.profiles[login];
        assert.equal(after.access, one, `round ${round}: it is stored`);
        assert.notEqual(after.refresh, spent, `round ${round}: so is the new refresh token`);
        assert.equal(server.counts.refresh, round + 1, `round ${round}: one request`);
        oursFirst += round % 2;
      }
      assert.equal(server.counts.reused + server.counts.refused, 0);
      return `${rounds} rounds, ${server.counts.refresh} requests, no token posted twice; we began ${oursFirst} of them`;
    },
  },
  {
    name: 'a login made while OpenClaw refreshes is kept',
    async run({ home: newHome, server }) {
      const { home, login, database, worker } = await logIn(newHome);
      await expire(database, login);
      server.faults.delay = 3_000;
      const theirs = worker.ask('token', 'openai').catch((error) => error);
      await pause(1_000);
      server.faults.delay = 0;
      await home.login(undefined, ['--agent', 'main']);
      const made = database.profiles[login];
      await theirs;
      assert.deepEqual(database.profiles[login], made, 'it is ours still');
      assert.equal(await ours(home), made.access);
      return 'the answer to its request did not replace it';
    },
  },
  {
    name: 'pastes during a refresh of OpenClaw are kept, and so are its new tokens',
    async run({ home: newHome, server, numbers: isLong }) {
      const count = isLong ? 20 : 5;
      const { home, login, database, worker } = await logIn(newHome);
      await expire(database, login);
      server.faults.delay = 3_000;
      const theirs = worker.ask('token', 'openai');
      for (let number = 0; number < count; number += 1) succeeded(await home.paste(`openrouter:ours-${number}`));
      assert.equal(await theirs, database.profiles[login].access);
      assert.equal(Object.keys(database.profiles).length, count + 1);
      return `${count} pastes and one refresh`;
    },
  },
];
