// Signing in where no browser reaches the program: the redirect URL is pasted, or comes in on
// standard input, or in a second command.
import assert from 'node:assert/strict';
import { complaint, lastEvent, succeeded, urlOf } from '../rig/home.mjs';
import { needs } from '../rig/outcome.mjs';
import { program } from '../rig/place.mjs';
import { start } from '../rig/process.mjs';
import { visit } from '../rig/user-agent.mjs';

const AUTH = ['models', 'auth'];
const LOGIN = [...AUTH, 'login', '--provider', 'openai-codex', '--no-browser'];

/** The redirect that a browser elsewhere ends on, which nobody there answers. */
const redirectOf = async (url) => (await visit(url, { stopAtRedirect: true })).url;

/** A login on a terminal: `script` gives the program one. */
const onTerminal = (home) =>
  start('script', ['--quiet', '--return', '--flush', '--command', [program, ...LOGIN].join(' '), '/dev/null'], home.options);

export const journeys = [
  {
    name: 'the redirect URL is pasted at the prompt of a terminal',
    async run({ home: newHome }) {
      const home = await newHome();
      const login = onTerminal(home);
      login.write(`${await redirectOf(await urlOf(login))}\r`);
      const { stdout } = succeeded(await login.ended);
      assert.ok(home.profiles['openai-codex:alice@example.com']);
      return stdout.trim().split('\n').at(-1).trim();
    },
  },
  {
    name: 'a redirect of another login is refused at the prompt, and the right one then taken',
    async run({ home: newHome }) {
      const home = await newHome();
      const login = onTerminal(home);
      const redirect = await redirectOf(await urlOf(login));
      login.write(`${redirect.replace(/state=[^&]*/, 'state=of-another-login')}\r`);
      const [refusal] = await login.says(/.*does not belong to this login.*/);
      login.write(`${redirect}\r`);
      succeeded(await login.ended);
      assert.ok(home.profiles['openai-codex:alice@example.com']);
      return refusal.trim();
    },
  },
  {
    name: 'the redirect URL comes in on standard input',
    async run({ home: newHome }) {
      const home = await newHome();
      const login = home.begin([...LOGIN, '--json']);
      login.process.stdin.end(`${await redirectOf(await urlOf(login))}\n`);
      const { profileId } = lastEvent(await login.ended);
      assert.equal(profileId, 'openai-codex:alice@example.com');
      return profileId;
    },
  },
  {
    name: 'a redirect with a spent code changes nothing',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const login = home.begin(LOGIN);
      const redirect = await redirectOf(await urlOf(login));
      login.process.stdin.end(`${redirect.replace(/code=[^&]*/, 'code=spent')}\n`);
      const result = await login.ended;
      assert.notEqual(result.code, 0);
      assert.equal(result.stdout, '');
      assert.match(result.stderr, /^error: .*invalid_grant/m);
      assert.equal(server.counts.code, 1);
      return complaint(result);
    },
  },
  {
    name: 'login start and login finish are two processes',
    async run({ home: newHome }) {
      const home = await newHome();
      await needs(home, [...AUTH, 'login'], 'start');
      const begun = JSON.parse(succeeded(await home.auth(...AUTH, 'login', 'start', '--provider', 'openai-codex', '--json')).stdout);
      const finish = () => home.begin([...AUTH, 'login', 'finish', '--redirect-url', '-', '--json']);
      const redirect = `${await redirectOf(begun.url)}\n`;
      const finished = finish();
      finished.process.stdin.end(redirect);
      assert.equal(lastEvent(await finished.ended).profileId, 'openai-codex:alice@example.com');
      const again = finish();
      again.process.stdin.end(redirect);
      assert.notEqual((await again.ended).code, 0, 'a login is finished once');
      return `started ${begun.loginId}, finished by another process`;
    },
  },
];
