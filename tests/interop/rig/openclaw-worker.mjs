// One OpenClaw process that does what it is told: OpenClaw's own functions, called through the
// modules that it publishes for plugins. A line of JSON in, `[name, ...arguments]`; a line out.
import readline from 'node:readline';
import { load } from './place.mjs';

const published = (name) => load(`${process.env.INTEROP_OPENCLAW}/plugin-sdk/${name}`);
const { acquireFileLock } = await published('file-lock');
const { upsertAuthProfileWithLock } = await published('provider-auth');
const { setAuthProfileOrder } = await published('agent-runtime');
const { resolveApiKeyForProvider } = await published('provider-auth-runtime');

let held;
const todo = {
  /** The access token of a provider, refreshed when it has expired. */
  token: async (provider) => (await resolveApiKeyForProvider({ provider, cfg: {} })).apiKey,
  /** Stores tokens under these profile ids, one after the other; how many were stored. */
  async store(...ids) {
    let stored = 0;
    for (const profileId of ids) {
      const credential = { type: 'token', provider: profileId.split(':')[0], token: `fake-of-openclaw-${profileId}` };
      if (await upsertAuthProfileWithLock({ profileId, credential })) stored += 1;
    }
    return stored;
  },
  order: async (provider, ...order) => (await setAuthProfileOrder({ provider, order })) !== null,
  /** Takes the lock beside a file, as OpenClaw takes that of its store. */
  async hold(path) {
    const retries = { retries: 10, factor: 2, minTimeout: 100, maxTimeout: 10_000, randomize: true };
    held = await acquireFileLock(path, { stale: 30_000, retries });
    return true;
  },
  async release() {
    await held.release();
    return true;
  },
};

process.stdout.write('"ready"\n');
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [name, ...args] = JSON.parse(line);
  let answer;
  try { answer = { value: await todo[name](...args) }; } catch (error) { answer = { error: String(error.message) }; }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
