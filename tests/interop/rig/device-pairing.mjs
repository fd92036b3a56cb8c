// OpenAI's own way to pair a device: the server keeps the PKCE verifier, and hands it out with
// the authorization code once the person has confirmed. Here they do after the first poll.
import crypto from 'node:crypto';
import { visit } from './user-agent.mjs';

/** Adds the two endpoints to the server at `url`; `{ usercode, token }`, JSON in, `[status, body]` out. */
export function devicePairing(url, clientId) {
  const pending = new Map();

  /** Signs the person in, and returns the code that comes of it. */
  async function authorize() {
    const code_verifier = crypto.randomBytes(48).toString('base64url');
    const code_challenge = crypto.createHash('sha256').update(code_verifier).digest('base64url');
    const asked = new URLSearchParams({
      response_type: 'code', client_id: clientId, redirect_uri: `${url}/deviceauth/callback`,
      scope: 'openid profile email offline_access', code_challenge, code_challenge_method: 'S256', state: 'device',
    });
    const end = await visit(`${url}/oauth/authorize?${asked}`);
    return { authorization_code: new URL(end.url).searchParams.get('code'), code_challenge, code_verifier };
  }

  return {
    usercode() {
      const device_auth_id = crypto.randomUUID();
      const user_code = crypto.randomBytes(4).toString('hex').toUpperCase();
      pending.set(device_auth_id, { user_code, polls: 0 });
      return [200, { device_auth_id, user_code, interval: '1' }];
    },
    async token({ device_auth_id, user_code }) {
      const pairing = pending.get(device_auth_id);
      if (pairing?.user_code !== user_code) return [404, { error: 'unknown pairing' }];
      pairing.polls += 1;
      if (pairing.polls === 1) return [403, { error: 'authorization_pending' }];
      pending.delete(device_auth_id);
      return [200, await authorize()];
    },
  };
}
