// OpenClaw 2026.9.6 and this program write one database at the same moment.
import assert from 'node:assert/strict';
import { Database } from '../rig/database.mjs';
import { succeeded } from '../rig/home.mjs';
import { openclawNext } from '../rig/openclaw.mjs';
import { start } from '../rig/process.mjs';
import { fileOf, node } from '../rig/place.mjs';

const THEIRS = 4;
const AT_ONCE = 8;

const numbers = (count) => Array.from({ length: count }, (_, number) => number);
const named = (owner, number) => `openrouter:${owner}-${number}`;

export const journeys = [
  {
    name: 'our writers beside four of its own, nothing is lost',
    async run({ home: newHome, numbers: isLong }) {
      const ours = isLong ? 96 : 12;
      const each = isLong ? 24 : 3;
      const home = await newHome();
      const login = (await home.login()).replace(/^openai-codex:/, 'openai:');
      const database = Database.takeOver(home);
      // The first builds the tables, before the others look at them.
      const workers = [await openclawNext(home)];
      await workers[0].ask('store', named('first', 0));
      workers.push(...await Promise.all(numbers(THEIRS - 1).map(() => openclawNext(home))));
      const kept = database.profiles[login];
      const idsOf = (worker) => numbers(each).map((number) => named(`theirs-${worker}`, number));
      const theirs = workers.map((worker, index) => worker.ask('store', ...idsOf(index)));
      const left = numbers(ours);
      let longest = 0;
      const lane = async () => {
        while (left.length > 0) {
          const { seconds } = succeeded(await home.paste(named('ours', left.pop())));
          longest = Math.max(longest, seconds);
        }
      };
      await Promise.all(numbers(AT_ONCE).map(lane));
      assert.deepEqual(await Promise.all(theirs), workers.map(() => each), 'OpenClaw stored all of its own');

      const { profiles } = database;
      const wanted = [...numbers(ours).map((number) => named('ours', number)), ...workers.flatMap((_, index) => idsOf(index))];
      assert.deepEqual(wanted.filter((id) => !profiles[id]), [], 'lost');
      assert.deepEqual(profiles[login], kept, 'the login is untouched');
      await Promise.all(workers.map((worker) => worker.stop()));
      assert.equal(database.integrity, 'ok');
      const listed = succeeded(await start(node, [fileOf('openclaw-next/openclaw.mjs'), 'models', 'auth', 'list', '--json'], home.options).ended);
      assert.equal(JSON.parse(listed.stdout).profiles.length, Object.keys(profiles).length, 'OpenClaw starts and lists all');
      return `${ours} of ours, ${each * THEIRS} of its own in ${THEIRS} processes, none lost; the slowest of ours took ${longest.toFixed(1)} s`;
    },
  },
];
