// Where things are: the checkout, what `setup` installed, and the program under test.
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

export const root = path.resolve(import.meta.dirname, '../../..');
export const installed = path.join(root, 'target/interop');
export const program = path.resolve(process.env.OPENCLAW_AUTH ?? path.join(root, 'target/release/openclaw-auth'));
export const node = process.execPath;

const require = createRequire(path.join(installed, 'package.json'));

/** The path of a file of an installed package. */
export const fileOf = (name) => path.join(installed, 'node_modules', name);

/** Imports an installed package; this folder has no `node_modules` of its own. */
export const load = (name) => import(pathToFileURL(require.resolve(name)).href);

/** Whether an installed package is there (`setup --all` brings more than `setup`). */
export const isInstalled = (name) => existsSync(fileOf(name));
