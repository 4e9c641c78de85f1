// Makes dist/: the bundles, their types, and the proof that they stay small.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

/** Bytes of minified ESM after gzip: of all, and without PeerConnections. */
const limits = { all: 16_000, core: 12_000 };

const sdk = fileURLToPath(new URL("..", import.meta.url));
const dist = join(sdk, "dist");
const common = {
  absWorkingDir: sdk,
  entryPoints: ["src/index.ts"],
  bundle: true,
  target: "es2022",
  platform: "browser",
  sourcemap: true,
  logLevel: "warning",
};

async function bundles() {
  await Promise.all([
    build({ ...common, format: "esm", outfile: "dist/parley.js" }),
    build({ ...common, format: "cjs", outfile: "dist/parley.cjs" }),
    build({ ...common, format: "iife", globalName: "Parley", minify: true, outfile: "dist/parley.global.js" }),
  ]);
}

/**
 * Writes the declarations that index.ts reaches, once for `import` and once for
 * `require`; those of the insides would only be noise in an editor.
 */
function types() {
  const out = mkdtempSync(join(tmpdir(), "parley-types-"));
  try {
    // npm run puts the workspace's tsc into the path.
    execFileSync("tsc", ["-p", "tsconfig.build.json", "--outDir", out], { cwd: sdk, stdio: "inherit" });
    const reached = new Set();
    reach(join(out, "index.d.ts"), reached);
    for (const file of reached) {
      const text = readFileSync(file, "utf8");
      for (const [kind, extension] of [["d.ts", "js"], ["d.cts", "cjs"]]) {
        const target = join(dist, file.slice(out.length + 1).replace(/d\.ts$/, kind));
        mkdirSync(dirname(target), { recursive: true });
        writeFileSync(target, text.replace(specifier, (_, before, path) => `${before}"${path}.${extension}"`));
      }
    }
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** What another file is imported by: `from "./x.ts"` and `import("./x.ts")`. */
const specifier = /(from |import\()"(\.{1,2}\/[^"]+)\.ts"/g;

function reach(file, reached) {
  if (reached.has(file)) return;
  if (!existsSync(file)) throw new Error(`types: ${file} is missing`);
  reached.add(file);
  for (const [, , path] of readFileSync(file, "utf8").matchAll(specifier)) {
    reach(resolve(dirname(file), `${path}.d.ts`), reached);
  }
}

async function sizes() {
  const withoutPeers = {
    name: "without-peers",
    setup: (it) => {
      it.onResolve({ filter: /^\.\/peers\/index\.ts$/ }, () => ({ path: "peers", namespace: "none" }));
      it.onLoad({ filter: /./, namespace: "none" }, () => ({ contents: "export {};" }));
    },
  };
  for (const [name, limit] of Object.entries(limits)) {
    const plugins = name === "core" ? [withoutPeers] : [];
    const { outputFiles } = await build({ ...common, format: "esm", minify: true, sourcemap: false, write: false, plugins });
    const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
    console.log(`${name}: ${outputFiles[0].contents.length} bytes minified, ${bytes} after gzip, ${limit} are allowed`);
    if (bytes > limit) throw new Error(`${name} is ${bytes - limit} bytes too large`);
  }
}

/** The package's own version must be the one that it tells the edge. */
function version() {
  const { version } = JSON.parse(readFileSync(join(sdk, "package.json"), "utf8"));
  if (!readFileSync(join(sdk, "src/version.ts"), "utf8").includes(`"${version}"`)) {
    throw new Error(`src/version.ts must say ${version}, as package.json does`);
  }
}

async function lint() {
  const { messages, pkg } = await publint({ pkgDir: sdk, strict: true, pack: false });
  for (const message of messages) console.error(formatMessage(message, pkg));
  if (messages.length > 0) throw new Error("publint has complaints");
}

rmSync(dist, { recursive: true, force: true });
version();
await bundles();
types();
await sizes();
await lint();
