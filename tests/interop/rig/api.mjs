// A model API on loopback, for the tools that use our tokens: it answers whoever brings a token
// that it accepts, and notes every token that it was shown.
import http from 'node:http';

const events = (...list) => list.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');

/** One answer of OpenAI's Responses API, streamed. */
function response(text) {
  const item = { type: 'message', id: 'msg-1', role: 'assistant', content: [{ type: 'output_text', text }] };
  const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
  return events(
    { type: 'response.created', response: { id: 'resp-1' } },
    { type: 'response.output_item.done', item },
    { type: 'response.completed', response: { id: 'resp-1', usage } },
  );
}

/** One answer of Anthropic's Messages API, streamed. */
function message(text, model) {
  const usage = { input_tokens: 1, output_tokens: 1 };
  const empty = { id: 'msg-1', type: 'message', role: 'assistant', model, content: [], stop_reason: null, stop_sequence: null, usage };
  return events(
    { type: 'message_start', message: empty },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage },
    { type: 'message_stop' },
  );
}

/** Starts the API; `accepts(token)` decides, now or later. Returns `{ url, tokens, stop }`. */
export async function startApi(accepts) {
  const tokens = [];
  const server = http.createServer(async (request, reply) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? request.headers['x-api-key'];
    if (request.method !== 'POST' || !/\/(responses|messages)(\?|$)/.test(request.url)) {
      reply.writeHead(404).end();
      return;
    }
    tokens.push(token);
    if (!await accepts(token)) {
      const error = { type: 'authentication_error', message: 'the token is not accepted', code: 'invalid_token' };
      reply.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ type: 'error', error }));
      return;
    }
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    const text = 'hello from the rig';
    reply.end(request.url.includes('/responses') ? response(text) : message(text, JSON.parse(body).model));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
  return { url: `http://127.0.0.1:${server.address().port}`, tokens, stop };
}
