// Refreshing at a server that rotates refresh tokens and detects their reuse.
import assert from 'node:assert/strict';
import { complaint, succeeded } from '../rig/home.mjs';

const TOKEN = ['models', 'auth', 'token', '--provider', 'openai-codex'];

export const journeys = [
  {
    name: 'an expired token is refreshed, and the grant rotates',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const id = await home.loginExpired();
      const before = home.profiles[id];
      const token = await home.token();
      const after = home.profiles[id];
      assert.notEqual(token, before.access);
      assert.equal(token, after.access, 'it is on disk before it is printed');
      assert.notEqual(after.refresh, before.refresh);
      assert.equal(after.accountId, before.accountId);
      assert.equal(await home.token(), token, 'the next caller makes no request');
      assert.equal(server.counts.refresh, 1);
      return 'one request';
    },
  },
  {
    name: 'fifty processes, one request',
    async run({ home: newHome, server }) {
      const home = await newHome();
      await home.loginExpired();
      server.faults.delay = 300;
      const tokens = await Promise.all(Array.from({ length: 50 }, () => home.token()));
      assert.equal(new Set(tokens).size, 1);
      assert.equal(server.counts.refresh, 1);
      assert.equal(server.counts.reused, 0);
      return '50 processes, 1 request, 1 token';
    },
  },
  {
    name: 'a stolen copy that was spent first: exit 3, the reason, and no second try',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const id = await home.login();
      assert.equal((await server.spend(home.profiles[id].refresh)).status, 200, 'the thief is first');
      const refused = await home.auth(...TOKEN, '--force-refresh');
      assert.equal(refused.code, 3);
      assert.equal(refused.stdout, '');
      assert.match(refused.stderr, /^error: .*invalid_grant/m);
      assert.match(refused.stderr, /^hint: .*models auth login/m);
      assert.equal(server.counts.reused, 1);
      const again = await home.auth(...TOKEN, '--force-refresh');
      assert.equal(again.code, 3);
      assert.equal(server.counts.refresh, 2, 'a refused token is not posted again');
      return complaint(refused);
    },
  },
  {
    name: 'a thief who comes second ends the grant: our next refresh says so, and a login repairs it',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const id = await home.login();
      const stolen = home.profiles[id].refresh;
      await home.token('--force-refresh');
      assert.equal((await server.spend(stolen)).status, 400);
      assert.equal(server.counts.reused, 1);
      const refused = await home.auth(...TOKEN, '--force-refresh');
      assert.equal(refused.code, 3);
      assert.match(refused.stderr, /^error: .*invalid_grant/m);
      assert.equal(await home.login(), id);
      await home.token('--force-refresh');
      return complaint(refused);
    },
  },
  {
    name: 'a server that has no time (429) is asked again, and marks nothing',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const id = await home.login();
      const before = home.profiles[id].refresh;
      Object.assign(server.faults, { fail: 1, failStatus: 429 });
      await home.token('--force-refresh');
      assert.notEqual(home.profiles[id].refresh, before);
      server.faults.fail = 99;
      const unavailable = await home.auth(...TOKEN, '--force-refresh');
      assert.equal(unavailable.code, 4);
      server.faults.fail = 0;
      const asked = server.counts.refresh;
      assert.equal((await home.auth(...TOKEN, '--force-refresh')).code, 4, 'the failure is shared');
      assert.equal(server.counts.refresh, asked, 'and nothing is posted');
      home.letPass(5);
      await home.token('--force-refresh');
      return complaint(unavailable);
    },
  },
  {
    name: 'an answer that is lost after the rotation: exit 4, the next caller says why a login is needed',
    async run({ home: newHome, server }) {
      const home = await newHome();
      await home.login();
      server.faults.drop = 1;
      const lost = await home.auth(...TOKEN, '--force-refresh');
      assert.equal(lost.code, 4);
      assert.equal((await home.auth(...TOKEN, '--force-refresh')).code, 4, 'it is too early');
      assert.equal(server.counts.refresh, 1);
      home.letPass(10);
      const next = await home.auth(...TOKEN, '--force-refresh');
      assert.equal(next.code, 3);
      assert.match(next.stderr, /is unknown/);
      assert.equal(server.counts.refresh, 2, 'exactly one more try');
      return complaint(next);
    },
  },
  {
    name: 'a token that an API rejected is reported, and the next one is fresh',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const id = await home.login();
      const rejected = await home.token();
      succeeded(await home.auth('models', 'auth', 'report', '--profile', id, '--reason', 'auth'));
      assert.notEqual(await home.token(), rejected);
      assert.equal(server.counts.refresh, 1);
      return 'one request';
    },
  },
];
