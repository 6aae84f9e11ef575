// WebDriver BiDi over one socket: commands with an answer, and events. No command waits for ever.

import { WebSocket } from 'undici';

import { within } from '../steps.mjs';

const COMMAND_SECONDS = 20;

/** The browser could not be driven: that proves nothing about what is tested. */
export class LetDown extends Error {}

export async function connect(address) {
  const socket = new WebSocket(address);
  const waiting = new Map();
  const listeners = [];
  let last = 0;
  let ended = false;

  await within('the socket of the browser', COMMAND_SECONDS, () => new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', ({ message }) => reject(new LetDown(`${address}: ${message}`)), { once: true });
  }));
  socket.addEventListener('message', ({ data }) => {
    const told = JSON.parse(data);
    if (told.type === 'event') {
      for (const [method, listener] of listeners) if (method === told.method) listener(told.params);
      return;
    }
    const { resolve, reject, method } = waiting.get(told.id) ?? {};
    waiting.delete(told.id);
    if (told.type === 'error') reject?.(new LetDown(`${method}: ${told.error}: ${told.message}`));
    else resolve?.(told.result);
  });
  socket.addEventListener('close', () => {
    ended = true;
    for (const { reject, method } of waiting.values()) reject(new LetDown(`${method}: the browser has gone`));
    waiting.clear();
  });

  return {
    /** One command; `seconds` where it may take longer than others. */
    async send(method, params = {}, seconds = COMMAND_SECONDS) {
      if (ended) throw new LetDown(`${method}: the browser has gone`);
      last += 1;
      const id = last;
      const answer = new Promise((resolve, reject) => { waiting.set(id, { resolve, reject, method }); });
      answer.catch(() => {});
      socket.send(JSON.stringify({ id, method, params }));
      return within(method, seconds, () => answer);
    },
    on(method, listener) {
      listeners.push([method, listener]);
    },
    close: () => socket.close(),
  };
}
