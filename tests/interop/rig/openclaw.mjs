// OpenClaw processes on the files of a home (see openclaw-worker.mjs).
import path from 'node:path';
import { node } from './place.mjs';
import { start, until } from './process.mjs';

const file = (name) => path.join(import.meta.dirname, name);

/** Starts an OpenClaw process, and returns once it can be asked. */
export async function openclaw(home) {
  const { env, cwd } = home.openclawOptions;
  const child = start(node, ['--import', file('openclaw-fetch.mjs'), file('openclaw-worker.mjs')], {
    cwd, env: { ...env, INTEROP_SERVER: home.server.url },
  });
  let answers = 0;
  const line = async (number, seconds) => JSON.parse(await until('OpenClaw answers', () => {
    if (!child.isAlive) throw new Error(`OpenClaw ended: ${child.stdout}${child.stderr}`);
    const lines = child.stdout.split('\n');
    return lines.length > number + 1 && lines[number];
  }, seconds));
  await line(0, 60);
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
