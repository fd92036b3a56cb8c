// The lines that `import --move` prints so that a tool can use the moved login from here: each is
// pasted into the tool it is for, and the tool's model call must arrive, at the API of the
// subscription, with our access token. And the line that the README has for curl.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { apart } from '../rig/apart.mjs';
import { succeeded } from '../rig/home.mjs';
import { program, root } from '../rig/place.mjs';
import { run } from '../rig/process.mjs';
import { EXCHANGED } from '../rig/services.mjs';

const FAR = 4_102_444_800_000;
const REFRESH = 'fake-refresh-of-a-login';
const ACCOUNT = 'fake-account';

/** An access token of ChatGPT, which names its account. */
function chatGptToken(serial) {
  const part = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');
  const auth = { chatgpt_account_id: ACCOUNT, chatgpt_plan_type: 'pro', chatgpt_user_id: 'fake-user' };
  const claims = {
    exp: FAR / 1_000, jti: `fake-${serial}`,
    'https://api.openai.com/auth': auth, 'https://api.openai.com/profile': { email: 'alice@example.com' },
  };
  return `${part({ alg: 'none' })}.${part(claims)}.c2ln`;
}

/** Writes a file below the home directory of `home`. */
function write(home, name, content) {
  mkdirSync(path.join(home.base, 'home', path.dirname(name)), { recursive: true, mode: 0o700 });
  home.write(path.join('home', name), content);
}

/** Moves the login of a tool here; returns the profile, and the lines that are printed. */
async function move(home, tool, args) {
  const command = ['models', 'auth', 'import', tool, '--move', ...args];
  const env = { ...home.env, CODEX_HOME: undefined };
  const { stderr } = succeeded(await run(program, command, { ...home.options, env }));
  const [heading, ...lines] = stderr.trimEnd().split('\n');
  assert.match(heading, /^To let .* use this login:$/);
  return { profile: Object.keys(home.profiles).at(-1), lines: lines.map((line) => line.replace(/^ {2}/, '')) };
}

/** Does what the lines say: writes the file that they name, or returns the command. */
function follow(home, lines) {
  const file = /^~\/(\S+):$/.exec(lines[0])?.[1];
  if (file) write(home, file, `${lines.slice(1).map((line) => line.replace(/^ {2}/, '')).join('\n')}\n`);
  return file ? undefined : lines;
}

/** Puts another access token in the place of one of a profile of ours. */
function replaceToken(home, profile, token) {
  const file = path.join(home.agent, 'auth-profiles.json');
  const text = readFileSync(file, 'utf8');
  const { access, token: stored, key } = home.profiles[profile];
  writeFileSync(file, text.replace(JSON.stringify(access ?? stored ?? key), JSON.stringify(token)), { mode: 0o600 });
}

/** Fails unless the model was called at `at`, with `token` and nothing else. */
function checkCalls({ asked, stdout, stderr, code }, { at, header = 'token', account }, token) {
  const calls = asked.filter(({ isModelCall, method }) => isModelCall && method === 'POST');
  const shown = calls.map((call) => [`${call.host}${call.path}`, call[header], call.status]);
  assert.notEqual(shown.length, 0, `no model was called: exit ${code}: ${stdout}${stderr}`);
  for (const call of shown) assert.deepEqual(call, [at, token, 200]);
  for (const call of calls) assert.equal(call.account, account);
  assert.doesNotMatch(JSON.stringify(asked), new RegExp(REFRESH), 'the refresh token stays here');
}

const CHATGPT = { at: 'chatgpt.com/backend-api/codex/responses', account: ACCOUNT };
const oauth = (access) => ({ type: 'oauth', access, refresh: REFRESH, expires: FAR, accountId: ACCOUNT });

/**
 * A journey for the lines of one login. `file` and `login(access)` are what the tool keeps; `args`
 * goes behind the command, or `command` is what uses the file that the lines name; `call` is what
 * must arrive. `given` is what our program prints for the stored token, where that is another.
 */
const hint = ({ name, tool, file, login, tokens, args, command, call, given, env, options = [] }) => ({
  name,
  async run({ home: newHome }) {
    const home = await newHome();
    const [first, second] = tokens;
    write(home, file, login(first));
    const { profile, lines } = await move(home, tool, options);
    const pasted = follow(home, lines);
    const text = pasted ? [`${pasted[0]} ${args}`, ...pasted.slice(1)].join('\n') : command(lines);
    // The second time, another token is stored: it is asked for anew.
    for (const token of [first, second]) {
      replaceToken(home, profile, token);
      const result = await apart(home, `${text}\n`, [token, ...(given ? [given] : [])], env);
      checkCalls(result, call, given ?? token);
    }
    return `${call.at}, for ${profile}`;
  },
});

const chatGptTokens = ['first', 'second'].map(chatGptToken);
const named = (prefix) => ['first', 'second'].map((serial) => `${prefix}fake-${serial}${'0'.repeat(40)}`);
const SAY = "'say hello' </dev/null";

