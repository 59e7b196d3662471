import { createServer, request as send, type IncomingMessage, type Server } from "node:http";
import { connect, type Socket } from "node:net";

const PREFIX = "/chat";

/** A proxy that serves a server below /chat/, as a host of several programs does. It removes the prefix. */
export class SubPath {
  /** The paths outside of /chat/ that the browser has requested. */
  readonly escaped: string[] = [];
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly port: number) {
    this.server = createServer((request, response) => {
      const path = this.inner(request);
      if (path === undefined) return void response.writeHead(404).end();
      const headers = { ...request.headers, "x-forwarded-prefix": PREFIX };
      const onward = send({ host: "127.0.0.1", port, method: request.method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on("error", () => response.headersSent ? response.destroy() : response.writeHead(502).end());
      request.pipe(onward);
    });
    this.server.on("upgrade", (request, browser: Socket) => this.upgrade(request, browser));
  }

  static async before(port: number): Promise<SubPath> {
    const proxy = new SubPath(port);
    await new Promise<void>((listening) => proxy.server.listen(0, "127.0.0.1", listening));
    return proxy;
  }

  get url(): string {
    const address = this.server.address();
    if (!address || typeof address !== "object") throw new Error("no port");
    return `http://127.0.0.1:${address.port}${PREFIX}/`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
    for (const socket of this.sockets) socket.destroy();
  }

  private inner(request: IncomingMessage): string | undefined {
    const path = request.url ?? "";
    if (path.startsWith(`${PREFIX}/`)) return path.slice(PREFIX.length);
    this.escaped.push(path);
    return undefined;
  }

  private upgrade(request: IncomingMessage, browser: Socket): void {
    const path = this.inner(request);
    if (path === undefined) return void browser.destroy();
    const server = connect(this.port, "127.0.0.1");
    const lines = [`GET ${path} HTTP/1.1`, `X-Forwarded-Prefix: ${PREFIX}`];
    for (let at = 0; at < request.rawHeaders.length; at += 2) {
      lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
    }
    server.write(`${lines.join("\r\n")}\r\n\r\n`);
    for (const [from, to] of [[browser, server], [server, browser]] as const) {
      this.sockets.add(from);
      from.on("error", () => to.destroy());
      from.pipe(to);
    }
  }
}
