// node refresh.mjs PACKAGE TOKEN_ENDPOINT PROFILE: prints what OpenClaw's own code gives out
// as the access token of a profile. Its requests go to the token endpoint, or nowhere.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [packageDirectory, tokenEndpoint, profileId] = process.argv.slice(2);
process.argv = [process.argv[0], join(packageDirectory, 'openclaw.mjs')];

const toServer = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  if (url.hostname !== 'auth.openai.com') throw new TypeError(`not in this test: ${url.origin}`);
  return toServer(tokenEndpoint, init);
};

// The file names of a build are hashes; the names in their last lines are not.
async function exported(prefix, name) {
  const directory = join(packageDirectory, 'dist');
  for (const file of readdirSync(directory)) {
    if (!file.startsWith(prefix) || !file.endsWith('.js')) continue;
    const path = join(directory, file);
    const found = readFileSync(path, 'utf8').match(new RegExp(`\\b${name} as (\\w+)`, 'g'))?.at(-1);
    if (found) return (await import(pathToFileURL(path)))[found.split(' ').at(-1)];
  }
  throw new Error(`this build of OpenClaw exports no ${name}`);
}

const ensureStore = await exported('store-', 'ensureAuthProfileStore');
const resolve = await exported('auth-profiles-', 'resolveApiKeyForProfile');
const resolved = await resolve({ cfg: {}, store: ensureStore(), profileId });
if (!resolved) throw new Error('it resolved nothing');
process.stdout.write(`${resolved.apiKey}\n`, () => process.exit(0));
