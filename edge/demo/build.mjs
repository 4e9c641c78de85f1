// Writes dist/, which the Go package `demo` embeds: the page, its script, its style, its mark, and the SDK by itself.
// The same sources give the same bytes: no time, no path of this machine, no file name with a hash.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const sdk = fileURLToPath(new URL("../sdk/src/index.ts", import.meta.url));

const shared = {
  absWorkingDir: folder,
  bundle: true,
  minify: true,
  charset: "utf8",
  format: "esm",
  legalComments: "none",
  logLevel: "warning",
  target: ["es2022", "chrome105", "firefox110", "safari16"],
};

await rm(new URL("dist/", import.meta.url), { recursive: true, force: true });
await mkdir(new URL("dist/", import.meta.url));
await Promise.all([
  build({
    ...shared,
    entryPoints: { app: "src/main.ts" },
    alias: { "@parley/client": sdk },
    outdir: "dist",
  }),
  build({ ...shared, entryPoints: { app: "src/style/index.css" }, outdir: "dist" }),
  build({ ...shared, entryPoints: { parley: sdk }, outdir: "dist" }),
  copyFile(new URL("src/icon.svg", import.meta.url), new URL("dist/icon.svg", import.meta.url)),
  squeeze("src/index.html", "dist/index.html"),
]);

/** HTML without its indentation and comments. */
async function squeeze(from, to) {
  const text = await readFile(new URL(from, import.meta.url), "utf8");
  const lines = text.replace(/<!--[^]*?-->/g, "").split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  await writeFile(new URL(to, import.meta.url), lines.join("\n") + "\n");
}
