// OpenClaw processes on the files of a home (see openclaw-worker.mjs).
import path from 'node:path';
import { node } from './place.mjs';
import { start, until } from './process.mjs';

const file = (name) => path.join(import.meta.dirname, name);

/** Starts an OpenClaw process, and returns once it can be asked. */
export const openclaw = (home) => begin(home, 'openclaw', 'openclaw-fetch.mjs', home.openclawOptions);

/** The same of OpenClaw 2026.9.6, whose providers are plugins. */
export const openclawNext = (home) => begin(home, 'openclaw-next', 'openclaw-next-preload.mjs', home.options);

async function begin(home, name, preload, { env, cwd }) {
  const child = start(node, ['--import', file(preload), file('openclaw-worker.mjs')], {
    cwd, env: { ...env, INTEROP_SERVER: home.server.url, INTEROP_OPENCLAW: name },
  });
  let answers = 0;
  const line = async (number, seconds) => JSON.parse(await until('OpenClaw answers', () => {
    if (!child.isAlive) throw new Error(`OpenClaw ended: ${child.stdout}${child.stderr}`);
    // It may say something of its own in between.
    const lines = child.stdout.split('\n').slice(0, -1).filter((text) => /^(?:"ready"|\{"(?:value|error)":.*\})$/.test(text));
    return lines.length > number && lines[number];
  }, seconds));
  await line(0, 180);
  return {
    pid: child.pid,
    /** Asks for one thing, and waits for what comes of it: one question at a time. */
    async ask(...question) {
      child.write(`${JSON.stringify(question)}\n`);
      answers += 1;
      const { value, error } = await line(answers, 180);
      if (error) throw new Error(`OpenClaw: ${error}`);
      return value;
    },
    stop: () => child.stop(),
  };
}
