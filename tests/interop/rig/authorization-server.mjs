// The authorization server of the rig: oidc-provider (a certified implementation), set up as
// the providers that we sign in at are: public client, PKCE, JWT access tokens with the claims
// of OpenAI, refresh tokens that rotate, and the whole grant revoked when a spent one is posted.
//
// In process: `await startServer()`. By hand: `node authorization-server.mjs PORT`.
// GET /control shows faults, counts and events; POST /control with JSON changes faults.
import crypto from 'node:crypto';
import { devicePairing } from './device-pairing.mjs';
import { load } from './place.mjs';

const CLIENT_ID = 'app_EMoamEEZ73f0CkXaXp7hrann';
const RESOURCE = 'https://api.openai.com/v1';
const SCOPES = ['openid', 'profile', 'email', 'offline_access', 'api.connectors.read', 'api.connectors.invoke'];
const AUTH_CLAIM = 'https://api.openai.com/auth';
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** What goes wrong, and what the next tokens are like. All in force until changed. */
const calm = () => ({
  account: 'alice@example.com', // who signs in: EMAIL, or EMAIL#WORKSPACE for another account of theirs
  lifetime: 600, // of access tokens, in seconds
  delay: 0, // milliseconds before a token request is looked at
  fail: 0, // so many token requests are answered with `failStatus`, unseen
  failStatus: 503,
  drop: 0, // so many token requests are carried out, and the answer is lost
  deny: 0, // so many people say no
});

const zero = () => ({
  authorize: 0, device: 0, code: 0, refresh: 0, refreshed: 0, refused: 0, reused: 0, revoked: 0,
  injected: 0, dropped: 0, mostAtOnce: 0,
});

const sha256 = (text) => crypto.createHash('sha256').update(text).digest('hex');

function accountOf(name) {
  const email = name.split('#')[0];
  const hash = sha256(name);
  const user = `user-${sha256(email).slice(0, 24)}`;
  return {
    sub: `auth0|${hash.slice(0, 24)}`,
    email,
    auth: {
      chatgpt_account_id: hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5'),
      chatgpt_user_id: user, user_id: user, chatgpt_plan_type: 'plus',
    },
  };
}

/** Everything in memory, and nothing forgotten before its time. */
function memoryAdapter() {
  const entries = new Map();
  const idOf = { uid: new Map(), userCode: new Map() };
  const grants = new Map();
  return class {
    constructor(model) { this.model = model; }
    key(id) { return `${this.model}:${id}`; }
    async upsert(id, payload) {
      const key = this.key(id);
      entries.set(key, payload);
      for (const field of ['uid', 'userCode']) if (payload[field]) idOf[field].set(payload[field], key);
      if (payload.grantId) grants.set(payload.grantId, (grants.get(payload.grantId) ?? new Set()).add(key));
    }
    async find(id) { return entries.get(this.key(id)); }
    async findByUid(uid) { return entries.get(idOf.uid.get(uid)); }
    async findByUserCode(code) { return entries.get(idOf.userCode.get(code)); }
    async consume(id) { entries.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }
    async destroy(id) { entries.delete(this.key(id)); }
    async revokeByGrantId(id) { for (const key of grants.get(id) ?? []) entries.delete(key); }
  };
}

