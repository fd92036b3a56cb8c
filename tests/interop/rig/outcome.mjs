// How a journey may end other than passed or failed.

/** The program does not have the command yet. */
export class Pending extends Error {}

/** Something that the journey needs is not on this machine. */
export class Skipped extends Error {}

/** Ends the journey as pending unless `models auth …` has the command or option. */
export async function needs(home, command, word) {
  const { stdout, code } = await home.auth(...command, '--help');
  const has = code === 0 && new RegExp(`^ +(-\\w, )?${word}\\b`, 'm').test(stdout);
  if (!has) throw new Pending(`no \`${[...command, word].join(' ')}\` yet`);
}
