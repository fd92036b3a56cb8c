// One person's machine: a home directory, a state directory, and a provider definition that
// sends the login to the rig. Everything in it is thrown away at the end.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileOf, node, program } from './place.mjs';
import { run, start, until } from './process.mjs';
import { visit } from './user-agent.mjs';

/** A loopback port that nobody listens on. */
const freePort = () => new Promise((resolve) => {
  const probe = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});

export class Home {
  static #all = new Set();

  static async create(server) {
    const home = new Home();
    Home.#all.add(home);
    home.server = server;
    home.base = mkdtempSync(path.join(os.tmpdir(), 'openclaw-auth-interop-'));
    home.state = path.join(home.base, 'state');
    for (const folder of ['home', 'state/providers', 'codex', 'workspace']) {
      mkdirSync(path.join(home.base, folder), { recursive: true, mode: 0o700 });
    }
    const pairing = `${server.url}/api/accounts/deviceauth`;
    home.provider = {
      authorizationEndpoint: `${server.url}/oauth/authorize`,
      tokenEndpoint: `${server.url}/oauth/token`,
      revocationEndpoint: `${server.url}/oauth/revoke`,
      redirect: { ports: [await freePort()] },
      device: {
        authorizationEndpoint: `${pairing}/usercode`, tokenEndpoint: `${pairing}/token`,
        verificationUri: `${server.url}/codex/device`, redirectUri: `${server.url}/deviceauth/callback`,
      },
    };
    home.writeProvider();
    return home;
  }

  get env() {
    return {
      PATH: process.env.PATH, HOME: path.join(this.base, 'home'), OPENCLAW_STATE_DIR: this.state,
      CODEX_HOME: path.join(this.base, 'codex'), NO_COLOR: '1', LANG: 'C.UTF-8', TERM: 'xterm',
    };
  }

  get options() { return { env: this.env, cwd: path.join(this.base, 'workspace') }; }
  get agent() { return path.join(this.state, 'agents/main/agent'); }

  write(name, content) {
    const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2);
    writeFileSync(path.join(this.base, name), text, { mode: 0o600 });
  }

  /** Writes `this.provider`, which goes over the row of the catalog. */
  writeProvider() { this.write('state/providers/openai-codex.json', this.provider); }

  /** The profiles as they are on disk. */
  get profiles() {
    return JSON.parse(readFileSync(path.join(this.agent, 'auth-profiles.json'), 'utf8')).profiles;
  }

  /** The stored orders as they are on disk. */
  get orders() {
    return JSON.parse(readFileSync(path.join(this.agent, 'auth-state.json'), 'utf8')).order;
  }

  /** The lock of the credential document. */
  get documentLock() { return path.join(this.agent, 'auth-profiles.json.lock'); }

  /** The lock on refreshing a profile, named as OpenClaw names it. */
  refreshLock(provider, id) {
    const name = createHash('sha256').update(`${provider}\0${id}`).digest('hex');
    return path.join(this.state, `locks/oauth-refresh/sha256-${name}.lock`);
  }

  /** The process that a lock file names; nothing when there is none. */
  holderOf(lock) {
    try { return JSON.parse(readFileSync(lock, 'utf8')).pid; } catch { return undefined; }
  }

  /** Makes what is remembered of failed refreshes so many seconds older. */
  letPass(seconds) {
    for (const folder of [path.join(this.state, 'locks/oauth-refresh'), this.agent]) {
      for (const name of readdirSync(folder).filter((it) => it.endsWith('.outcome'))) {
        const file = path.join(folder, name);
        const outcome = JSON.parse(readFileSync(file, 'utf8'));
        writeFileSync(file, JSON.stringify({ ...outcome, at: outcome.at - seconds * 1000 }));
      }
    }
  }

  /** Runs the program under test to its end. */
  auth(...args) { return run(program, args, this.options); }

  /** Starts the program under test. */
  begin(args, env = {}) { return start(program, args, { ...this.options, env: { ...this.env, ...env } }); }

  /** `models auth token`: what it prints, or a failure that says why not. */
  async token(...args) {
    const result = await this.auth('models', 'auth', 'token', '--provider', 'openai-codex', ...args);
    return succeeded(result).stdout.trim();
  }

  /** Signs in, opening the URL as a person would; returns the profile id. */
  async login(account = 'alice@example.com', args = []) {
    this.server.faults.account = account;
    const login = this.begin(['models', 'auth', 'login', '--provider', 'openai-codex', '--no-browser', '--json', ...args]);
    await visit(await urlOf(login));
    return lastEvent(await login.ended).profileId;
  }

  /** Signs in with an access token that has expired by the time this returns. */
  async loginExpired() {
    this.server.faults.lifetime = 1;
    const id = await this.login();
    await until('the token expires', () => Date.now() > this.profiles[id].expires, 5);
    this.server.faults.lifetime = 600;
    return id;
  }

  /** Stores a token under a profile id. */
  paste(id) {
    const args = ['models', 'auth', 'paste-token', '--provider', id.split(':')[0], '--profile-id', id];
    return run(program, args, { ...this.options, input: `fake-of-ours-${id}\n` });
  }

  /** Runs OpenClaw on the same files, without the plugins, which would be installed first. */
  openclaw(...args) {
    const input = typeof args[0] === 'object' ? args.shift() : {};
    return run(node, [fileOf('openclaw/openclaw.mjs'), ...args], { ...this.openclawOptions, ...input });
  }

  get openclawOptions() {
    return { ...this.options, env: { ...this.env, OPENCLAW_DISABLE_BUNDLED_PLUGINS: '1' } };
  }

  static removeAll() {
    for (const { base } of Home.#all) if (base) rmSync(base, { recursive: true, force: true });
    Home.#all.clear();
  }
}

/** The URL that a login prints. */
export const urlOf = async (login) => (await login.says(/https?:\/\/\S+\/oauth\/authorize\S*/)).at(0);

/** The result of a process that has succeeded. */
export function succeeded(result) {
  if (result.code === 0) return result;
  throw new Error(`${result.command} ended with ${result.code ?? result.signal}: ${result.stdout}${result.stderr}`);
}

/** The event that `--json` ends with, of a process that has succeeded. */
export const lastEvent = (result) => JSON.parse(succeeded(result).stdout.trim().split('\n').at(-1));

/** What a failed command says of its failure, without the notes before it. */
export const complaint = ({ code, stderr }) => `exit ${code}: ${stderr.slice(Math.max(0, stderr.search(/^error:/m))).trim()}`;
