// Package demo uses the demo page as people do: it types, clicks what has a name, and looks at what the page shows, in
// tabs of a headless Chromium, with `parley dev` behind it.
//
// Start with StartParley and OpenBrowser; a Tab finds controls by the role and the name that assistive technology sees,
// so a control without a name can't be used here. cmd/screenshots takes the pictures of docs/images with the same means.
//
// Nothing here knows how the page is built, beyond the few class names that tell what is shown: tiles, the banner, rows.
package demo