const HINTS = [
  {
    name: 'Codex asks us through its table', tool: 'codex', file: '.codex/auth.json', tokens: chatGptTokens, call: CHATGPT,
    login: (access) => ({
      auth_mode: 'chatgpt', OPENAI_API_KEY: null, last_refresh: '2026-11-28T04:00:00Z',
      tokens: { id_token: access, access_token: access, refresh_token: REFRESH, account_id: ACCOUNT },
    }),
    command: () => `codex exec --skip-git-repo-check ${SAY}`,
  },
  {
    name: 'Codex with an API key', tool: 'codex', file: '.codex/auth.json', tokens: named('sk-'),
    login: (key) => ({ auth_mode: 'apikey', OPENAI_API_KEY: key }),
    args: `--skip-git-repo-check ${SAY}`, call: { at: 'api.openai.com/v1/responses' },
  },
  {
    name: 'Claude Code by its variable, with a key in the environment', tool: 'claude', file: '.claude/.credentials.json',
    tokens: named('sk-ant-oat01-'), call: { at: 'api.anthropic.com/v1/messages' },
    login: (accessToken) => ({
      claudeAiOauth: { accessToken, refreshToken: REFRESH, expiresAt: FAR, scopes: ['user:inference', 'user:profile'], subscriptionType: 'max' },
    }),
    args: "-p 'say hello'", env: { ANTHROPIC_API_KEY: 'sk-ant-fake-key', ANTHROPIC_AUTH_TOKEN: 'fake-token-of-another' },
  },
  {
    name: 'Gemini CLI', tool: 'gemini', file: '.gemini/oauth_creds.json', tokens: named('ya29.'),
    login: (access_token) => ({ access_token, refresh_token: REFRESH, token_type: 'Bearer', expiry_date: FAR }),
    args: "-m gemini-2.5-flash -p 'say hello'", call: { at: 'cloudcode-pa.googleapis.com/v1internal:streamGenerateContent' },
    env: { GEMINI_CLI_TRUST_WORKSPACE: 'true' },
  },
  {
    name: 'Copilot CLI with the GitHub token', tool: 'copilot', file: '.config/github-copilot/apps.json', tokens: named('gho_'),
    login: (oauth_token) => ({ 'github.com:Iv1.fake': { user: 'alice', oauth_token, githubAppId: 'Iv1.fake' } }),
    args: "-p 'say hello'", call: { at: 'api.individual.githubcopilot.com/chat/completions' },
  },
  {
    name: 'opencode with a login of ChatGPT', tool: 'opencode', file: '.local/share/opencode/auth.json', tokens: chatGptTokens,
    login: (access) => ({ openai: oauth(access) }), args: "run -m openai/gpt-5.5 'say hello'", call: CHATGPT,
  },
  {
    name: 'opencode with GitHub Copilot', tool: 'opencode', file: '.local/share/opencode/auth.json', tokens: named('gho_'),
    login: (refresh) => ({ 'github-copilot': { type: 'oauth', access: '', refresh, expires: 0 } }),
    args: "run -m github-copilot/gpt-4.1 'say hello'", call: { at: 'api.githubcopilot.com/chat/completions' },
  },
  {
    name: 'opencode with an API key', tool: 'opencode', file: '.local/share/opencode/auth.json', tokens: named('sk-'),
    login: (key) => ({ openai: { type: 'api', key } }), args: "run -m openai/gpt-5.5 'say hello'",
    call: { at: 'api.openai.com/v1/responses' },
  },
  {
    name: 'pi asks us through models.json', tool: 'pi', file: '.pi/agent/auth.json', tokens: chatGptTokens, call: CHATGPT,
    login: (access) => ({ 'openai-codex': oauth(access) }),
    command: (lines) => `${/\/\/ (pi .*)/.exec(lines[1])[1]} -p 'say hello'`,
  },
  {
    name: 'pi with a login of Claude', tool: 'pi', file: '.pi/agent/auth.json', tokens: named('sk-ant-oat01-'),
    login: (access) => ({ anthropic: { type: 'oauth', access, refresh: REFRESH, expires: FAR } }),
    command: () => "pi --provider anthropic --model claude-sonnet-4-5 -p 'say hello'", call: { at: 'api.anthropic.com/v1/messages' },
  },
  {
    name: 'pi with an API key', tool: 'pi', file: '.pi/agent/auth.json', tokens: named('sk-'),
    login: (key) => ({ openai: { type: 'api_key', key } }),
    command: () => "pi --provider openai --model gpt-5.5 -p 'say hello'", call: { at: 'api.openai.com/v1/responses' },
  },
  {
    name: 'pi with GitHub Copilot', tool: 'pi', file: '.pi/agent/auth.json', tokens: named('gho_'), given: EXCHANGED,
    login: (refresh) => ({ 'github-copilot': { type: 'oauth', refresh, access: 'tid=fake', expires: FAR } }),
    args: "--provider github-copilot --model gpt-4.1 -p 'say hello'", call: { at: 'api.individual.githubcopilot.com/responses' },
  },
];

export const journeys = [
  ...HINTS.map(hint),
  {
    name: 'curl, as the README has it',
    async run({ home: newHome }) {
      const home = await newHome();
      const [token] = chatGptTokens;
      home.write('token', `${token}\n`);
      const paste = ['models', 'auth', 'paste-token', '--provider', 'openai-codex'];
      succeeded(await run(program, paste, { ...home.options, input: `${token}\n` }));
      const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
      const [line] = /^printf .*\n.*curl .*…$/m.exec(readme);
      const text = line.replace('…', '-sS -d {} https://chatgpt.com/backend-api/codex/responses');
      checkCalls(await apart(home, text, [token]), { at: CHATGPT.at }, token);
      return 'the header arrives';
    },
  },
];
