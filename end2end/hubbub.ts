import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Balancer, isCluster, newDatabase } from "./cluster";

const running = process.env.HUBBUB_URL;
const address = process.env.HUBBUB_ADDR ?? "127.0.0.1:18080";

/** The server that most tests share, and its binary. HUBBUB_BIN and HUBBUB_ADDR override them. */
export const Hubbub = {
  binary: process.env.HUBBUB_BIN ?? resolve(import.meta.dirname, "../target/release/hubbub"),
  address,
  isRunning: running !== undefined,
  url: running ?? `http://${address}`,
};

/**
 * A server of a single test, with its own data. The test can stop and restart it. In a cluster these are two servers on a
 * database of their own, and each connection goes to the next one.
 */
export class OwnServer {
  /** The addresses of removed servers. Pages that are still open try to reach them. */
  static readonly removed = new Set<string>();

  private processes: ChildProcess[] = [];
  private readonly data = mkdtempSync(join(tmpdir(), "hubbub-"));
  private database = newDatabase();

  private constructor(
    readonly port: number,
    private readonly flags: string[],
    private readonly balancer?: Balancer,
  ) {}

  static async start(...flags: string[]): Promise<OwnServer> {
    const port = await freePort();
    const balancer = isCluster ? new Balancer(port, [await freePort(), await freePort()]) : undefined;
    const server = new OwnServer(port, flags, balancer);
    await server.start();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  private get store(): string[] {
    return this.database ? ["--database", this.database] : ["--data", this.data];
  }

  async start(): Promise<void> {
    OwnServer.removed.delete(`//127.0.0.1:${this.port}/`);
    const ports = this.balancer?.servers ?? [this.port];
    this.processes = ports.map((port) =>
      spawn(Hubbub.binary, ["--addr", `127.0.0.1:${port}`, ...this.store, ...this.flags], {
        // The server that the tests share may be without a data folder; this one has its own.
        env: { ...process.env, HUBBUB_EPHEMERAL: undefined },
        stdio: "ignore",
      }),
    );
    for (const port of ports) while (!(await answers(port))) await new Promise((done) => setTimeout(done, 20));
    await this.balancer?.listen();
  }

  /** Returns a new link that makes the user who accepts it the administrator. */
  adminLink(): string {
    const options = ["--addr", `127.0.0.1:${this.port}`, ...this.store, "admin-link"];
    const link = execFileSync(Hubbub.binary, options, { encoding: "utf8" }).trim().split("\n").at(-1);
    if (!link) throw new Error("no admin link");
    return link;
  }

  /** Stops the server gracefully with SIGTERM, or at once with SIGKILL. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    this.balancer?.close();
    const running = this.processes.filter((process) => process.exitCode === null && process.signalCode === null);
    const exits = running.map((process) => new Promise((done) => process.once("exit", done)));
    for (const process of running) process.kill(signal);
    await Promise.all(exits);
  }

  /** Deletes all data, so that the next start has another log. */
  deleteData(): void {
    this.deleteFolder();
    this.database = newDatabase();
  }

  async remove(): Promise<void> {
    OwnServer.removed.add(`//127.0.0.1:${this.port}/`);
    await this.stop("SIGKILL");
    this.deleteFolder();
  }

  private deleteFolder(): void {
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** A proxy before the server that can drop all traffic without closing connections, like a network that fails. */
export class BlackholeProxy {
  private isDropping = false;
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async start(port: number): Promise<BlackholeProxy> {
    const server = createServer();
    const proxy = new BlackholeProxy(server);
    server.on("connection", (browser) => proxy.join(browser, connect(port, "127.0.0.1")));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return proxy;
  }

  get url(): string {
    const address = this.server.address();
    if (!address || typeof address !== "object") throw new Error("no port");
    return `http://127.0.0.1:${address.port}`;
  }

  /** Drops all traffic from now on. Connections that were open then stay dead. */
  drop(): void {
    this.isDropping = true;
  }

  /** Lets new connections through again. */
  restore(): void {
    this.isDropping = false;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private join(browser: Socket, server: Socket): void {
    let dead = false;
    for (const [from, to] of [[browser, server], [server, browser]] as const) {
      this.sockets.add(from);
      from.on("error", () => {});
      from.on("data", (data) => {
        dead ||= this.isDropping;
        if (!dead) to.write(data);
      });
      from.on("close", () => {
        if (!dead) to.destroy();
      });
    }
  }
}

function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/readyz`).then((answer) => answer.ok, () => false);
}

/** The ports of each worker, below those that the system gives to clients. */
const FIRST_PORT = 20_000;
const PORTS = 1_000;
let lastPort = 0;

/** Returns a port that nothing else takes, also not while a server on it starts again. */
async function freePort(): Promise<number> {
  const first = FIRST_PORT + PORTS * Number(process.env.TEST_PARALLEL_INDEX ?? 0);
  for (;;) {
    const port = first + (lastPort++ % PORTS);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((found) => {
    const server = createServer().once("error", () => found(false));
    server.listen(port, "127.0.0.1", () => server.close(() => found(true)));
  });
}
