// Claude Code, the real one: we import the login that it wrote, and it runs on our tokens.
import assert from 'node:assert/strict';
import { startApi } from '../rig/api.mjs';
import { claude, signIn } from '../rig/claude.mjs';
import { succeeded } from '../rig/home.mjs';
import { needs } from '../rig/outcome.mjs';
import { program } from '../rig/place.mjs';
import { run } from '../rig/process.mjs';

const ID = 'anthropic:alice@example.com';

async function importLogin(home, how) {
  await needs(home, ['models', 'auth'], 'import');
  return JSON.parse(succeeded(await home.auth('models', 'auth', 'import', 'claude', how, '--json')).stdout);
}

/** A home with a token of ours for Anthropic, and an API that accepts no other. */
async function withToken(newHome, work) {
  const home = await newHome();
  const token = `sk-ant-oat01-${'fake'.repeat(20)}`;
  const paste = ['models', 'auth', 'paste-token', '--provider', 'anthropic'];
  succeeded(await run(program, paste, { ...home.options, input: `${token}\n` }));
  const api = await startApi((shown) => shown === token);
  try { return await work(home, api, token); } finally { await api.stop(); }
}

const hello = (home, api, env) => claude(home, ['-p', 'say hello'], { ANTHROPIC_BASE_URL: api.url, ...env });

export const journeys = [
  {
    name: 'a copied login is what it wrote, and it stays signed in',
    async run({ home: newHome }) {
      const home = await newHome();
      const theirs = await signIn(home);
      await importLogin(home, '--copy');
      const { access, refresh, expires } = home.profiles[ID];
      assert.deepEqual([access, refresh, expires], [theirs.accessToken, theirs.refreshToken, theirs.expiresAt]);
      const { stdout } = succeeded(await home.auth('models', 'auth', 'token', '--provider', 'anthropic'));
      assert.equal(stdout.trim(), theirs.accessToken);
      assert.equal(JSON.parse(succeeded(await claude(home, ['auth', 'status'])).stdout).loggedIn, true);
      return ID;
    },
  },
  {
    name: 'a moved login is ours alone: Claude Code says that it is signed out',
    async run({ home: newHome }) {
      const home = await newHome();
      const theirs = await signIn(home);
      await importLogin(home, '--move');
      const status = await claude(home, ['auth', 'status']);
      assert.equal(JSON.parse(status.stdout).loggedIn, false);
      assert.equal(home.profiles[ID].refresh, theirs.refreshToken);
      return `auth status: exit ${status.code}`;
    },
  },
  {
    name: 'a token of ours in its environment is accepted, a bad one refused',
    run: ({ home: newHome }) => withToken(newHome, async (home, api, token) => {
      const { stdout } = succeeded(await home.auth('models', 'auth', 'token', '--provider', 'anthropic'));
      const good = succeeded(await hello(home, api, { CLAUDE_CODE_OAUTH_TOKEN: stdout.trim() }));
      assert.equal(good.stdout.trim(), 'hello from the rig');
      assert.deepEqual(api.tokens, [token]);
      const bad = await hello(home, api, { CLAUDE_CODE_OAUTH_TOKEN: `${token}-bad` });
      assert.equal(bad.code, 1);
      return `"${good.stdout.trim()}"; "${bad.stdout.trim()}"`;
    }),
  },
];
