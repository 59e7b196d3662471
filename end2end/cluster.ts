import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { connect, createServer, type Server } from "node:net";

const postgres = process.env.HUBBUB_TEST_POSTGRES;

/** Whether the tests run on PostgreSQL: `.ci/cluster` has started it, and two servers with a proxy for most tests. */
export const isCluster = postgres !== undefined;

/** Creates an empty schema, which counts as a database, and returns its URL; undefined outside of a cluster. */
export function newDatabase(): string | undefined {
  if (postgres === undefined) return undefined;
  const schema = `test_${randomUUID().replaceAll("-", "")}`;
  execFileSync("psql", ["--quiet", "--no-psqlrc", "--command", `CREATE SCHEMA ${schema}`, postgres]);
  return `${postgres}?options=-csearch_path%3D${schema}`;
}

/** A proxy on `port` that connects each client to the next one of the servers, without sticky sessions. */
export class Balancer {
  private server?: Server;
  private connections = 0;

  constructor(
    private readonly port: number,
    readonly servers: readonly number[],
  ) {}

  async listen(): Promise<void> {
    const server = createServer((client) => {
      const upstream = connect(this.servers[this.connections++ % this.servers.length], "127.0.0.1");
      for (const [from, to] of [[client, upstream], [upstream, client]] as const) {
        from.on("error", () => to.destroy());
        from.on("close", () => to.destroy());
        from.pipe(to);
      }
    });
    await new Promise<void>((listening) => server.listen(this.port, "127.0.0.1", listening));
    this.server = server;
  }

  /** Accepts no more connections; the open ones end with their servers. */
  close(): void {
    this.server?.close();
  }
}
