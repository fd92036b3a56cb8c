// A browser without a window: follows redirects, keeps cookies, submits forms that need no input.
// As a program (`node user-agent.mjs URL`), it serves as $BROWSER.

const TEXT = { '&amp;': '&', '&quot;': '"', '&#39;': "'", '&lt;': '<', '&gt;': '>' };
const plain = (text) => text.replace(/&(?:amp|quot|#39|lt|gt);/g, (entity) => TEXT[entity]);
const attribute = (tag, name) => {
  const found = new RegExp(`\\b${name}="([^"]*)"`).exec(tag);
  return found ? plain(found[1]) : undefined;
};

class Cookies {
  #jar = new Map();

  keep(url, response) {
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(';').map((part) => part.trim());
      const [, name, value] = /^([^=]*)=(.*)$/.exec(pair);
      const path = attributes.find((part) => /^path=/i.test(part))?.slice(5) ?? '/';
      const expires = attributes.find((part) => /^expires=/i.test(part))?.slice(8);
      const key = `${url.host} ${path} ${name}`;
      if (expires && Date.parse(expires) <= Date.now()) this.#jar.delete(key);
      else this.#jar.set(key, { host: url.host, path, text: `${name}=${value}` });
    }
  }

  for(url) {
    const fits = ({ host, path }) => host === url.host && `${url.pathname}/`.startsWith(path.endsWith('/') ? path : `${path}/`);
    return [...this.#jar.values()].filter(fits).map((cookie) => cookie.text).join('; ');
  }
}

/** The form of a page that can be submitted as it is, without anything typed in. */
function formOf(page) {
  const tag = /<form[^>]*method="post"[^>]*>/i.exec(page)?.[0];
  const inputs = [...page.matchAll(/<input\b[^>]*>/g)].map(([input]) => input);
  const isBlank = (input) => attribute(input, 'type') === 'text' && !attribute(input, 'value');
  if (!tag || inputs.some(isBlank)) return undefined;
  const named = inputs.filter((input) => attribute(input, 'name'));
  return { action: attribute(tag, 'action'), fields: named.map((input) => [attribute(input, 'name'), attribute(input, 'value') ?? '']) };
}

/**
 * Opens `start` and goes on to the end. Returns `{ url, status, body }` of the last page; with
 * `stopAtRedirect`, the redirect back to the client is returned and not opened.
 */
export async function visit(start, { stopAtRedirect = false } = {}) {
  const cookies = new Cookies();
  const home = new URL(start).origin;
  let url = new URL(start);
  let form;
  for (let hop = 0; hop < 20; hop += 1) {
    if (stopAtRedirect && url.origin !== home) return { url: url.href };
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET', body: form, redirect: 'manual', signal: AbortSignal.timeout(60_000),
      headers: { accept: 'text/html', cookie: cookies.for(url) },
    });
    cookies.keep(url, response);
    const body = await response.text();
    const location = response.headers.get('location');
    const next = url.origin === home && formOf(body);
    form = undefined;
    if (location) {
      url = new URL(location, url);
    } else if (next) {
      url = new URL(next.action, url);
      form = new URLSearchParams(next.fields);
    } else {
      return { url: url.href, status: response.status, body };
    }
  }
  throw new Error(`${start}: more than 20 pages`);
}

if (process.argv[1] === import.meta.filename) {
  const { status } = await visit(process.argv[2]);
  process.exitCode = status < 400 ? 0 : 1;
}
