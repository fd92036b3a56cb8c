// Signing in with a code that is entered on another device.
import assert from 'node:assert/strict';
import { complaint, lastEvent, succeeded, urlOf } from '../rig/home.mjs';
import { needs } from '../rig/outcome.mjs';
import { visit } from '../rig/user-agent.mjs';

const LOGIN = ['models', 'auth', 'login'];
const CODEX = ['--provider', 'openai-codex', '--method', 'device'];
const ID = 'openai-codex:alice@example.com';

/** A home at whose server the standard is spoken (RFC 8628), not OpenAI's own way. */
async function standardHome(newHome) {
  const home = await newHome();
  await needs(home, LOGIN, '--method');
  home.provider.device = {
    flow: 'standard', authorizationEndpoint: `${home.server.url}/oauth/device/code`,
    tokenEndpoint: null, verificationUri: null, redirectUri: null,
  };
  home.writeProvider();
  return home;
}

/** The address that confirms the code which a login shows. */
async function addressOf(server, login) {
  const [code] = await login.says(/\b[A-Z]{4}-[A-Z]{4}\b/);
  return `${server.url}/codex/device?user_code=${code}`;
}

export const journeys = [
  {
    name: 'RFC 8628: the code is confirmed elsewhere, and the login is stored',
    async run({ home: newHome, server }) {
      const home = await standardHome(newHome);
      const login = home.begin([...LOGIN, ...CODEX]);
      await visit(await addressOf(server, login));
      succeeded(await login.ended);
      assert.ok(home.profiles[ID]);
      assert.equal(server.counts.device, 1);
      await home.token('--force-refresh');
      assert.equal(server.counts.refreshed, 1);
      return ID;
    },
  },
  {
    name: 'RFC 8628: a person who says no leaves nothing behind',
    async run({ home: newHome, server }) {
      const home = await standardHome(newHome);
      const login = home.begin([...LOGIN, ...CODEX]);
      const address = await addressOf(server, login);
      server.faults.deny = 1;
      await visit(address);
      const result = await login.ended;
      assert.notEqual(result.code, 0);
      assert.match(result.stderr, /^error: .*access_denied/m);
      assert.throws(() => home.profiles, { code: 'ENOENT' });
      return complaint(result);
    },
  },
  {
    name: 'RFC 8628 in two steps: started, confirmed, finished by another process',
    async run({ home: newHome, server }) {
      const home = await standardHome(newHome);
      const begun = JSON.parse(succeeded(await home.auth(...LOGIN, 'start', ...CODEX, '--json')).stdout);
      await visit(begun.verificationUriComplete);
      const { profileId } = lastEvent(await home.auth(...LOGIN, 'finish', '--login', begun.loginId, '--json'));
      assert.equal(profileId, ID);
      assert.equal(server.counts.device, 1);
      return `${begun.userCode} at ${begun.verificationUri.replace(server.url, '')}`;
    },
  },
  {
    name: 'OpenAI\'s own pairing: the code is confirmed elsewhere, and the login is stored',
    async run({ home: newHome, server }) {
      const home = await newHome();
      await needs(home, LOGIN, '--method');
      const login = home.begin([...LOGIN, ...CODEX]);
      server.confirm((await login.says(/\b[0-9A-F]{8}\b/))[0]);
      succeeded(await login.ended);
      assert.ok(home.profiles[ID]);
      assert.deepEqual([server.counts.code, server.counts.device], [1, 0]);
      return ID;
    },
  },
  {
    name: 'with the browser\'s redirect open as well, the code that is confirmed first ends the login',
    async run({ home: newHome, server }) {
      const home = await newHome();
      await needs(home, LOGIN, '--method');
      const login = home.begin([...LOGIN, '--provider', 'openai-codex', '--no-browser']);
      await urlOf(login);
      server.confirm((await login.says(/^ *([0-9A-F]{8})$/m))[1]);
      succeeded(await login.ended);
      assert.ok(home.profiles[ID]);
      assert.equal(server.counts.code, 1);
      return ID;
    },
  },
];
