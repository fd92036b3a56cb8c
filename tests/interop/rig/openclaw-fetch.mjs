// Preloaded into OpenClaw (`node --import`): what it asks of OpenAI goes to the rig, and
// nothing goes anywhere else.
const rig = new URL(process.env.INTEROP_SERVER);
const outside = globalThis.fetch;

globalThis.fetch = (input, init) => {
  const url = new URL(input.url ?? input);
  if (url.hostname !== 'auth.openai.com') throw new TypeError(`the rig does not let ${url.origin} be asked`);
  return outside(new URL(url.pathname, rig), init);
};
