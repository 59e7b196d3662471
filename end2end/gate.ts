import { createServer, request, type IncomingMessage, type Server } from "node:http";
import { connect, type Socket } from "node:net";

/** The treatment of WebSockets: pass, hang without a response, refuse with a status, or cut after some time. */
export type Sockets = "pass" | "hang" | { refuse: number } | { cutAfterMs: number };

/** A proxy before a server that treats WebSockets as some networks do, and can respond in place of the server. */
export class Gate {
  sockets: Sockets;
  /** Responds in place of the server; undefined lets the request pass. */
  answer: (request: IncomingMessage) => { status: number; type: string; body: string } | undefined = () => undefined;
  /** The requests so far, each as the method and the path. */
  readonly requests: string[] = [];
  private readonly open = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly port: number,
    sockets: Sockets,
  ) {
    this.sockets = sockets;
  }

  static async before(port: number, sockets: Sockets = "pass"): Promise<Gate> {
    const server = createServer();
    const gate = new Gate(server, port, sockets);
    server.on("connection", (socket) => gate.keep(socket));
    server.on("request", (asked, answer) => {
      gate.requests.push(`${asked.method} ${asked.url}`);
      const own = gate.answer(asked);
      if (own) {
        answer.writeHead(own.status, { "content-type": own.type, "cache-control": "public, max-age=31536000, immutable" });
        answer.end(own.body);
        return;
      }
      const passed = request({ port, host: "127.0.0.1", path: asked.url, method: asked.method, headers: asked.headers }, (from) => {
        answer.writeHead(from.statusCode ?? 502, from.rawHeaders);
        from.pipe(answer);
      });
      passed.on("error", () => answer.destroy());
      answer.on("close", () => passed.destroy());
      asked.pipe(passed);
    });
    server.on("upgrade", (asked, socket: Socket) => gate.upgrade(asked, socket));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return gate;
  }

  get url(): string {
    const address = this.server.address();
    if (!address || typeof address !== "object") throw new Error("no port");
    return `http://127.0.0.1:${address.port}`;
  }

  close(): void {
    this.server.close();
    for (const socket of this.open) socket.destroy();
  }

  private upgrade(asked: IncomingMessage, browser: Socket): void {
    this.requests.push(`UPGRADE ${asked.url}`);
    const { sockets } = this;
    if (sockets === "hang") return;
    if (typeof sockets === "object" && "refuse" in sockets) {
      browser.end(`HTTP/1.1 ${sockets.refuse} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const server = this.keep(connect(this.port, "127.0.0.1"));
    const headers: string[] = [];
    for (let at = 0; at < asked.rawHeaders.length; at += 2) headers.push(`${asked.rawHeaders[at]}: ${asked.rawHeaders[at + 1]}\r\n`);
    server.write(`GET ${asked.url} HTTP/1.1\r\n${headers.join("")}\r\n`);
    server.pipe(browser);
    browser.pipe(server);
    server.on("close", () => browser.destroy());
    browser.on("close", () => server.destroy());
    if (sockets !== "pass") setTimeout(() => browser.destroy(), sockets.cutAfterMs);
  }

  private keep(socket: Socket): Socket {
    this.open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.open.delete(socket));
    return socket;
  }
}
