// Bundles every test/*.test.ts and runs it under node --test. Arguments are
// parts of names: `npm test --workspace sdk -- outbox` runs what has "outbox" in
// its name. The bundles lie inside node_modules, so that they find ws and
// fast-check there.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const sdk = fileURLToPath(new URL("..", import.meta.url));
const out = join(sdk, "..", "node_modules", ".cache", `sdk-tests-${process.pid}`);
const wanted = process.argv.slice(2);
const tests = readdirSync(join(sdk, "test"))
  .filter((name) => name.endsWith(".test.ts"))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
if (tests.length === 0) throw new Error(`no test has ${wanted.join(" or ")} in its name`);

let status = 1;
try {
  await build({
    absWorkingDir: sdk,
    entryPoints: tests.map((name) => join("test", name)),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "inline",
    logLevel: "warning",
  });
  const files = tests.map((name) => join(out, `${basename(name, ".ts")}.mjs`));
  // One file after the other: those that start servers and count time share the processor badly. A test that hangs fails.
  const flags = ["--enable-source-maps", "--test", "--test-concurrency=1", "--test-timeout=300000"];
  const run = spawnSync(process.execPath, [...flags, ...files], {
    cwd: sdk,
    stdio: "inherit",
  });
  status = run.status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
process.exitCode = status;
