// A model API on loopback, for the tools that use our tokens: it answers whoever brings a token
// that it accepts, and notes every token that it was shown.
import http from 'node:http';
import { message, response } from './answers.mjs';

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
