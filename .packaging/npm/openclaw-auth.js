#!/usr/bin/env node
// Starts the program, which is in the package of this platform: npm installs that one alone
// (`optionalDependencies`), and nothing is downloaded when this one is installed.
"use strict";

const { spawn } = require("node:child_process");
const { isatty } = require("node:tty");

const platform = `${process.platform}-${process.arch}`;

function programOf(platform) {
  try {
    return require.resolve(`@openclaw-auth/${platform}/bin/openclaw-auth`);
  } catch {
    return undefined;
  }
}

function fail(message, hint) {
  process.stderr.write(`error: ${message}\nhint: ${hint}\n`);
  process.exit(1);
}

const program = programOf(platform);
if (!program && process.platform === "win32") {
  fail("openclaw-auth does not run on Windows itself", "install it inside WSL");
}
if (!program) {
  fail(
    `there is no program for ${platform} here`,
    "npm install --include=optional openclaw-auth; or cargo install --locked openclaw-auth",
  );
}

const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });

// A terminal sends INT and HUP to the program as well, where a second one means something else.
// `process.stdin` is not touched: node would make what the program reads from non-blocking.
const hasTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"]) {
  process.on(signal, () => {
    if (signal === "SIGTERM" || !hasTerminal) child.kill(signal);
  });
}

child.on("error", (error) => fail(`could not start ${program}: ${error.message}`, "reinstall it"));
child.on("exit", (code, signal) => {
  if (!signal) process.exit(code);
  // Ends as the program has ended.
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
