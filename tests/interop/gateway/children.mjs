// The processes that another one has started, from /proc.

import { readdir, readFile } from 'node:fs/promises';

export async function childrenOf(parent) {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = await Promise.all(pids.map(async (pid) => {
    // It may have ended meanwhile.
    const about = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    return Number(about.split(')').at(-1).trim().split(' ')[1]);
  }));
  return pids.map(Number).filter((_, index) => parents[index] === parent);
}

/** Whether there is still such a process. */
export function isThere(pid) {
  return readFile(`/proc/${pid}/stat`).then(() => true, () => false);
}
