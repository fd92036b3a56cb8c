// OpenAI's own way to pair a device: the server keeps the PKCE verifier, and hands it out with
// the authorization code once the person has confirmed the user code.
import crypto from 'node:crypto';
import { visit } from './user-agent.mjs';

/** The two endpoints for the server at `url` (JSON in, `[body, status]` out), and the person. */
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
      pending.set(device_auth_id, { user_code, confirmed: false });
      return [{ device_auth_id, user_code, interval: '1' }, 200];
    },
    async token({ device_auth_id, user_code }) {
      const pairing = pending.get(device_auth_id);
      if (pairing?.user_code !== user_code) return [{ error: 'unknown pairing' }, 404];
      if (!pairing.confirmed) return [{ error: 'authorization_pending' }, 403];
      pending.delete(device_auth_id);
      return [await authorize(), 200];
    },
    /** The person confirms the code that a device shows. */
    confirm(user_code) {
      for (const pairing of pending.values()) pairing.confirmed ||= pairing.user_code === user_code;
    },
  };
}
