// Package demo holds the demo page of Parley, and serves it.
//
// The page is TypeScript (src/), built upon the SDK alone; `npm run build` in edge/ writes dist/, which is committed, so
// that whoever builds parley needs neither Node nor the network. Start reading with Handler, and with src/main.ts for
// the page.
//
// The page loads nothing from elsewhere and holds no inline script or style, so its Content-Security-Policy can forbid
// both. It never hands out tokens: it asks for them at the address that index.html names (`parley-token-url`).
package demo
