// The services that the tools of others speak to, under their real names: one HTTPS server with a
// certificate made for this run, in a network of its own (`apart.mjs`), so that no real one can be
// reached. It answers whoever brings the token that it accepts, and notes what it was shown.
import https from 'node:https';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { message, response } from './answers.mjs';

/** The names that lead to it. */
export const HOSTS = [
  'api.openai.com', 'auth.openai.com', 'chatgpt.com', 'api.anthropic.com', 'claude.ai', 'platform.claude.com',
  'cloudcode-pa.googleapis.com', 'oauth2.googleapis.com', 'www.googleapis.com', 'play.googleapis.com',
  'generativelanguage.googleapis.com', 'github.com', 'api.github.com', 'api.githubcopilot.com', 'api.individual.githubcopilot.com',
  'models.dev', 'opencode.ai', 'pi.dev', 'raw.githubusercontent.com', 'registry.npmjs.org',
];

/** What Copilot's API takes in exchange for a GitHub token. */
export const EXCHANGED = 'tid=fake-exchanged;exp=1';

const HELLO = 'hello from the rig';
const stream = (...data) => data.map((item) => `data: ${typeof item === 'string' ? item : JSON.stringify(item)}\n\n`).join('');

/** One answer of the Chat Completions API, streamed or not. */
function completion({ model, stream: streamed }) {
  const base = { id: 'chat-1', created: 1, model };
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  const text = { role: 'assistant', content: HELLO };
  if (!streamed) return { ...base, object: 'chat.completion', choices: [{ index: 0, finish_reason: 'stop', message: text }], usage };
  const chunk = (delta, finish_reason, more) =>
    ({ ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }], ...more });
  return stream(chunk(text, null), chunk({}, 'stop', { usage }), '[DONE]');
}

/** One answer of Google's Code Assist API. */
const codeAssist = {
  loadCodeAssist: {
    currentTier: { id: 'standard-tier', name: 'Standard' }, allowedTiers: [{ id: 'standard-tier', name: 'Standard', isDefault: true }],
    cloudaicompanionProject: 'fake-project',
  },
  onboardUser: { done: true, response: { cloudaicompanionProject: { id: 'fake-project' } } },
  countTokens: { totalTokens: 1 },
};

function generated(verb) {
  const candidate = { content: { role: 'model', parts: [{ text: HELLO }] }, finishReason: 'STOP', index: 0 };
  const usageMetadata = { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 };
  const answer = { response: { candidates: [candidate], usageMetadata, modelVersion: 'fake' }, traceId: 'fake' };
  return verb === 'streamGenerateContent' ? stream(answer) : answer;
}

/** A model of Copilot, as its list of models has it. */
const copilotModel = (id) => ({
  id, name: id, object: 'model', vendor: 'fake', version: id, preview: false, model_picker_enabled: true,
  model_picker_category: 'versatile', is_chat_default: true, is_chat_fallback: true, policy: { state: 'enabled', terms: '' },
  billing: { is_premium: false, multiplier: 1 }, supported_endpoints: ['/chat/completions'],
  capabilities: {
    family: id, type: 'chat', object: 'model_capabilities', tokenizer: 'o200k_base',
    limits: { max_context_window_tokens: 200_000, max_output_tokens: 16_000, max_prompt_tokens: 128_000 },
    supports: { streaming: true, tool_calls: true, parallel_tool_calls: true },
  },
});

const copilotUser = {
  login: 'alice', access_type_sku: 'plus_monthly_subscriber_quota', copilot_plan: 'individual_pro', chat_enabled: true,
  cli_enabled: true, organization_list: [], organization_login_list: [], quota_snapshots: {}, quota_reset_date: '2099-01-01',
  endpoints: { api: 'https://api.individual.githubcopilot.com' },
};

/** The answer for who may ask: an object, a text that is streamed, or nothing. */
function answer(host, path, body) {
  const verb = /:(\w+)$/.exec(path)?.[1];
  if (path.endsWith('/responses')) return response(HELLO);
  if (path.endsWith('/v1/messages')) return message(HELLO, body.model);
  if (path.endsWith('/chat/completions')) return completion(body);
  if (verb) return codeAssist[verb] ?? generated(verb);
  if (path === '/copilot_internal/user') return copilotUser;
  if (path === '/copilot_internal/v2/token') return { token: EXCHANGED, expires_at: Math.round(Date.now() / 1000) + 1_500 };
  if (path === '/user') return { login: 'alice', id: 1, type: 'User' };
  if (path.endsWith('/models')) {
    const ids = host.includes('copilot') ? ['gpt-4.1', 'gpt-5-mini'].map(copilotModel) : [{ id: 'gpt-5.5', object: 'model' }];
    return { object: 'list', data: ids, models: [] };
  }
  return undefined;
}

/** Whether a request is one to a model, rather than about an account. */
const isModelCall = (path) => /\/(responses|messages|chat\/completions)$|:(stream)?[gG]enerateContent$/.test(path);

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const unpack = { gzip: gunzipSync, zstd: zstdDecompressSync }[request.headers['content-encoding']] ?? ((bytes) => bytes);
  try { return JSON.parse(unpack(Buffer.concat(parts))); } catch { return {}; }
}

/** Starts them; `accepts(token)` decides. Returns what they were asked, and what stops them. */
export async function startServices(identity, accepts) {
  const asked = [];
  const server = https.createServer(identity, async (request, reply) => {
    const body = await bodyOf(request);
    const { host, authorization, 'x-api-key': apiKey, 'chatgpt-account-id': account, 'anthropic-beta': beta } = request.headers;
    const path = request.url.split('?')[0];
    const token = authorization?.replace(/^(Bearer|token) /i, '');
    const key = apiKey ?? request.headers['x-goog-api-key'];
    const isAllowed = [token, key].some((shown) => shown !== undefined && accepts(shown));
    // Who asks for a WebSocket goes on without.
    const told = isModelCall(path) && request.method !== 'POST' ? undefined : answer(host, path, body);
    const status = told === undefined ? 404 : isAllowed ? 200 : 401;
    asked.push({ method: request.method, host, path, token, key, account, beta, status, isModelCall: isModelCall(path) });
    const isStream = status === 200 && typeof told === 'string';
    reply.writeHead(status, { 'content-type': isStream ? 'text/event-stream' : 'application/json', 'x-oauth-scopes': 'read:user' });
    reply.end(isStream ? told : JSON.stringify(status === 200 ? told : { error: { message: 'not here', type: 'fake' }, message: 'no' }));
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(443, '127.0.0.1', resolve));
  const stop = () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
  return { asked, stop };
}
