// Package browser lets tabs of a headless Chromium call each other, and pion,
// through `parley dev` and the TypeScript SDK.
//
// Start with startDev, which runs `parley dev`, and open, which opens a tab
// whose page (page/call.ts, bundled with the SDK's sources by esbuild) is one
// member of a room. A test says what the tab does, and waits for what it must
// come to.
//
// All tabs share one Chromium, each in a browser context of its own. A test that
// needs addresses which the machine doesn't have runs in a network namespace, see
// namespace.go; nothing leaves it.
package browser
