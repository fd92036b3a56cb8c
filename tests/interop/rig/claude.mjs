// Claude Code, the real one. It signs in at one fixed address only, so it gets a proxy that
// answers for that address: CONNECT, then TLS with a certificate made for this run.
import { mkdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import tls from 'node:tls';
import { succeeded } from './home.mjs';
import { fileOf } from './place.mjs';
import { run, start } from './process.mjs';

const PROGRAM = fileOf('@anthropic-ai/claude-code-linux-x64/claude');
const QUIET = { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1' };

const GRANT = {
  token_type: 'Bearer', access_token: 'sk-ant-oat01-fake-access', refresh_token: 'sk-ant-ort01-fake-refresh',
  expires_in: 28_800, scope: 'user:inference user:profile',
  account: { uuid: 'fake-account', email_address: 'alice@example.com' }, organization: { uuid: 'fake-organization' },
};

/** Runs Claude Code on a home. */
export const claude = (home, args, env = {}) =>
  run(PROGRAM, args, { ...home.options, env: { ...home.env, ...QUIET, ...env } });

/** The proxy: every token request is granted, everything else is not found. */
async function startProxy(home) {
  const [key, certificate] = ['key.pem', 'certificate.pem'].map((name) => path.join(home.base, name));
  const names = ['platform.claude.com', 'api.anthropic.com', 'claude.ai'].map((name) => `DNS:${name}`).join();
  succeeded(await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=interop',
    '-addext', `subjectAltName=${names}`, '-keyout', key, '-out', certificate], home.options));
  const server = http.createServer((request, reply) => {
    const granted = request.url === '/v1/oauth/token';
    reply.writeHead(granted ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(granted ? GRANT : {}));
  });
  const proxy = http.createServer();
  proxy.on('connect', (request, socket) => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    const inside = new tls.TLSSocket(socket, { isServer: true, key: readFileSync(key), cert: readFileSync(certificate) });
    // It drops connections that it has no use for.
    for (const end of [socket, inside]) end.on('error', () => {});
    server.emit('connection', inside);
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.address().port}`, NODE_EXTRA_CA_CERTS: certificate };
  return { env, stop: () => { proxy.close(); proxy.closeAllConnections(); } };
}

/** Signs Claude Code in, and returns what it wrote. */
export async function signIn(home) {
  mkdirSync(path.join(home.base, 'home/.claude'), { mode: 0o700 });
  const proxy = await startProxy(home);
  try {
    const login = start(PROGRAM, ['auth', 'login'], { ...home.options, env: { ...home.env, ...QUIET, ...proxy.env } });
    const [url] = await login.says(/https:\S+\/oauth\/authorize\S*(?=\s[^]*>)/);
    login.write(`fake-code#${new URL(url).searchParams.get('state')}\r\n`);
    succeeded(await login.ended);
  } finally { proxy.stop(); }
  return JSON.parse(readFileSync(path.join(home.base, 'home/.claude/.credentials.json'), 'utf8')).claudeAiOauth;
}
