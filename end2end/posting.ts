import { type OwnServer } from "./hubbub";
import { type User } from "./people";

/** Opens a page of a server that is no room, from which a test can open sockets. */
export async function openIdlePage(user: User, server: OwnServer): Promise<void> {
  // The browser asks for an icon there.
  user.allowConsoleError(/404/);
  await user.page.goto(`${server.url}/healthz`);
}

/**
 * Posts `message FIRST` to `message LAST` over one socket of lines, spread over `within` milliseconds, and waits until the
 * server has broadcast them all.
 */
export async function postRange(user: User, room: string, first: number, last: number, within = 0): Promise<void> {
  await user.page.evaluate(
    async ([room, first, last, within]) => {
      const socket = new WebSocket(`ws://${location.host}/ws?room=${room}`);
      await new Promise((open) => (socket.onopen = open));
      let received = 0;
      const all = new Promise<void>((done) => {
        socket.onmessage = (message) => {
          received += String(message.data).split("\n").length;
          if (received > last - first) done();
        };
      });
      const begin = performance.now();
      for (let n = first; n <= last; n++) {
        const due = begin + (within * (n - first + 1)) / (last - first + 1);
        while (performance.now() < due) await new Promise((later) => setTimeout(later, 1));
        socket.send(`message ${n}`);
      }
      await all;
      socket.close();
    },
    [room, first, last, within] as const,
  );
}
