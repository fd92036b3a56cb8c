// Processes of the rig: started, talked to, waited for, and each ended by its own pid.
import { spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { program } from './place.mjs';

const alive = new Set();

/** Waits until `look` gives something true, and returns it; fails after `seconds`. */
export async function until(what, look, seconds = 30) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A child process whose output is collected. */
class Child {
  stdout = '';
  stderr = '';

  constructor(command, args, { env, cwd, input } = {}) {
    this.command = [command, ...args].join(' ');
    this.started = Date.now();
    this.process = spawn(command, args, { env, cwd, stdio: 'pipe' });
    this.pid = this.process.pid;
    alive.add(this);
    for (const stream of ['stdout', 'stderr']) {
      this.process[stream].setEncoding('utf8').on('data', (text) => { this[stream] += text; });
    }
    // One that has ended without reading its input is no failure of the rig.
    this.process.stdin.on('error', () => {});
    if (input !== undefined) this.process.stdin.end(input);
    this.ended = new Promise((resolve, reject) => {
      this.process.on('error', (error) => { alive.delete(this); reject(error); });
      this.process.on('close', (code, signal) => {
        alive.delete(this);
        const seconds = (Date.now() - this.started) / 1000;
        resolve({ code, signal, seconds, stdout: this.stdout, stderr: this.stderr, command: this.command });
      });
    });
    this.ended.catch(() => {});
  }

  get isAlive() { return alive.has(this); }

  write(text) { this.process.stdin.write(text); }

  /** Waits until the output matches, and returns the match. */
  says(pattern, seconds = 30) {
    return until(`${this.command} says ${pattern}`, () => {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (!match && !this.isAlive) throw new Error(`${this.command} ended with: ${this.stdout}${this.stderr}`);
      return match;
    }, seconds);
  }

  stop(signal = 'SIGKILL') {
    if (this.isAlive) this.process.kill(signal);
    return this.ended;
  }
}

/** Starts a process that goes on. */
export const start = (command, args, options) => new Child(command, args, options);

/** Runs a process to its end, which must come within `seconds`. */
export async function run(command, args, { seconds = 120, input = '', ...options } = {}) {
  const child = start(command, args, { input, ...options });
  const timer = setTimeout(() => child.stop(), seconds * 1000);
  try { return await child.ended; } finally { clearTimeout(timer); }
}

const adopted = new Set();

/** Takes on the end of a process of the program that another one of ours has started. */
export const adopt = (pid) => adopted.add(pid);

/** Ends whatever still runs. */
export async function stopAll() {
  for (const pid of adopted) {
    // By now the number may be that of another process.
    try { if (readlinkSync(`/proc/${pid}/exe`) === program) process.kill(pid, 'SIGKILL'); } catch { /* it has ended */ }
  }
  adopted.clear();
  await Promise.allSettled([...alive].map((child) => child.stop()));
}
