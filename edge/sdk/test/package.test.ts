import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { runInNewContext } from "node:vm";
import { build } from "esbuild";

/** A project that has the package installed, as npm would put it there. */
let project: string;
before(() => {
  if (!existsSync("dist/index.d.cts")) throw new Error("dist is missing: run npm run build --workspace sdk");
  project = mkdtempSync(join(tmpdir(), "parley-package-"));
  const installed = join(project, "node_modules", "@parley", "client");
  mkdirSync(installed, { recursive: true });
  for (const name of ["dist", "package.json"]) cpSync(name, join(installed, name), { recursive: true });
  symlinkSync(resolve("../node_modules/ws"), join(project, "node_modules", "ws"));
});
after(() => rmSync(project, { recursive: true, force: true }));

const run = (file: string, text: string): string => {
  writeFileSync(join(project, file), text);
  return execFileSync(process.execPath, [file], { cwd: project, encoding: "utf8" }).trim();
};
const shown = "console.log([typeof connect, typeof Client, typeof Room, new SignalError('x', 'y').code].join())";

describe("the package", () => {
  test("is imported", () => {
    assert.equal(run("a.mjs", `import { connect, Client, Room, SignalError } from "@parley/client";${shown}`), "function,function,function,x");
  });

  test("is required", () => {
    assert.equal(run("a.cjs", `const { connect, Client, Room, SignalError } = require("@parley/client");${shown}`), "function,function,function,x");
  });

  test("is a script that makes the global Parley", () => {
    const page: { Parley?: Record<string, unknown> } = {};
    const text = readFileSync(join(project, "node_modules/@parley/client/dist/parley.global.js"), "utf8");
    const Parley = runInNewContext(`${text};Parley`, { ...page, TextEncoder }) as Record<string, unknown>;
    assert.equal(typeof Parley["connect"], "function");
  });

  test("has types for import and for require, which hold without our settings", () => {
    const use = `
      client.on("state", ({ state, retryIn }) => { const s: string = state; const r: number | undefined = retryIn; void [s, r]; });
      const room: Room = await client.join("r", { presence: { name: "Ada" } });
      room.on("peer-left", ({ peer, reason }) => { const i: string = peer.identity + reason; void i; });
      // @ts-expect-error: there is no such event
      room.on("nothing", () => {});
      // @ts-expect-error: a function is no JSON
      await room.broadcast(() => {});
      const reply: RoomMessage = await room.request("p", [1, null, { x: true }]);
      void reply;`;
    writeFileSync(join(project, "a.mts"), `import { connect, type Room, type RoomMessage } from "@parley/client";
      export async function main(): Promise<void> { const client = await connect({ url: "ws://x", token: () => "t" });${use} }`);
    writeFileSync(join(project, "a.cts"), `import parley = require("@parley/client"); type Room = parley.Room; type RoomMessage = parley.RoomMessage;
      export async function main(): Promise<void> { const client = await parley.connect({ url: ["ws://x"] });${use} }`);
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({
      compilerOptions: { module: "nodenext", target: "es2022", lib: ["es2022", "dom"], strict: true, noEmit: true, types: [] },
      files: ["a.mts", "a.cts"],
    }));
    execFileSync("tsc", ["-p", "."], { cwd: project, stdio: ["ignore", "inherit", "inherit"] });
  });

  test("does what its README says", () => {
    const [, example] = /```ts\n(.*?)```/s.exec(readFileSync("README.md", "utf8")) as unknown as [string, string];
    writeFileSync(join(project, "readme.mts"), example);
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({
      compilerOptions: { module: "nodenext", target: "es2022", lib: ["es2022", "dom"], strict: true, noEmit: true, types: [] },
      files: ["readme.mts"],
    }));
    execFileSync("tsc", ["-p", "."], { cwd: project, stdio: ["ignore", "inherit", "inherit"] });
  });

  test("loses what isn't used in a bundle", async () => {
    const size = async (names: string): Promise<number> => {
      const { outputFiles } = await build({
        stdin: { contents: `export { ${names} } from "@parley/client"`, resolveDir: project }, bundle: true, minify: true, format: "esm", write: false,
      });
      return outputFiles[0]?.contents.length ?? 0;
    };
    const [one, all] = [await size("connect"), await size("connect, PeerConnections")];
    assert.ok(one < all - 5_000, `${one} of ${all} bytes`);
  });

  test("has no run-time dependency", () => {
    const { dependencies, peerDependencies } = JSON.parse(readFileSync("package.json", "utf8")) as Record<string, unknown>;
    assert.deepEqual([dependencies, peerDependencies], [undefined, undefined]);
  });
});
