// Runs the journeys of `journey/*.mjs`, one after the other: tests/interop/run --help
//
// A journey is `{ name, run }`. `run` gets the rig, and whether the long `numbers` are wanted; throws when the program is wrong,
// and returns what was seen. `Pending` is thrown for a command that the program does not have
// yet, `Skipped` where something is missing on this machine; neither counts as passed.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startServer } from './rig/authorization-server.mjs';
import { Home } from './rig/home.mjs';
import { Pending, Skipped } from './rig/outcome.mjs';
import { installed, program } from './rig/place.mjs';
import { run, stopAll } from './rig/process.mjs';

const THEMES = [
  'login', 'headless', 'device', 'refresh', 'openclaw', 'openclaw-writers', 'openclaw-lock',
  'openclaw-next', 'openclaw-convert', 'openclaw-next-gateway', 'openclaw-next-writers', 'openclaw-next-refresh',
];
const BY_HAND = ['codex', 'claude', 'hints'];

function parse() {
  try {
    const [flag, text] = [{ type: 'boolean' }, { type: 'string' }];
    return parseArgs({ options: { all: flag, only: text, list: flag, numbers: flag } }).values;
  } catch (error) {
    console.error(error.message);
    return process.exit(2);
  }
}
const options = parse();

async function journeys() {
  const chosen = [];
  for (const theme of options.all ? [...THEMES, ...BY_HAND] : THEMES) {
    const module = await import(`./journey/${theme}.mjs`);
    chosen.push(...module.journeys.map((journey) => ({ ...journey, name: `${theme}: ${journey.name}` })));
  }
  return chosen.filter(({ name }) => !options.only || name.includes(options.only));
}

/** Ends every process and removes every home. */
const cleanUp = () => stopAll().then(() => Home.removeAll());

async function outcome(journey, server) {
  const started = Date.now();
  const end = (result, seen) => ({ ...journey, result, seen, seconds: (Date.now() - started) / 1000 });
  server.reset();
  try {
    return end('passed', await journey.run({ server, home: () => Home.create(server), numbers: options.numbers }));
  } catch (error) {
    if (error instanceof Pending) return end('pending', error.message);
    if (error instanceof Skipped) return end('skipped', error.message);
    console.error(error);
    return end('failed', String(error.message).trim());
  } finally {
    await cleanUp();
  }
}

const cell = (text) => String(text ?? '').replace(/\s+/g, ' ').replaceAll('|', '\\|').slice(0, 300);

function report(results, version) {
  const head = ['| journey | result | seconds | seen |', '|---|---|---|---|'];
  const rows = results.map(({ name, result, seconds, seen }) =>
    `| ${cell(name)} | ${result} | ${seconds.toFixed(1)} | ${cell(seen)} |`);
  return [`# Interop: ${version}`, '', ...head, ...rows, '', summary(results), ''].join('\n');
}

/** The last line is one that continuous integration knows. */
function summary(results) {
  const count = (result) => results.filter((row) => row.result === result).length;
  const others = ['pending', 'skipped'].filter(count).map((result) => `${count(result)} ${result}\n`);
  return `${others.join('')}${count('passed')} passed, ${count('failed')} failed`;
}

const chosen = await journeys();
if (options.list || chosen.length === 0) {
  for (const { name } of chosen) console.log(name);
  process.exit(chosen.length === 0 ? 2 : 0);
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => cleanUp().then(() => process.exit(130)));
mkdirSync(installed, { recursive: true });
const server = await startServer();
const results = [];
for (const journey of chosen) {
  const row = await outcome(journey, server);
  const why = row.result === 'passed' ? '' : `: ${row.seen}`;
  console.log(`${row.result.padEnd(8)}${row.seconds.toFixed(1).padStart(6)} s  ${row.name}${why}`);
  results.push(row);
}
await server.stop();
const { stdout: version } = await run(program, ['--version']);
writeFileSync(path.join(installed, 'report.md'), report(results, version.trim()));
console.log(`\ntarget/interop/report.md\n${summary(results)}`);
process.exit(results.some((row) => row.result === 'failed') ? 1 : 0);