function configuration(faults, accounts) {
  const { privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    adapter: memoryAdapter(),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'interop', use: 'sig', alg: 'RS256' }] },
    cookies: { keys: [crypto.randomUUID()] },
    clients: [{
      client_id: CLIENT_ID,
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://localhost/auth/callback', 'http://127.0.0.1/auth/callback', 'http://127.0.0.1/deviceauth/callback'],
      grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT],
      response_types: ['code'],
    }],
    routes: {
      authorization: '/oauth/authorize', token: '/oauth/token', revocation: '/oauth/revoke',
      device_authorization: '/oauth/device/code', code_verification: '/codex/device',
    },
    scopes: SCOPES,
    claims: { openid: ['sub', AUTH_CLAIM], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async (context, client, code) => code.scopes.has('offline_access'),
    expiresWithSession: async () => false,
    ttl: {
      AccessToken: () => faults.lifetime, AuthorizationCode: 60, DeviceCode: 600, IdToken: 3600, Interaction: 600,
      Grant: 86_400, RefreshToken: 86_400, Session: 86_400,
    },
    extraTokenClaims: async (context, token) => ({
      'https://api.openai.com/profile': { email: accounts.get(token.accountId).email, email_verified: true },
      [AUTH_CLAIM]: accounts.get(token.accountId).auth,
    }),
    findAccount: async (context, sub) => {
      const { email, auth } = accounts.get(sub);
      return { accountId: sub, claims: async () => ({ sub, email, email_verified: true, [AUTH_CLAIM]: auth }) };
    },
    interactions: { url: (context, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true },
      revocation: { enabled: true, allowedPolicy: async () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => RESOURCE,
        useGrantedResource: async () => true,
        getResourceServerInfo: async () => ({
          scope: SCOPES.join(' '), audience: RESOURCE, accessTokenTTL: faults.lifetime,
          accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  };
}

/** Signs the person in who is next, without asking: a login that somebody said yes to. */
async function consent(provider, context, faults, accounts) {
  const { params } = await provider.interactionDetails(context.req, context.res);
  context.respond = false;
  const finish = (result) => provider.interactionFinished(context.req, context.res, result, { mergeWithLastSubmission: false });
  if (faults.deny > 0) {
    faults.deny -= 1;
    return finish({ error: 'access_denied', error_description: 'the person said no' });
  }
  const account = accountOf(faults.account);
  accounts.set(account.sub, account);
  const grant = new provider.Grant({ accountId: account.sub, clientId: params.client_id });
  grant.addOIDCScope(SCOPES.join(' '));
  grant.addOIDCClaims(['sub', 'email', 'email_verified', AUTH_CLAIM]);
  grant.addResourceScope(RESOURCE, SCOPES.join(' '));
  return finish({ login: { accountId: account.sub }, consent: { grantId: await grant.save() } });
}

/** Starts the server on a loopback port and returns what a journey does with it. */
export async function startServer(port = 0) {
  const faults = calm();
  const counts = zero();
  const events = [];
  const accounts = new Map();
  // The port is known before the issuer can be named.
  const http = await import('node:http');
  const listener = http.createServer();
  await new Promise((resolve) => listener.listen(port, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${listener.address().port}`;
  const { default: Provider } = await load('oidc-provider');
  const provider = new Provider(url, configuration(faults, accounts));
  provider.on('server_error', (context, error) => events.push({ error: String(error?.stack ?? error) }));
  const reasons = new WeakMap();
  provider.on('grant.error', (context, error) => reasons.set(context, error.error_detail ?? error.message));

  const reset = () => { Object.assign(faults, calm()); Object.assign(counts, zero()); events.length = 0; };
  const answer = (context, body, status = 200) => { context.status = status; context.body = body; };
  const pairing = devicePairing(url, CLIENT_ID);
  let atOnce = 0;
  // One after the other, so that of several posts of one refresh token exactly one succeeds.
  let last = Promise.resolve();
  const inTurn = (work) => { const mine = last.then(work); last = mine.catch(() => {}); return mine; };

  async function token(context, next) {
    if (faults.delay) await new Promise((resolve) => setTimeout(resolve, faults.delay));
    if (faults.fail > 0) {
      faults.fail -= 1;
      counts.injected += 1;
      events.push({ injected: faults.failStatus });
      return answer(context, { error: 'server_error', error_description: 'injected' }, faults.failStatus);
    }
    await inTurn(next);
    const grant = context.oidc?.params?.grant_type;
    const ok = context.status === 200;
    const reason = ok ? undefined : reasons.get(context) ?? context.body?.error;
    if (grant === 'authorization_code') counts.code += 1;
    if (grant === 'refresh_token') {
      counts.refresh += 1;
      counts[ok ? 'refreshed' : 'refused'] += 1;
      if (reason === 'refresh token already used') counts.reused += 1;
    }
    events.push({ grant, ok, reason });
    if (faults.drop > 0) {
      faults.drop -= 1;
      counts.dropped += 1;
      context.respond = false;
      context.req.socket.destroy();
    }
  }

  provider.use(async (context, next) => {
    const { path, method } = context;
    if (path === '/control') {
      if (method === 'POST') Object.assign(faults, JSON.parse(await text(context.req)));
      return answer(context, { faults, counts, events });
    }
    if (path === '/api/accounts/deviceauth/usercode') return answer(context, ...pairing.usercode());
    if (path === '/api/accounts/deviceauth/token') {
      return answer(context, ...await pairing.token(JSON.parse(await text(context.req))));
    }
    if (path === '/deviceauth/callback') return answer(context, 'paired');
    if (path.startsWith('/interaction/')) return consent(provider, context, faults, accounts);
    if (path === '/oauth/authorize') {
      counts.authorize += 1;
      // OpenID Connect wants `prompt=consent` for a refresh token; OpenAI does not.
      const asked = new URL(context.url, url);
      asked.searchParams.set('prompt', 'consent');
      context.url = asked.pathname + asked.search;
      return next();
    }
    if (path === '/oauth/token' && method === 'POST') {
      atOnce += 1;
      counts.mostAtOnce = Math.max(counts.mostAtOnce, atOnce);
      try { return await token(context, next); } finally { atOnce -= 1; }
    }
    await next();
    if (path === '/oauth/device/code') counts.device += 1;
    if (path === '/oauth/revoke' && context.status === 200) counts.revoked += 1;
    return undefined;
  });
  listener.on('request', provider.callback());
  const stop = () => new Promise((resolve) => { listener.close(resolve); listener.closeAllConnections(); });
  /** Posts a form with the client identifier, as any holder of a token can. */
  const post = (path, form) => fetch(url + path, { method: 'POST', body: new URLSearchParams({ client_id: CLIENT_ID, ...form }) });
  const spend = (refresh_token) => post('/oauth/token', { grant_type: 'refresh_token', refresh_token });
  const revoke = (token) => post('/oauth/revoke', { token });
  return { url, faults, counts, events, reset, stop, spend, revoke, confirm: pairing.confirm };
}

async function text(request) {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}

if (process.argv[1] === import.meta.filename) {
  const { url } = await startServer(Number(process.argv[2] ?? 0));
  console.log(url);
}
