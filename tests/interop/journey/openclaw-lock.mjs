// The lock files of OpenClaw 2026.4.24: we honour its, and it honours ours, also for a minute.
import assert from 'node:assert/strict';
import path from 'node:path';
import { complaint, succeeded } from '../rig/home.mjs';
import { openclaw } from '../rig/openclaw.mjs';
import { Skipped } from '../rig/outcome.mjs';
import { program } from '../rig/place.mjs';
import { adopt, run, start, until } from '../rig/process.mjs';

const TOKEN = ['models', 'auth', 'token', '--provider', 'openai-codex'];
const seconds = (since) => (Date.now() - since) / 1000;

export const journeys = [
  {
    name: 'a document that it holds is waited for',
    async run({ home: newHome }) {
      const home = await newHome();
      await home.login();
      const worker = await openclaw(home);
      await worker.ask('hold', path.join(home.agent, 'auth-profiles.json'));
      const paste = home.paste('openrouter:ours');
      // Two seconds are longer than any paste takes that does not wait.
      await assert.rejects(until('the paste ends', () => home.profiles['openrouter:ours'], 2));
      assert.equal(home.holderOf(home.documentLock), worker.pid);
      await worker.ask('release');
      const { seconds: waited } = succeeded(await paste);
      assert.ok(home.profiles['openrouter:ours']);
      return `waited ${waited.toFixed(1)} s`;
    },
  },
  {
    name: 'a refresh that it holds is waited for, with a limit that names it',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const id = await home.loginExpired();
      const worker = await openclaw(home);
      await worker.ask('hold', home.refreshLock('openai-codex', id).slice(0, -'.lock'.length));
      const busy = await home.auth(...TOKEN, '--lock-timeout', '1s');
      assert.equal(busy.code, 5);
      assert.match(busy.stderr, new RegExp(`process ${worker.pid}\\b`));
      assert.equal(server.counts.refresh, 0);
      await worker.ask('release');
      await home.token();
      assert.equal(server.counts.refresh, 1);
      return complaint(busy);
    },
  },
  {
    name: 'a lock that it died with is taken at once',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const id = await home.loginExpired();
      const worker = await openclaw(home);
      await worker.ask('hold', path.join(home.agent, 'auth-profiles.json'));
      await worker.stop();
      const other = await openclaw(home);
      await other.ask('hold', home.refreshLock('openai-codex', id).slice(0, -'.lock'.length));
      await other.stop();
      const started = Date.now();
      await home.token();
      assert.equal(server.counts.refresh, 1);
      return `a token after ${seconds(started).toFixed(2)} s`;
    },
  },
  {
    name: 'a refresh that we hold for a minute is not made by it as well',
    async run({ home: newHome, server }) {
      const home = await newHome();
      const id = await home.loginExpired();
      const worker = await openclaw(home);
      // Half of the time that an answer may take.
      Object.assign(server.faults, { delay: 61_000 });
      const started = Date.now();
      const ours = home.begin([...TOKEN, '--lock-timeout', '90s']);
      const lock = home.refreshLock('openai-codex', id);
      // The worker of ours holds it; OpenClaw has not asked for it yet.
      const holder = await until('we hold the refresh', () => home.holderOf(lock));
      assert.notEqual(holder, worker.pid);
      const theirs = worker.ask('token', 'openai-codex');
      while (ours.isAlive && seconds(started) < 58) {
        assert.equal(home.holderOf(lock), holder, `after ${seconds(started)} s the lock is not ours`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      const { stdout } = succeeded(await ours.ended);
      const held = seconds(started);
      assert.ok(held > 60, `held for ${held} s only`);
      server.faults.delay = 0;
      assert.equal(await theirs, stdout.trim(), 'one token');
      assert.equal(server.counts.refresh, 1);
      return `held ${held.toFixed(0)} s, OpenClaw had the token after ${seconds(started).toFixed(0)} s`;
    },
  },
  {
    name: 'a document that we hold for a minute, on a disk that slow, is not taken from us',
    async run({ home: newHome }) {
      const home = await newHome();
      const id = await home.login();
      const strace = await run('strace', ['true'], home.options).catch(() => ({ code: 1 }));
      if (strace.code !== 0) throw new Skipped('strace does not work here');
      const worker = await openclaw(home);
      const slow = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync', '-e', 'inject=fsync:delay_enter=61000000:when=1'];
      const ours = start('strace', [...slow, program, 'models', 'auth', 'order', 'set', id], home.options);
      const holder = await until('we hold the document', () => home.holderOf(home.documentLock));
      // Without strace it would go on.
      adopt(holder);
      const started = Date.now();
      const theirs = worker.ask('order', 'openrouter', 'openrouter:theirs');
      while (ours.isAlive && seconds(started) < 58) {
        assert.equal(home.holderOf(home.documentLock), holder, `after ${seconds(started)} s the lock is not ours`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      succeeded(await ours.ended);
      const held = seconds(started);
      assert.ok(held > 55, `held for ${held} s only`);
      const got = await theirs;
      assert.deepEqual(home.orders['openai-codex'], [id], 'ours is stored');
      // OpenClaw gives up after 43 to 53 seconds, and then has changed nothing.
      assert.deepEqual(home.orders.openrouter, got ? ['openrouter:theirs'] : undefined);
      return `held ${held.toFixed(0)} s; OpenClaw ${got ? 'waited' : 'gave up, as it does'}`;
    },
  },
];
