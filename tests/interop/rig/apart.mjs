// Runs a shell text in a network of its own, where the names of the real services lead to
// `services.mjs`: nothing that runs there can reach anything else.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { succeeded } from './home.mjs';
import { Skipped } from './outcome.mjs';
import { fileOf, node, program } from './place.mjs';
import { run } from './process.mjs';
import { HOSTS, startServices } from './services.mjs';

/** The tools by the names of their commands. */
const TOOLS = {
  claude: [fileOf('@anthropic-ai/claude-code-linux-x64/claude')],
  codex: [node, fileOf('@openai/codex/bin/codex.js')],
  copilot: [fileOf('@github/copilot-linux-x64/copilot')],
  gemini: [node, fileOf('@google/gemini-cli/bundle/gemini.js')],
  opencode: [fileOf('opencode-linux-x64/bin/opencode')],
  pi: [node, fileOf('@earendil-works/pi-coding-agent/dist/bundle/cli.js')],
};

const OF_ITS_OWN = ['--user', '--map-root-user', '--net', '--mount'];

const word = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** Puts the program and the tools on the PATH of a home, and makes what the services need. */
async function prepare(home) {
  const probe = await run('unshare', [...OF_ITS_OWN, 'ip', 'link', 'set', 'lo', 'up']).catch((error) => ({ stderr: error.message }));
  if (probe.code !== 0) throw new Skipped(`there is no network of its own here: ${probe.stderr.trim()}`);
  mkdirSync(path.join(home.base, 'bin'), { mode: 0o700 });
  for (const [name, command] of Object.entries(TOOLS)) {
    const text = `#!/bin/sh\nexec ${command.map(word).join(' ')} "$@"\n`;
    writeFileSync(path.join(home.base, 'bin', name), text, { mode: 0o700 });
  }
  symlinkSync(program, path.join(home.base, 'bin/openclaw-auth'));
  home.write('hosts', `127.0.0.1 localhost ${HOSTS.join(' ')}\n`);
  const names = HOSTS.map((name) => `DNS:${name}`).join();
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(home.base, name));
  succeeded(await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
    '-days', '2', '-subj', '/CN=interop', '-addext', `subjectAltName=${names}`,
    '-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', key, '-out', cert]));
}

/** The variables of a shell there. */
const environment = (home) => {
  const cert = path.join(home.base, 'cert.pem');
  return {
    ...home.env, CODEX_HOME: undefined, PATH: `${path.join(home.base, 'bin')}:${path.dirname(node)}:${home.env.PATH}`,
    SSL_CERT_FILE: cert, NODE_EXTRA_CA_CERTS: cert, CODEX_CA_CERTIFICATE: cert, TMPDIR: home.base,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1', OPENCODE_DISABLE_AUTOUPDATE: '1',
  };
};

/**
 * Runs `text` with `sh` there, as somebody who pastes it. The services accept `tokens` alone.
 * Returns the result, with what the services were `asked`.
 */
export async function apart(home, text, tokens, env = {}) {
  if (!home.isApart) {
    await prepare(home);
    home.isApart = true;
  }
  const within = path.join(home.base, 'apart.json');
  writeFileSync(within, JSON.stringify({ base: home.base, text, tokens }));
  const enter = 'ip link set lo up && mount --bind "$1" /etc/hosts && exec "$2" "$3" "$4"';
  const args = [...OF_ITS_OWN, 'sh', '-c', enter, 'sh',
    path.join(home.base, 'hosts'), node, import.meta.filename, within];
  const result = await run('unshare', args, { ...home.options, env: { ...environment(home), ...env }, seconds: 180 });
  return JSON.parse(succeeded(result).stdout);
}

async function main({ base, text, tokens }) {
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => readFileSync(path.join(base, name)));
  const services = await startServices({ key, cert }, (token) => tokens.includes(token));
  const result = await run('sh', ['-c', text], { env: process.env, cwd: process.cwd(), seconds: 150 });
  await services.stop();
  process.stdout.write(JSON.stringify({ ...result, asked: services.asked }));
}

if (process.argv[1] === import.meta.filename) await main(JSON.parse(readFileSync(process.argv[2], 'utf8')));
