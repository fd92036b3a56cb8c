// The device authorization grant (RFC 8628): the code is entered on another device.
import assert from 'node:assert/strict';
import { complaint, succeeded } from '../rig/home.mjs';
import { needs } from '../rig/outcome.mjs';
import { visit } from '../rig/user-agent.mjs';

const LOGIN = ['models', 'auth', 'login', '--provider', 'openai-codex'];

/** A login with a device code, begun, and the address that a person is sent to. */
async function begin(home) {
  await needs(home, ['models', 'auth', 'login'], '--method');
  const own = { authorizationEndpoint: `${home.server.url}/oauth/authorize`, tokenEndpoint: `${home.server.url}/oauth/token`, deviceAuthorizationEndpoint: `${home.server.url}/oauth/device/code` };
  home.write('state/providers/openai-codex.json', own);
  const login = home.begin([...LOGIN, '--method', 'device', '--no-browser']);
  const [, code] = await login.says(/\b([A-Z]{4}-[A-Z]{4})\b/);
  return { login, address: `${home.server.url}/codex/device?user_code=${code}` };
}

export const journeys = [
  {
    name: 'the code is confirmed elsewhere, and the login is stored',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const { login, address } = await begin(home);
      await visit(address);
      const { stdout } = succeeded(await login.ended);
      assert.ok(home.profiles['openai-codex:alice@example.com']);
      assert.equal(server.counts.device, 1);
      return stdout.trim();
    },
  },
  {
    name: 'a person who says no leaves nothing behind',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const { login, address } = await begin(home);
      server.faults.deny = 1;
      await visit(address);
      const result = await login.ended;
      assert.notEqual(result.code, 0);
      assert.match(result.stderr, /^error: .*access_denied/m);
      assert.throws(() => home.profiles);
      return complaint(result);
    },
  },
];
