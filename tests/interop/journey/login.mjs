// Signing in through a browser: the redirect comes back to the listener of the program.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { complaint, lastEvent, succeeded, urlOf } from '../rig/home.mjs';
import { Skipped } from '../rig/outcome.mjs';
import { installed, load, node } from '../rig/place.mjs';
import { visit } from '../rig/user-agent.mjs';

const CHROMIUM = '/usr/bin/chromium';
const LOGIN = ['models', 'auth', 'login', '--provider', 'openai-codex'];
const userAgent = path.join(import.meta.dirname, '../rig/user-agent.mjs');

export const journeys = [
  {
    name: 'the program opens $BROWSER, and the redirect ends the login',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const login = home.begin([...LOGIN, '--json'], { BROWSER: `${node} ${userAgent} %s`, DISPLAY: ':0' });
      const { profileId } = lastEvent(await login.ended);
      assert.equal(profileId, 'openai-codex:alice@example.com');
      const profile = home.profiles[profileId];
      assert.equal(profile.type, 'oauth');
      assert.match(profile.accountId, /^[0-9a-f-]{36}$/);
      assert.equal(server.counts.code, 1);
      assert.equal(await home.token(), profile.access, 'a fresh token is not refreshed');
      assert.equal(server.counts.refresh, 0);
      return `${profileId}, one code exchanged`;
    },
  },
  {
    name: 'real Chromium shows the reply page',
    async run({ home: newHome }) {
      if (!existsSync(CHROMIUM)) throw new Skipped('chromium is not installed');
      const { default: { chromium } } = await load('playwright-core');
      const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-background-networking'] });
      try {
        const page = await browser.newPage();
        const complaints = [];
        page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
        const home = await newHome();
        const login = home.begin([...LOGIN, '--no-browser', '--json']);
        await page.goto(await urlOf(login));
        await login.ended.then(succeeded);
        const text = (await page.textContent('body')).replace(/\s+/g, ' ').trim();
        assert.match(text, /alice@example\.com|signed in/i);
        const picture = path.join(installed, 'reply-page.png');
        await page.screenshot({ path: picture });
        assert.deepEqual(complaints, [], 'the page asks for nothing that is not there');
        return `"${text}", target/interop/reply-page.png`;
      } finally { await browser.close(); }
    },
  },
  {
    name: 'a person who says no leaves nothing behind',
    async run({ home: newHome, server }) {
      const home = await newHome();
      server.faults.deny = 1;
      const login = home.begin([...LOGIN, '--no-browser']);
      const page = await visit(await urlOf(login));
      const result = await login.ended;
      assert.notEqual(result.code, 0);
      assert.match(result.stderr, /^error: .*access_denied/m);
      assert.equal(result.stdout, '');
      assert.match(page.body, /Sign-in did not complete/);
      assert.equal(existsSync(home.agent), false, 'nothing is written');
      assert.equal(server.counts.code, 0);
      return complaint(result);
    },
  },
  {
    name: 'two accounts of one person stay two profiles',
    async run({ home: newHome }) {
      const home = await newHome();
      const first = await home.login('bob@example.com');
      const second = await home.login('bob@example.com#team');
      assert.notEqual(first, second);
      const accounts = [first, second].map((id) => home.profiles[id].accountId);
      assert.notEqual(accounts[0], accounts[1]);
      const again = await home.login('bob@example.com#team');
      assert.equal(again, second, 'the same account signs in to its own profile');
      return `${first} and ${second}`;
    },
  },
  {
    name: 'logout revokes: the server no longer accepts the refresh token',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const id = await home.login();
      const { refresh } = home.profiles[id];
      const result = succeeded(await home.auth('models', 'auth', 'logout', id, '--json'));
      assert.equal(server.counts.revoked, 1);
      const answer = await server.spend(refresh);
      assert.equal(answer.status, 400);
      assert.equal((await answer.json()).error, 'invalid_grant');
      assert.deepEqual(Object.keys(home.profiles), []);
      const { code } = await home.auth('models', 'auth', 'token', '--provider', 'openai-codex');
      assert.equal(code, 3);
      return result.stdout.trim();
    },
  },
];
