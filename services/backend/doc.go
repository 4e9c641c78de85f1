// Package backend is how a service is called by the apps' own backends over
// HTTP: API keys, limits a key, the form of answers, the listener.
//
// Start with Keys. It promises that a key counts only while exactly one app has
// its hash, and that a listener which is told to stop lets requests finish that
// have begun. It knows no service's paths, and never CORS: no page must be made
// to hold an API key.
package backend
